"""Searchers of Ray Tune, asked for further trials while others are open."""

from __future__ import annotations

import pytest

from hpo_app.plan.read_space import read_space
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.search.engine import Outcome
from hpo_app.study.records import Report, TrialState
from hpo_app.tuning.ray_engine import RayEngine
from hpo_app.tuning.ray_searchers import nevergrad_search


pytest.importorskip("nevergrad")
LOSS = Objective("loss", Mode.MIN)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("num_trials", [20, 100, 300])
def test_nevergrad_waits_for_no_open_trial(num_trials):
    # Left to itself, NGOpt takes an optimizer that waits for the result of the last one here.
    fields = {"type": "uniform", "low": 0.0, "high": 1.0}
    space, _ = read_space({"x": fields, "y": fields})
    engine = RayEngine(space, LOSS, nevergrad_search("NGOpt", num_trials), seed=1)
    assert len({str(engine.propose(number)) for number in range(5)}) == 5


def test_nevergrads_own_model_of_the_values_is_used():
    fields = {"type": "uniform", "low": 0.0, "high": 1.0}
    space, _ = read_space({"x": fields, "y": fields})
    engine = RayEngine(space, LOSS, nevergrad_search("NGOpt", 30), seed=1)
    for number in range(30):
        params = engine.propose(number)
        report = Report(1, {"loss": (params["x"] - 0.3) ** 2 + params["y"]}, at_s=1.0)
        engine.tell(number, Outcome(TrialState.FINISHED, (report,)))
    assert params["x"] == pytest.approx(0.3, abs=0.2)


def test_an_optimizer_that_would_wait_is_refused():
    with pytest.raises(ValueError, match="Cobyla, which proposes one trial at a time"):
        nevergrad_search("Cobyla", 20)
