"""Optuna's TPE, with a quarter of the complete trials for good: what changes, and what does not."""

import numpy as np
import optuna
import pytest
from optuna.samplers import TPESampler

from hpo_app.search.tpe import ParzenEstimator


SPACE = {
    "x": optuna.distributions.FloatDistribution(-1, 1),
    "y": optuna.distributions.FloatDistribution(-1, 1),
}


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def proposals(sampler, count=60, directions=("minimize",), complete_every=1):
    """Return what is proposed over a bowl, of which every so-manieth trial comes to its end."""
    study = optuna.create_study(sampler=sampler, directions=list(directions))
    found = []
    for number in range(count):
        trial = study.ask(SPACE)
        x, y = trial.params["x"], trial.params["y"]
        if number % complete_every:
            trial.report(x**2 + y**2 + 1, 1)
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, [x**2 + y**2, (x - 0.5) ** 2][: len(directions)])
        found.append((x, y))
    return np.array(found)


@pytest.mark.parametrize("complete_every", [1, 2])
def test_where_few_are_stopped_it_is_optunas(complete_every):
    optunas = proposals(TPESampler(seed=3), complete_every=complete_every)
    assert (proposals(ParzenEstimator(seed=3), complete_every=complete_every) == optunas).all()


def test_where_most_are_stopped_the_worst_of_those_that_were_not_are_not_good():
    def found(kind):
        runs = [proposals(kind(seed=seed), 80, complete_every=8)[30:] for seed in range(12)]
        return float(np.mean([np.linalg.norm(run, axis=1).mean() for run in runs]))

    assert found(ParzenEstimator) < 0.9 * found(TPESampler)


def test_trials_that_were_all_stopped_are_learnt_from():
    def late(kind):
        study = optuna.create_study(sampler=kind(seed=3))
        for _ in range(60):
            trial = study.ask(SPACE)
            trial.report(trial.params["x"] ** 2 + trial.params["y"] ** 2, 1)
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        return [trial.params for trial in study.trials]

    assert late(ParzenEstimator) == late(TPESampler)


def test_several_objectives_keep_optunas_number():
    both = ("minimize", "minimize")
    ours = proposals(ParzenEstimator(seed=3), 40, both, complete_every=1)
    assert (ours == proposals(TPESampler(seed=3), 40, both)).all()


def test_those_that_break_a_constraint_are_no_good_ones():
    def last(kind):
        study = optuna.create_study(sampler=kind(seed=3))
        for number in range(40):
            trial = study.ask(SPACE)
            value = trial.params["x"] ** 2 + trial.params["y"] ** 2
            trial.set_constraint("speed", 1.0)
            if number % 4:
                trial.report(value, 1)
                study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            else:
                study.tell(trial, value)
        return study.ask(SPACE).params

    # Where no complete trial keeps it, the number is Optuna's.
    assert last(ParzenEstimator) == last(TPESampler)
