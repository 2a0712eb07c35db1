"""Where a trial of an earlier start goes on from."""

import pytest

from hpo_app.study.journal import Event
from hpo_app.training.checkpoint import write_iteration
from hpo_app.tuning.past import Past


OPENED = {
    "run_id": "r",
    "metric": "loss",
    "mode": "min",
    "space": {},
    "num_trials": 2,
    "iterations": 8,
    "seed": 7,
}
COPIED = "trials/1/checkpoint_000003"
OWN = "trials/0/checkpoint_000001"


@pytest.fixture
def past(tmp_path):
    """Build the past of a population whose member 0 took over the state of member 1."""
    for path, iteration in ((OWN, 2), (COPIED, 4), ("trials/0/checkpoint_000002", 5)):
        (tmp_path / path).mkdir(parents=True)
        write_iteration(tmp_path / path, iteration)

    def build(*later):
        report = {"trial": 0, "iteration": 2, "metrics": {"loss": 1.0}}
        clone = {"trial": 0, "source": 1, "iteration": 4, "params": {"x": 2}, "checkpoint": COPIED}
        events = [
            ("opened", OPENED),
            ("asked", {"trial": 0, "params": {"x": 1}, "is_default": True, "seed": 1}),
            ("reported", report),
            ("checkpointed", {"trial": 0, "path": OWN, "iteration": 2}),
            ("cloned", clone),
            *later,
        ]
        made = [Event(seq, float(seq), name, fields) for seq, (name, fields) in enumerate(events)]
        return Past(tmp_path, made)

    return build


def test_a_clone_that_was_cut_off_goes_on_from_the_state_that_it_copied(past, tmp_path):
    (restart,) = past().restarts()
    assert restart.record.params == {"x": 2}
    assert restart.checkpoint == tmp_path / COPIED
    assert restart.last_index == 2


def test_a_clone_with_a_checkpoint_of_its_own_goes_on_from_there(past, tmp_path):
    own = "trials/0/checkpoint_000002"
    (restart,) = past(
        ("reported", {"trial": 0, "iteration": 5, "metrics": {"loss": 0.5}}),
        ("checkpointed", {"trial": 0, "path": own, "iteration": 5}),
    ).restarts()
    assert restart.checkpoint == tmp_path / own


def test_a_clone_whose_copied_state_is_damaged_starts_over(past, tmp_path):
    (tmp_path / COPIED / "more").write_text("not in the checksums")
    (restart,) = past().restarts()
    assert restart.checkpoint is None
