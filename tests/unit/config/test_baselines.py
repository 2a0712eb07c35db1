"""Configurations that a person brings along: read from what they have, refused where they lack."""

from pathlib import Path

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError
from hpo_app.search.prior import first_draws


GOOD = {"x": 1, "rate": 0.01, "depth": 4, "kind": "smooth"}


def plan_of(*overrides):
    return parse_plan(*compose_config(["search_space=quadratic", *overrides]))


def written(path, text):
    path.write_text(text)
    return str(path)


def lines(values, indent=""):
    return "".join(f"{indent}{name}: {value}\n" for name, value in values.items())


@pytest.mark.parametrize(
    "text",
    [
        lines(GOOD),
        f"# mine\nparams:\n{lines(GOOD, '  ')}",
        f"params:\n{lines(GOOD, '  ')}model:\n  depth: ${{params.depth}}\nprovenance: {{}}\n",
    ],
    ids=["by name", "below params", "best.yaml"],
)
def test_a_file_names_the_parameters_at_its_top_or_below_params(text, tmp_path):
    path = written(tmp_path / "mine.yaml", text)
    (baseline,) = plan_of(f"baseline=['{path}']").baselines
    assert baseline.source == path
    assert baseline.params == GOOD
    # As a search would have drawn it: a whole number of a range of numbers is one.
    assert isinstance(baseline.params["x"], float)
    assert list(baseline.params) == list(plan_of().space)


WRONG = {
    "outside": ({**GOOD, "rate": 9.0}, "baseline[0].rate", "9.0 in ", "a number from "),
    "between whole numbers": ({**GOOD, "depth": 4.5}, "baseline[0].depth", "4.5 in ", "a whole"),
    "no such choice": ({**GOOD, "kind": "odd"}, "baseline[0].kind", "odd in ", "one of 'smooth'"),
    "lacking": (
        {"x": 1.0, "rate": 0.01, "kind": "smooth"},
        "baseline[0].depth",
        "no value in ",
        "",
    ),
    "unknown": ({**GOOD, "dept": 3}, "baseline[0].dept", "3 in ", "a parameter of the search"),
}


@pytest.mark.parametrize(("values", "key", "got", "expected"), WRONG.values(), ids=WRONG)
def test_a_value_that_cannot_be_is_named_with_its_file(values, key, got, expected, tmp_path):
    path = written(tmp_path / "mine.yaml", lines(values))
    with pytest.raises(PlanError) as caught:
        plan_of(f"baseline=['{path}']")
    (problem,) = caught.value.problems
    assert problem.key == key
    assert problem.got == f"{got}{path}"
    assert expected in problem.expected
    assert problem.set_by.startswith("command line: baseline=")


def test_all_that_is_wrong_comes_at_once(tmp_path):
    first = written(tmp_path / "a.yaml", lines({**GOOD, "rate": 9.0, "depth": 0}))
    none = str(tmp_path / "none.yaml")
    other = written(tmp_path / "c.yaml", "lr: 0.1\n")
    broken = written(tmp_path / "d.yaml", "{")
    paths = ",".join(f"'{path}'" for path in (first, none, other, broken, str(tmp_path)))
    with pytest.raises(PlanError) as caught:
        plan_of(f"baseline=[{paths}]", "num_trials=0")
    keys = [problem.key for problem in caught.value.problems]
    assert keys == [
        "baseline[0].rate",
        "baseline[0].depth",
        *(f"baseline[{index}]" for index in range(1, 5)),
        "num_trials",
    ]


def test_a_configuration_against_the_rules_is_refused(tmp_path):
    path = written(tmp_path / "mine.yaml", lines(GOOD))
    with pytest.raises(PlanError, match="depth <= 3") as caught:
        plan_of('+search_space.require.small="depth <= 3"', f"baseline=['{path}']")
    assert [problem.key for problem in caught.value.problems] == ["baseline[0].require.small"]


def test_what_has_no_say_needs_no_value_and_counts_for_nothing(tmp_path):
    when = "+search_space.depth.when={kind: smooth}"
    rough = {**GOOD, "kind": "rough"}
    (kept,) = plan_of(when, f"baseline=['{written(tmp_path / 'a', lines(rough))}']").baselines
    assert "depth" not in kept.params
    del rough["depth"]
    (lean,) = plan_of(when, f"baseline=['{written(tmp_path / 'b', lines(rough))}']").baselines
    assert lean.params == kept.params


def test_there_is_a_trial_for_each(tmp_path):
    paths = [
        written(tmp_path / f"{depth}.yaml", lines({**GOOD, "depth": depth})) for depth in (3, 4, 5)
    ]
    named = f"baseline=[{','.join(map(repr, paths))}]"
    with pytest.raises(PlanError, match="at least 4, for the default configuration"):
        plan_of(named, "num_trials=3")
    plan = plan_of(named, "num_trials=4")
    assert [params.get("depth") for params in plan.first_params[1:]] == [3, 4, 5]
    with pytest.raises(PlanError, match="and the default configuration and baselines"):
        plan_of(named, "num_trials=16", "search_alg=grid", "search_alg.points=2")


def test_a_copy_of_the_default_or_of_another_is_tried_once(tmp_path):
    default = written(tmp_path / "default.yaml", lines(plan_of().space.defaults))
    mine = written(tmp_path / "mine.yaml", lines(GOOD))
    plan = plan_of(f"baseline=['{default}','{mine}','{mine}']")
    assert plan.first_params == (plan.space.defaults, GOOD)
    params = [baseline.params for baseline in plan.baselines]
    assert first_draws(plan.space, 0, params, 0) == [GOOD]


def test_a_searcher_that_cannot_be_told_of_it_is_refused(tmp_path, monkeypatch):
    from hpo_app.tuning.engines import make_engine

    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "trainers"))
    path = written(tmp_path / "mine.yaml", lines(GOOD))
    plan = plan_of(
        f"baseline=['{path}']",
        "search_alg._target_=own_search.FivePoints",
        "~search_alg.seed",
        "trusted_modules=[own_search]",
    )
    with pytest.raises(PlanError, match="cannot be told of trials that others chose"):
        make_engine(plan)
