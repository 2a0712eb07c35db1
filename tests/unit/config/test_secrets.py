"""A secret stands in a config by the name of a variable, or not at all."""

import pytest

from hpo_app.config.best import BestConfig, read_best, write_best
from hpo_app.config.compose import compose_config
from hpo_app.config.overrides import overrides_in
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import render
from hpo_app.config.secrets import (
    plain_secrets,
    secret_variables,
    set_for_the_job,
    with_secrets_by_name,
)
from hpo_app.config.typed_secrets import typed_secrets
from hpo_app.errors import PlanError
from hpo_app.plan.criteria import Criteria
from hpo_app.plan.run_plan import Mode, Objective


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("model.api_key=abc", "model.api_key"),
        ("+model.api_key='a b'", "model.api_key"),
        ("++model.hub={url: here, token: abc}", "model.hub.token"),
        ("model.password=12345678", "model.password"),
        ("model.passwords=[abc]", "model.passwords[0]"),
        ("model.token=a,b", "model.token"),
        ("model.token=${oc.env:HUB_TOKEN,abc}", "model.token"),
        ("+hydra.job.env_set.HF_TOKEN=abc", "hydra.job.env_set.HF_TOKEN"),
        ("hydra.job.env_set={HF_TOKEN: abc}", "hydra.job.env_set.HF_TOKEN"),
        ("+hydra.job.env_set.HF_TOKEN=${oc.env:OTHER}", "hydra.job.env_set.HF_TOKEN"),
        ("model.api_key=[not, closed", "model.api_key"),
    ],
)
def test_a_typed_secret_is_a_problem_that_does_not_tell_it(override, key):
    (problem,) = typed_secrets(overrides_in([override]))
    assert problem.key == key
    assert "abc" not in str(problem)
    assert "12345678" not in str(problem)
    assert problem.set_by.endswith("=***")
    assert "export" in problem.fix


@pytest.mark.parametrize(
    "override",
    [
        "model.api_key=${oc.env:HUB_TOKEN}",
        "model.api_key='Bearer ${oc.env:HUB_TOKEN}'",
        "model.api_key=${oc.env:HUB_TOKEN,null}",
        "model.api_key=null",
        "model.api_key=???",
        "model.use_token=true",
        "model.max_tokens=512",
        "model.token=5",
        "model.eos_token='</s>'",
        "~model.api_key",
        "search_space.token.values=[a,b]",
        "hydra.job.env_set.OMP_NUM_THREADS=1",
    ],
)
def test_a_reference_and_what_is_no_secret_may_be_typed(override):
    assert typed_secrets(overrides_in([override])) == []


def test_secrets_in_files_are_problems_beside_all_others():
    overrides = ["search_space=quadratic", "+model.hub={api_key: abc, url: here}", "seed=-1"]
    with pytest.raises(PlanError) as caught:
        parse_plan(*compose_config(overrides))
    problems = {problem.key: problem for problem in caught.value.problems}
    assert set(problems) == {"seed", "model.hub.api_key"}
    assert problems["model.hub.api_key"].got == "a secret in plain text"


def test_what_hydra_would_put_into_the_environment_may_hold_no_secret():
    (problem,) = set_for_the_job({"HF_TOKEN": "abc", "OMP_NUM_THREADS": "1"})
    assert problem.key == "hydra.job.env_set.HF_TOKEN"
    assert "export HF_TOKEN=…" in problem.fix


TEMPLATE = {
    "model": {
        "lr": "${params.lr}",
        "api_key": "${oc.env:HUB}",
        "header": "Bearer ${oc.env:MY_TOKEN} for ${params.lr}",
        "again": "${model.api_key}",
        "where": ["${oc.env:PLACE}", "${oc.env:MY_TOKEN}"],
        "url": "https://${data.host}/${oc.env:PLACE}?t=${ oc.env:'MY_TOKEN' }",
    },
    "data": {"host": "hub.example"},
    "training": {"iterations": 2},
}


def test_the_variables_that_a_config_reads_as_secrets():
    assert secret_variables(TEMPLATE) == {"HUB", "MY_TOKEN"}


def test_a_winner_is_written_with_secrets_by_name_and_trains_again(tmp_path, monkeypatch):
    for name, value in {"HUB": "hub-secret", "MY_TOKEN": "my-secret", "PLACE": "here"}.items():
        monkeypatch.setenv(name, value)
    params = {"lr": 0.5}
    rendered = render(with_secrets_by_name(TEMPLATE), params)
    best = BestConfig(rendered, Criteria((Objective("loss", Mode.MIN),)), params, {})
    write_best(tmp_path / "best.yaml", best, ["the winner"])
    written = (tmp_path / "best.yaml").read_text()
    assert "secret" not in written
    assert "here" in written
    assert "https://hub.example/here?t=${oc.env:MY_TOKEN}" in written
    assert read_best(tmp_path / "best.yaml").rendered == render(TEMPLATE, params)


def test_a_variable_that_is_not_set_is_a_problem_with_what_to_type(monkeypatch):
    monkeypatch.delenv("HUB_TOKEN", raising=False)
    with pytest.raises(PlanError) as caught:
        parse_plan(
            *compose_config(["search_space=quadratic", "+model.api_key=${oc.env:HUB_TOKEN}"])
        )
    (problem,) = caught.value.problems
    assert problem.key == "model.api_key"
    assert problem.fix == "set the variable first: export HUB_TOKEN=…"


def test_a_secret_among_sampled_values_is_a_problem():
    values = {"type": "choice", "values": ["${oc.env:API_TOKEN}", "b"]}
    (problem,) = plain_secrets({"search_space": {"login": values}})
    assert problem.key == "search_space.login.values"
    assert "look the secret up" in problem.fix
