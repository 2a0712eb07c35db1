"""The study that a journal tells of."""

from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.study.fresh import Race
from hpo_app.study.journal import FILE_NAME, SCHEMA_VERSION, Journal
from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study


OPENED = {
    "schema": SCHEMA_VERSION,
    "run_id": "r",
    "metric": "loss",
    "mode": "min",
    "space": {"x": {"type": "uniform", "low": 0, "high": 1}},
    "num_trials": 3,
    "iterations": 4,
    "seed": 7,
}


def study_of(folder, *events):
    journal = Journal.create(folder / FILE_NAME)
    journal.append("opened", **OPENED)
    for name, fields in events:
        journal.append(name, **fields)
    journal.close()
    return load_study(folder)


def asked(number, **params):
    fields = {"trial": number, "params": params, "is_default": number == 0, "seed": number + 10}
    return ("asked", fields)


def reported(number, iteration, loss):
    return ("reported", {"trial": number, "iteration": iteration, "metrics": {"loss": loss}})


def ended(number, state, **more):
    return ("ended", {"trial": number, "state": state, "told": "COMPLETE", **more})


def test_a_trial_from_question_to_end(tmp_path):
    study = study_of(
        tmp_path,
        asked(0, x=0.5),
        ("started", {"trial": 0}),
        reported(0, 1, 3.0),
        reported(0, 2, 2.0),
        ("checkpointed", {"trial": 0, "path": "trials/0/checkpoint_000001"}),
        ended(0, "finished"),
        ("closed", {"reason": "all 3 trials ended"}),
    )
    (trial,) = study.trials
    assert study.objective == Objective("loss", Mode.MIN)
    assert study.stop_reason == "all 3 trials ended"
    assert trial.state is TrialState.FINISHED
    assert trial.params == {"x": 0.5}
    assert trial.curve("loss") == [(1, 3.0), (2, 2.0)]
    assert trial.value("loss") == 2.0
    assert trial.checkpoint == "trials/0/checkpoint_000001"
    assert trial.duration_s >= 0
    assert study.default is trial


def test_a_retried_trial_keeps_one_report_per_iteration(tmp_path):
    study = study_of(
        tmp_path,
        asked(0, x=0.5),
        *[reported(0, iteration, 9.0) for iteration in (1, 2, 3)],
        ("retried", {"trial": 0, "error": "boom"}),
        reported(0, 2, 5.0),
    )
    (trial,) = study.trials
    assert trial.curve("loss") == [(1, 9.0), (2, 5.0)]
    assert trial.retries == 1
    assert trial.state is TrialState.RUNNING


def cloned(number, source, iteration, **params):
    path = f"trials/{source}/checkpoint_{iteration - 1:06d}"
    fields = {"source": source, "iteration": iteration, "params": params, "checkpoint": path}
    return ("cloned", {"trial": number, **fields})


def test_a_trial_has_no_value_between_a_clone_and_its_next_report(tmp_path):
    events = [
        asked(0, x=0.5),
        asked(1, x=0.8),
        *[reported(0, iteration, 9.0 - iteration) for iteration in (1, 2, 3)],
        cloned(0, 1, 2, x=0.9),
    ]
    (folder := tmp_path / "cut").mkdir()
    trial = study_of(folder, *events).trials[0]
    assert trial.params == {"x": 0.9}
    assert trial.is_untried
    assert trial.value("loss") is None
    assert trial.curve("loss") == [(1, 8.0), (2, 7.0)]
    assert trial.clones[0].checkpoint == "trials/1/checkpoint_000001"

    (folder := tmp_path / "went-on").mkdir()
    trial = study_of(folder, *events, reported(0, 3, 1.0)).trials[0]
    assert not trial.is_untried
    assert trial.value("loss") == 1.0
    assert trial.curve("loss") == [(1, 8.0), (2, 7.0), (3, 1.0)]


def test_the_default_is_remembered_as_it_was_before_its_first_clone(tmp_path):
    study = study_of(
        tmp_path,
        asked(0, x=0.5),
        asked(1, x=0.8),
        *[reported(0, iteration, 9.0 - iteration) for iteration in (1, 2, 3)],
        cloned(0, 1, 2, x=0.9),
        reported(0, 3, 1.0),
        cloned(0, 1, 3, x=0.7),
        reported(0, 4, 0.5),
    )
    assert study.default.params == {"x": 0.5}
    assert study.default.value("loss") == 6.0
    assert study.default.iterations == 3
    assert study.trials[0].value("loss") == 0.5


def test_what_a_failed_trial_reported_is_no_value(tmp_path):
    study = study_of(
        tmp_path, asked(0, x=0.5), reported(0, 1, 1.0), ended(0, "failed", error="Boom: no")
    )
    (trial,) = study.trials
    assert trial.value("loss") is None
    assert trial.error == "Boom: no"


def test_an_event_of_a_later_release_is_passed_over(tmp_path):
    study = study_of(tmp_path, asked(0, x=0.5), ("praised", {"trial": 0}))
    assert len(study.trials) == 1


def test_whoever_won_is_remembered_where_the_search_goes_on(tmp_path):
    race = Race((0,), 0, 3, 1, 3, 3, most_contenders=1, share=0.4)
    begun = [asked(0, x=1), reported(0, 1, 0.5), ended(0, "finished")]
    won = [*begun, ("raced", race.to_fields()), ("confirmed", {"winner": 0})]
    for name in ("won", "0", "1"):
        (tmp_path / name).mkdir()
    assert study_of(tmp_path / "won", *won).winner == 0
    cut_off = [*begun, asked(1, x=2), reported(1, 1, 0.4), ended(1, "interrupted"), *won[3:]]
    # A further trial, or one that was cut off and goes on, may be better.
    for place, more in enumerate([[*won, asked(1, x=2)], [*cut_off, reported(1, 2, 0.3)]]):
        study = study_of(tmp_path / str(place), *more)
        assert (study.race, study.winner, study.won_before) == (None, None, 0)
