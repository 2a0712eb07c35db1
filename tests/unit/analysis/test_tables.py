from __future__ import annotations

import csv
import math

import pytest

from hpo_app.analysis.tables import param_names, trials_frame, write_trials_csv
from hpo_app.plan.criteria import Constraint
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.study.records import TrialState


def test_columns_have_a_fixed_order(make_study, make_trial):
    study = make_study(
        make_trial(0, [0.5], params={"b": 1, "a": 2, "z": 3}),
        make_trial(1, [0.5], metric="accuracy", params={"y": 4, "a": 5}),
        space={"b": {}, "a": {}},
    )

    assert param_names(study) == ["b", "a", "y", "z"]
    assert list(trials_frame(study)) == [
        *["number", "state", "value", "iterations", "duration_s", "started_s", "seed"],
        *["is_default", "retries", "params.b", "params.a", "params.y", "params.z"],
        *["metrics.accuracy", "metrics.loss", "error"],
    ]


def test_a_row_holds_what_is_remembered_of_the_trial(make_study, make_trial):
    error = "Traceback\nValueError: bad"
    study = make_study(
        make_trial(0, [0.5, 0.25], params={"lr": 0.1, "layers": [64, "x"], "n": 8}),
        make_trial(1, [9.0], state=TrialState.FAILED, error=error, retries=2, ended_s=None),
    )
    first, second = trials_frame(study).to_dict("records")

    assert first["params.layers"] == '[64, "x"]'
    assert (first["params.n"], first["value"], first["iterations"]) == (8, 0.25, 2)
    assert (first["duration_s"], first["error"]) == (10.0, "")
    assert math.isnan(second["value"])
    assert math.isnan(second["duration_s"])
    assert second["metrics.loss"] == 9.0
    assert (second["state"], second["error"], second["retries"]) == ("failed", "ValueError: bad", 2)
    assert second["params.n"] is None


def test_values_of_all_types_stay_what_they_are(study_with_mixed_types):
    values = trials_frame(study_with_mixed_types)["params.p"].tolist()

    assert [type(value) for value in values[:5]] == [int, float, bool, type(None), str]
    assert values[6:8] == ['[1, "a"]', '{"b": "inf"}']


def test_a_spreadsheet_runs_no_cell_and_numbers_stay_numbers(make_study, make_trial, tmp_path):
    formulas = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "harmless"]
    trials = [make_trial(n, [-0.5], params={"p": text}) for n, text in enumerate(formulas)]
    path = tmp_path / "trials.csv"
    write_trials_csv(make_study(*trials, make_trial(6, [-0.5], params={"p": -3})), path)

    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["params.p"] for row in rows] == [
        *["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1", "harmless", "-3"]
    ]
    assert {row["value"] for row in rows} == {"-0.5"}


def test_the_table_replaces_the_old_one_and_leaves_nothing_beside_it(
    make_study, make_trial, tmp_path
):
    path = tmp_path / "trials.csv"
    path.write_text("old")
    write_trials_csv(make_study(make_trial(0, [1.0])), path)

    assert path.read_text().startswith("number,state,value")
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_keeps_the_old_table(make_study, make_trial, tmp_path):
    taken = tmp_path / "trials.csv"
    (taken / "inside").mkdir(parents=True)

    with pytest.raises(OSError, match="directory"):
        write_trials_csv(make_study(make_trial(0, [1.0])), taken)
    assert list(tmp_path.iterdir()) == [taken]


def test_every_study_has_a_table(hostile_study, tmp_path):
    write_trials_csv(hostile_study, tmp_path / "trials.csv")

    assert len(trials_frame(hostile_study)) == len(hostile_study.trials)


def test_what_is_kept_stands_in_a_column_where_there_is_something_to_keep(
    make_study, make_trial, make_failed_trial
):
    study = make_study(
        make_trial(0, [0.5], others={"cost": 0.1}),
        make_trial(1, [0.5], others={"cost": 0.2}),
        make_failed_trial(2),
        constraints=(Constraint("cost", max=0.1),),
    )
    assert trials_frame(study)["keeps_constraints"].tolist() == [True, False, None]
    assert "keeps_constraints" not in trials_frame(make_study(*study.trials))


def test_who_is_on_the_front_stands_in_a_column(make_study, make_trial):
    both = (Objective("loss", Mode.MIN), Objective("cost", Mode.MIN))
    trials = [
        make_trial(0, [0.5], others={"cost": 0.2}),
        make_trial(1, [0.6], others={"cost": 0.3}),
    ]
    assert trials_frame(make_study(*trials, objectives=both))["on_front"].tolist() == [True, False]


def test_whole_numbers_beside_none_stay_whole(make_study, make_trial, tmp_path):
    large = 2**53 + 1
    trials = [make_trial(0, [1.0], params={"p": large}), make_trial(1, [1.0], params={})]
    write_trials_csv(make_study(*trials), tmp_path / "trials.csv")
    with (tmp_path / "trials.csv").open(newline="") as file:
        assert [row["params.p"] for row in csv.DictReader(file)] == [str(large), ""]
