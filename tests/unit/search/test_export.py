"""A study as other tools see it: Optuna's storage, and tables."""

import io
import warnings

import optuna
import pandas as pd
import pytest
from optuna.trial import TrialState as OptunaState

from hpo_app.analysis.curves import curves_frame, parquet_of
from hpo_app.analysis.tables import trials_frame
from hpo_app.plan.criteria import Constraint
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.search.export import write_optuna
from hpo_app.study.records import TrialState


def exported(study, folder):
    write_optuna(study, folder / "optuna.db")
    assert [path.name for path in folder.iterdir()] == ["optuna.db"]
    storage = optuna.storages.RDBStorage(f"sqlite:///{folder / 'optuna.db'}")
    try:
        (name,) = optuna.get_all_study_names(storage)
        loaded = optuna.load_study(study_name=name, storage=storage)
        return loaded, loaded.trials
    finally:
        storage.engine.dispose()


def test_states_values_curves_and_params_arrive_as_they_were(make_study, make_trial, tmp_path):
    study = make_study(
        make_trial(0, [0.9, 0.5], params={"lr": 0.1, "net": "big", "layers": 2}),
        make_trial(1, [0.8], state=TrialState.STOPPED, params={"lr": 0.2, "layers": 3}),
        make_trial(2, state=TrialState.FAILED, error="Traceback\nValueError: bad"),
        make_trial(3, [0.7], state=TrialState.RUNNING, ended_s=None),
        space={
            "lr": {"type": "loguniform", "low": 1e-3, "high": 1.0},
            "net": {"type": "choice", "values": ["small", "big"]},
            "layers": {"type": "randint", "low": 1, "high": 4},
        },
        facts={"started_at": "2026-11-28T10:00:00+00:00"},
    )
    loaded, trials = exported(study, tmp_path)
    states = ["COMPLETE", "PRUNED", "FAIL", "RUNNING"]
    assert [trial.state.name for trial in trials] == states
    assert trials[0].params == {"lr": 0.1, "net": "big", "layers": 2}
    assert trials[0].intermediate_values == {1: 0.9, 2: 0.5}
    assert [trial.value for trial in trials] == [0.5, 0.8, None, None]
    assert trials[0].distributions["lr"].log
    assert trials[0].distributions["net"].choices == ("small", "big")
    assert trials[2].user_attrs["error"] == "ValueError: bad"
    assert trials[0].duration.total_seconds() == 10.0
    assert loaded.best_trial.number == 0


def test_constraints_and_several_objectives_arrive(make_study, make_trial, tmp_path):
    study = make_study(
        *(make_trial(n, [0.1 * n], others={"cost": 1.0 - n}) for n in range(3)),
        objectives=(Objective("loss", Mode.MIN), Objective("cost", Mode.MAX)),
        constraints=(Constraint("loss", max=0.15),),
    )
    loaded, _trials = exported(study, tmp_path)
    assert [direction.name for direction in loaded.directions] == ["MINIMIZE", "MAXIMIZE"]
    assert loaded.metric_names == ["loss", "cost"]
    (best,) = loaded.best_trials
    assert best.number == 0
    assert (best.user_attrs["metrics.loss"], best.user_attrs["metrics.cost"]) == (0.0, 1.0)


def test_every_study_can_be_exported(hostile_study, tmp_path):
    with warnings.catch_warnings():
        # Optuna warns of names and categories that it takes all the same.
        warnings.simplefilter("ignore")
        _, trials = exported(hostile_study, tmp_path)
    assert len(trials) == len(hostile_study.trials)
    failed = sum(trial.state is OptunaState.FAIL for trial in trials)
    assert failed >= len(hostile_study.in_state(TrialState.FAILED))
    for frame in (trials_frame(hostile_study), curves_frame(hostile_study)):
        read = pd.read_parquet(io.BytesIO(parquet_of(frame)))
        assert list(read.columns) == list(frame.columns)
        assert len(read) == len(frame)


def test_an_export_is_replaced_as_a_whole(make_study, make_trial, tmp_path):
    exported(make_study(make_trial(0, [0.1])), tmp_path)
    _, trials = exported(make_study(make_trial(0, [0.1]), make_trial(1, [0.2])), tmp_path)
    assert len(trials) == 2


@pytest.mark.parametrize("metric", ["loss", "other"])
def test_curves_have_a_row_per_report(make_study, make_trial, metric):
    study = make_study(make_trial(0, [0.9, 0.5]), make_trial(2, [0.7], others={"other": 3.0}))
    frame = curves_frame(study)
    assert frame["trial"].tolist() == [0, 0, 2]
    assert frame["iteration"].tolist() == [1, 2, 1]
    wanted = {"loss": [0.9, 0.5, 0.7], "other": [None, None, 3.0]}[metric]
    pd.testing.assert_series_equal(
        frame[f"metrics.{metric}"], pd.Series(wanted, dtype="float64"), check_names=False
    )
