"""With several objectives, the checkpoints of the Pareto front stay."""

from types import SimpleNamespace

import pytest

from hpo_app.plan.criteria import Criteria
from hpo_app.plan.run_plan import Checkpoints, Mode, Objective
from hpo_app.study.records import TrialState
from hpo_app.tuning.storage import RunStorage
from hpo_app.tuning.store import Store


@pytest.fixture
def storage_in(tmp_path):
    def make(keep_best):
        both = (Objective("loss", Mode.MIN), Objective("cost", Mode.MIN))
        plan = SimpleNamespace(
            criteria=Criteria(both),
            checkpoints=Checkpoints(keep_best, budget_gb=None),
            scheduler=SimpleNamespace(does_pause=False),
            num_trials=9,
            iterations=1,
        )
        storage = RunStorage(plan, Store(tmp_path), lambda _: None, lambda _: None)
        storage._is_first = False
        return storage

    return make


@pytest.mark.parametrize(("keep_best", "kept"), [(1, ["1", "3"]), (0, [])])
def test_what_is_on_the_front_stays_and_what_is_beaten_goes(
    storage_in, make_trial, tmp_path, keep_best, kept
):
    storage = storage_in(keep_best)
    for number, (loss, cost) in enumerate([(0.5, 0.5), (0.1, 0.9), (0.2, 0.95), (0.4, 0.4)]):
        path = tmp_path / "trials" / str(number) / "checkpoint_000000"
        path.mkdir(parents=True)
        storage.checkpoints.add(number, str(path))
        storage.ended(make_trial(number, [loss], others={"cost": cost}), TrialState.FINISHED)
        storage.tidy()
    assert sorted(path.parent.name for path in tmp_path.glob("trials/*/checkpoint_*")) == kept
