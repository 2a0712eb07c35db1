"""Few trials are proposed by a Gaussian process, many by TPE, and nobody has to choose."""

import sys

import optuna
import pytest

from hpo_app.plan.criteria import Criteria
from hpo_app.plan.read_space import read_space
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.search.auto import AutoSampler
from hpo_app.search.engine import Outcome
from hpo_app.search.gaussian import GaussianProcess
from hpo_app.search.optuna_engine import OptunaEngine
from hpo_app.study.records import Report, TrialState


LOSS = Criteria((Objective("loss", Mode.MIN),))
BOTH = Criteria((Objective("loss", Mode.MIN), Objective("cost", Mode.MIN)))


def proposals(sampler, count, criteria=LOSS):
    """Return what is proposed where every third trial is stopped early."""
    space, _ = read_space({name: {"type": "uniform", "low": -5, "high": 5} for name in "xy"})
    engine, found = OptunaEngine(space, criteria, sampler), []
    for number in range(count):
        params = engine.propose(number)
        found.append(params)
        loss = (params["x"] - 1.5) ** 2 + abs(params["y"])
        state = TrialState.STOPPED if number % 3 == 2 else TrialState.FINISHED
        engine.tell(number, Outcome(state, [Report(1, {"loss": loss, "cost": -loss}, 0.0)]))
    return found


def test_the_first_trials_are_those_of_a_gaussian_process():
    expected = proposals(GaussianProcess(seed=3, n_startup_trials=5), 12)
    found = proposals(AutoSampler(seed=3, n_gp_trials=10), 12)
    assert found[:10] == expected[:10]
    assert found[10:] != expected[10:]


def test_of_several_objectives_all_are_those_of_tpe():
    tpe = optuna.samplers.TPESampler(seed=3, n_startup_trials=5)
    assert proposals(AutoSampler(seed=3), 15, BOTH) == proposals(tpe, 15, BOTH)


@pytest.mark.parametrize("missing", ["torch", "scipy"])
def test_without_its_packages_tpe_goes_alone_and_says_so(monkeypatch, missing):
    expected = proposals(AutoSampler(seed=3, n_gp_trials=0), 9)
    monkeypatch.setitem(sys.modules, missing, None)
    sampler = AutoSampler(seed=3)
    assert proposals(sampler, 9) == expected
    assert f"because {missing} is not installed" in sampler.note
    assert 'pip install "hpo_app[gp]"' in sampler.note


def test_both_draw_anew_when_told_to():
    sampler = AutoSampler(seed=3)
    sampler.reseed_rng()
    assert proposals(sampler, 3) != proposals(AutoSampler(seed=3), 3)


def test_its_process_keeps_to_one_thread_and_leaves_the_others_as_they_were():
    torch = pytest.importorskip("torch")
    before, seen = torch.get_num_threads(), []

    class Looking(AutoSampler):
        def sample_relative(self, *arguments):
            seen.append(torch.get_num_threads())
            return super().sample_relative(*arguments)

    torch.set_num_threads(2)
    try:
        proposals(Looking(seed=3), 7)
        assert set(seen) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
