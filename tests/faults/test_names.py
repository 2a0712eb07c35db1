"""An awkward name is refused with a message, or kept as it is in data and never in a path."""

import csv

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given, strategies as st

from hpo_app.analysis.tables import write_trials_csv
from hpo_app.config.arguments import split_changes
from hpo_app.config.best import BestConfig, read_best, write_best
from hpo_app.config.overrides import quoted
from hpo_app.config.render import Rendered, render
from hpo_app.errors import PlanError, RunFolderError
from hpo_app.plan.criteria import Criteria
from hpo_app.plan.read_space import read_space
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.study.journal import FILE_NAME, Journal
from hpo_app.study.replay import load_study


AWKWARD = {
    "parent": "..",
    "slash": "a/b",
    "root": "/etc/passwd",
    "null": "a\0b",
    "too long": "x" * 300,
    "emoji": "\N{CAT FACE}\u200d\N{FIRE}",
    "device": "CON",
    "trailing dot": "name.",
    "equals": "a=b",
    "newline": "a\nb: 1",
    "right to left": "a\u202eb",
    "quote": 'it\'s "so"',
    "backslash": "a\\b\\",
    "interpolation": "${oc.env:HOME}",
    "comment": "a # b",
    "formula": "=1+1",
    "escape": "\x1b[31mred",
    "surrogate": "\ud800",
    "empty": "",
    "space": "  ",
    "markup": "</script><b>",
}
# What a folder can be called: without what no disk takes, or what leads elsewhere.
IN_UTF_8 = {key: name for key, name in AWKWARD.items() if key != "surrogate"}
NOT_A_FOLDER = {"parent", "slash", "root", "null", "too long", "surrogate", "empty", "markup"}
FOLDERS = {key: name for key, name in AWKWARD.items() if key not in NOT_A_FOLDER}


@pytest.mark.parametrize("name", [name for name in AWKWARD.values() if name != "CON"], ids=repr)
def test_a_parameter_with_an_awkward_name_is_refused(name):
    space, problems = read_space({name: {"type": "uniform", "low": 0, "high": 1}})
    if name == "x" * 300:
        assert list(space) == [name]  # A plain word, if a long one.
        return
    assert list(space) == []
    assert problems[0].fix == "rename it"


@pytest.mark.parametrize("name", AWKWARD.values(), ids=AWKWARD)
def test_an_awkward_value_or_metric_is_kept_in_data_and_in_no_path(tmp_path, name):
    folder = tmp_path / "run"
    folder.mkdir()
    space = {"x": {"type": "choice", "values": [name, [name], {name: name}]}}
    journal = Journal.create(folder / FILE_NAME)
    opened = {"run_id": name, "metric": name, "mode": "max", "space": space, "num_trials": 3}
    journal.append("opened", schema=1, **opened, iterations=1, seed=0)
    for number, value in enumerate(space["x"]["values"]):
        asked = {"params": {"x": value}, "is_default": False, "seed": 0}
        journal.append("asked", trial=number, **asked)
        journal.append("reported", trial=number, iteration=1, metrics={name: 1.0})
        journal.append("ended", trial=number, state="failed", error=name)
    journal.append("closed", reason=name)
    journal.close()

    study = load_study(folder)
    assert (study.run_id, study.objective.metric, study.stop_reason) == (name, name, name)
    assert study.space == space
    assert [trial.params["x"] for trial in study.trials] == space["x"]["values"]
    assert [trial.curve(name) for trial in study.trials] == [[(1, 1.0)]] * 3
    assert [trial.error for trial in study.trials] == [name] * 3
    write_trials_csv(study, folder / "trials.csv")
    with (folder / "trials.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 4
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert {path.name for path in tmp_path.rglob("*")} == {"run", FILE_NAME, "trials.csv"}


@pytest.mark.parametrize("name", IN_UTF_8.values(), ids=IN_UTF_8)
def test_an_awkward_name_trains_again_from_best_yaml(tmp_path, name):
    rendered = Rendered({"trainer": "t", "x": name, "deep": [{"y": name}]}, {}, {"iterations": 1})
    best = BestConfig(
        rendered, Criteria((Objective(name, Mode.MIN),)), {"x": name}, {"run_id": name}
    )
    path = tmp_path / "best.yaml"
    write_best(path, best, [f"Best configuration of run {name}", name])
    assert read_best(path) == best


# OmegaConf takes three question marks for a value that is missing; a search space refuses them.
@given(st.text().filter(lambda text: text != "???") | st.text(alphabet="${}\\:.'a"))
def test_a_sampled_text_is_rendered_as_it_is(text):
    template = {"model": {"x": "${params.x}", "y": ["${params.deep.0}"]}, "data": {}}
    params = {"x": text, "deep": [text], "deeper": {"a": text}}
    rendered = render({**template, "training": {"z": "${params.deeper}"}}, params)
    assert rendered.model == {"x": text, "y": [text]}
    assert rendered.training == {"z": {"a": text}}


@pytest.mark.parametrize("name", FOLDERS.values(), ids=FOLDERS)
def test_a_run_folder_with_an_awkward_name_is_found_under_it(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    (tmp_path / name / FILE_NAME).touch()
    arguments, changes = split_changes(["action=resume", f"run={name}", "num_trials=3"])
    assert changes == ("num_trials=3",)
    parsed = {
        item.key_or_group: item.value()
        for item in OverridesParser.create().parse_overrides(arguments)
    }
    assert resolved(parsed["run"]) == name
    assert resolved(parsed["hydra.run.dir"]) == name
    with pytest.raises(PlanError, match="a folder that holds no run yet"):
        split_changes([f"hydra.run.dir={quoted(name)}"])


def resolved(value):
    from omegaconf import OmegaConf

    return OmegaConf.create({"value": getattr(value, "text", value)}).value


@pytest.mark.parametrize("key", sorted(NOT_A_FOLDER))
def test_what_is_no_run_folder_is_a_message(tmp_path, monkeypatch, key):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunFolderError, match="a run folder"):
        split_changes(["action=resume", f"run={AWKWARD[key]}"])
    split_changes([f"hydra.run.dir={AWKWARD[key]}"])
    assert list(tmp_path.iterdir()) == []


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])) | st.text(alphabet="${}\\'\"a,=b")
)
def test_quoted_text_is_read_by_hydra_as_it_was(text):
    (parsed,) = OverridesParser.create().parse_overrides([f"run={quoted(text)}"])
    assert resolved(parsed.value()) == text


def test_what_a_message_quotes_does_not_steer_the_terminal(run_folder, monkeypatch, capsys):
    import sys

    from hpo_app.cli import main

    name = "\x1b]0;owned\x07\u202e\r"
    monkeypatch.setattr(sys, "argv", ["hpo_app", "action=resume", f"run={name}"])
    assert main() == 4
    error = capsys.readouterr().err
    assert error.startswith("1 problem in the run folder\n\nrun\n  got       ]0;owned")
    assert not set(name[:1] + name[-3:]) & set(error)
