"""The searcher proposes the default first, and tells Optuna what really happened."""

import statistics

import optuna
import pytest
from optuna.trial import TrialState as OptunaState

from hpo_app.plan.read_space import read_space
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.search.searcher import Searcher
from hpo_app.study.records import TrialState


LOSS = Objective("loss", Mode.MIN)


def make(sampler=None, **fields):
    space, problems = read_space({"x": {"type": "uniform", "low": -5, "high": 5, **fields}})
    assert problems == []
    return Searcher(space, LOSS, sampler or optuna.samplers.RandomSampler(seed=1))


def test_trial_0_is_the_default_configuration():
    searcher = make(default=2.0)
    assert searcher.ask() == (0, {"x": 2.0}, True)
    number, params, is_default = searcher.ask()
    assert (number, is_default) == (1, False)
    assert params["x"] != 2.0


def test_without_a_default_trial_0_is_drawn():
    assert make().ask()[2] is False


def test_the_same_seed_proposes_the_same():
    first, second = make(), make()
    assert [first.ask() for _ in range(5)] == [second.ask() for _ in range(5)]


@pytest.mark.parametrize(
    ("state", "curve", "told", "value"),
    [
        pytest.param(
            TrialState.FINISHED, [(1, 3.0), (2, 2.0)], OptunaState.COMPLETE, 2.0, id="finished"
        ),
        pytest.param(TrialState.STOPPED, [(1, 3.0)], OptunaState.PRUNED, 3.0, id="stopped"),
        pytest.param(TrialState.INTERRUPTED, [(1, 3.0)], OptunaState.PRUNED, 3.0, id="cut off"),
        pytest.param(TrialState.FAILED, [(1, 3.0)], OptunaState.FAIL, None, id="failed"),
        pytest.param(TrialState.INTERRUPTED, [], OptunaState.FAIL, None, id="nothing reported"),
    ],
)
def test_optuna_is_told_the_truth(state, curve, told, value):
    searcher = make()
    number, _, _ = searcher.ask()
    assert searcher.tell(number, state, curve) == told.name
    (trial,) = searcher._study.get_trials()
    assert trial.state is told
    assert trial.value == value
    assert trial.intermediate_values == dict(curve)


def test_a_model_proposes_better_points_than_its_random_start():
    searcher = make(optuna.samplers.TPESampler(seed=0))
    losses = []
    for _ in range(40):
        number, params, _ = searcher.ask()
        loss = (params["x"] - 1.5) ** 2
        losses.append(loss)
        searcher.tell(number, TrialState.FINISHED, [(1, loss)])
    assert statistics.median(losses[-10:]) < statistics.median(losses[:10])
