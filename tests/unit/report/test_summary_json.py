from __future__ import annotations

import json

from hpo_app.plan.criteria import Constraint
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.report.summary_json import write_summary


def read(path):
    def refuse(word):
        raise AssertionError(word)

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_the_result_is_there_for_programs(make_study, make_trial, make_failed_trial, tmp_path):
    study = make_study(
        make_trial(0, [0.5, 0.5]),
        make_trial(1, [0.5, 0.25], params={"lr": 0.1, "clip": float("inf")}),
        make_failed_trial(2),
    )
    write_summary(study, tmp_path / "summary.json")

    assert read(tmp_path / "summary.json") == {
        "schema_version": 1,
        "run_id": "run-1",
        "objective": {"metric": "loss", "mode": "min"},
        "objectives": [{"metric": "loss", "mode": "min"}],
        "constraints": {},
        "counts": {"running": 0, "finished": 2, "stopped": 0, "failed": 1, "interrupted": 0},
        "best": {
            "number": 1,
            "value": 0.25,
            "params": {"lr": 0.1, "clip": "inf"},
            "iterations": 2,
            "metrics": {"loss": 0.25},
            "keeps_constraints": True,
        },
        "front": [],
        "default_value": 0.5,
        "gain": 0.25,
        "gain_interval": None,
        "confirmed": None,
        "stop_reason": "All trials ended.",
        "duration_s": 60.0,
        "seed": 7,
        "baselines": [],
        "warm_start": {},
    }
    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]


def test_every_study_has_a_result_in_strict_json(hostile_study, tmp_path):
    write_summary(hostile_study, tmp_path / "summary.json")

    assert read(tmp_path / "summary.json")["schema_version"] == 1


def test_constraints_and_whether_they_are_kept_are_there(make_study, make_trial, tmp_path):
    constraints = (Constraint("cost", max=0.1), Constraint("loss", min=0.0, max=9.0))
    study = make_study(make_trial(0, [0.5], others={"cost": 0.2}), constraints=constraints)
    write_summary(study, tmp_path / "summary.json")
    result = read(tmp_path / "summary.json")
    assert result["constraints"] == {"cost": {"max": 0.1}, "loss": {"min": 0.0, "max": 9.0}}
    assert result["best"]["keeps_constraints"] is False
    assert result["best"]["metrics"] == {"loss": 0.5, "cost": 0.2}


def test_a_front_is_there_with_all_values(make_study, make_trial, tmp_path):
    both = (Objective("loss", Mode.MIN), Objective("cost", Mode.MIN))
    trials = [
        make_trial(0, [0.5], others={"cost": 0.2}),
        make_trial(1, [0.6], others={"cost": 0.3}),
    ]
    write_summary(make_study(*trials, objectives=both), tmp_path / "summary.json")
    result = read(tmp_path / "summary.json")
    assert [each["metric"] for each in result["objectives"]] == ["loss", "cost"]
    assert result["front"] == [
        {"number": 0, "metrics": {"loss": 0.5, "cost": 0.2}, "params": {"lr": 0.1}}
    ]
    assert result["gain"] is None
