"""What Tune looks at does not grow with the trials that have ended."""

import itertools
from types import SimpleNamespace

import pytest
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, HyperBandScheduler

from hpo_app.tuning.alive import AliveTrials
from hpo_app.tuning.lean import LeanTrial, look_at_alive_only


def alive_with(*states):
    alive = AliveTrials()
    for number, status in enumerate(states):
        alive.begin(number)
        alive.hold(SimpleNamespace(trial_id=str(number), status=status))
    return alive


ALL_STATES = list(itertools.product(["PENDING", "PAUSED", "RUNNING"], repeat=3))


@pytest.mark.parametrize("kind", [FIFOScheduler, AsyncHyperBandScheduler])
@pytest.mark.parametrize("states", ALL_STATES, ids="-".join)
def test_a_scheduler_chooses_as_tune_does(kind, states):
    alive, scheduler = alive_with(*states), kind()
    trials = list(alive.held.values())
    everything = SimpleNamespace(get_trials=lambda: trials)
    as_tune_does = scheduler.choose_trial_to_run(everything)
    look_at_alive_only(scheduler, alive)
    assert scheduler.choose_trial_to_run(None) is as_tune_does


def test_trials_that_ended_are_not_looked_at():
    scheduler, alive = FIFOScheduler(), alive_with("PENDING", "PENDING")
    look_at_alive_only(scheduler, alive)
    alive.end(0)
    assert scheduler.choose_trial_to_run(None).trial_id == "1"


def test_a_scheduler_with_a_choice_of_its_own_keeps_it():
    scheduler = HyperBandScheduler()
    own = scheduler.choose_trial_to_run
    look_at_alive_only(scheduler, AliveTrials())
    assert scheduler.choose_trial_to_run == own


def test_a_trial_keeps_its_last_report_and_no_statistics():
    trial = LeanTrial("nobody looks it up", trial_id="000001")
    for value in (3.0, 2.0):
        trial.update_last_result({"metrics": {"loss": value}, "training_iteration": 1})
    assert trial.last_result["metrics"] == {"loss": 2.0}
    assert not trial.metric_analysis
    assert trial.get_json_state() == ("{}", "{}")
