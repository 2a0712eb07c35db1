"""Where a trial of an earlier start goes on from."""

import shutil
from types import SimpleNamespace

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


def truncated(folder):
    (folder / "state").write_bytes(b"whol")


def flipped(folder):
    content = bytearray((folder / "state").read_bytes())
    content[2] ^= 1
    (folder / "state").write_bytes(bytes(content))


def emptied(folder):
    (folder / "trial.json").write_bytes(b"")


DAMAGES = {"deleted": shutil.rmtree, "truncated": truncated, "flipped": flipped, "empty": emptied}


@pytest.fixture
def cut_off(tmp_path):
    """Build the past of two trials that were cut off, each with two checkpoints."""
    events = [("opened", OPENED)]
    for number in (0, 1):
        events.append(("asked", {"trial": number, "params": {}, "is_default": False, "seed": 1}))
        for iteration in (1, 2):
            path = f"trials/{number}/checkpoint_{iteration - 1:06d}"
            (tmp_path / path).mkdir(parents=True)
            (tmp_path / path / "state").write_bytes(b"whole")
            write_iteration(tmp_path / path, iteration)
            report = {"trial": number, "iteration": iteration, "metrics": {"loss": 1.0}}
            events.append(("reported", report))
            saved = {"trial": number, "path": path, "iteration": iteration}
            events.append(("checkpointed", saved))
    made = [Event(seq, float(seq), name, fields) for seq, (name, fields) in enumerate(events)]
    return lambda: Past(tmp_path, made).restarts()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_trial_whose_newest_checkpoint_is_damaged_goes_on_from_the_one_before(
    cut_off, tmp_path, damage
):
    damage(tmp_path / "trials" / "0" / "checkpoint_000001")
    first, second = cut_off()
    assert first.checkpoint == tmp_path / "trials" / "0" / "checkpoint_000000"
    assert (
        first.note == "trial 0 goes on from checkpoint_000000: damaged or missing checkpoint_000001"
    )
    assert second.checkpoint == tmp_path / "trials" / "1" / "checkpoint_000001"
    assert second.note == ""


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_only_the_trial_without_a_whole_checkpoint_starts_over(cut_off, tmp_path, damage):
    for index in (0, 1):
        damage(tmp_path / "trials" / "0" / f"checkpoint_{index:06d}")
    first, second = cut_off()
    assert first.checkpoint is None
    assert first.note.startswith("trial 0 starts over: damaged or missing checkpoint_000001")
    assert second.checkpoint is not None


def test_an_old_checkpoint_that_was_half_removed_is_nobodys_concern(cut_off, tmp_path):
    truncated(tmp_path / "trials" / "0" / "checkpoint_000000")
    first, _ = cut_off()
    assert first.checkpoint == tmp_path / "trials" / "0" / "checkpoint_000001"
    assert first.note == ""


def test_median_stopping_decides_after_a_kill_what_it_would_have_decided(tmp_path):
    from ray.tune.schedulers import MedianStoppingRule

    from hpo_app.tuning.past import remind

    def make():
        scheduler = MedianStoppingRule("iteration", grace_period=1, min_samples_required=3)
        scheduler.set_search_properties("judged", "min")
        return scheduler

    def events():
        yield "opened", OPENED
        for number in range(4):
            yield "asked", {"trial": number, "params": {}, "is_default": False, "seed": number}
            for iteration in range(1, 4):
                metrics = {"loss": float(number)}
                yield "reported", {"trial": number, "iteration": iteration, "metrics": metrics}
            if number < 3:
                yield "ended", {"trial": number, "state": "finished"}

    made = [Event(seq, float(seq), *event) for seq, event in enumerate(events())]
    reminded = make()
    # Trial 3 is worse than the median of the three before, and was cut off.
    assert remind(reminded, Past(tmp_path, made)) == {3}

    class Newcomer:
        trial_id = "000009"

    report = {"iteration": 3, "judged": 2.5}
    assert reminded.on_trial_result(None, Newcomer(), report) == "STOP"
    good = {"iteration": 3, "judged": 0.5}
    assert reminded.on_trial_result(None, Newcomer(), good) == "CONTINUE"


def median_of(events, tmp_path, **settings):
    from hpo_app.tuning.median import MedianStopping
    from hpo_app.tuning.past import remind

    scheduler = MedianStopping("iteration", grace_period=1, min_samples_required=1, **settings)
    scheduler.set_search_properties("judged", "min")
    made = [Event(seq, float(seq), *event) for seq, event in enumerate(events)]
    remind(scheduler, Past(tmp_path, made))
    return scheduler


def reported(number, *values):
    yield "asked", {"trial": number, "params": {}, "is_default": False, "seed": number}
    for iteration, value in enumerate(values, start=1):
        metrics = {"loss": value}
        yield "reported", {"trial": number, "iteration": iteration, "metrics": metrics}


def test_median_stopping_knows_a_trial_that_goes_on_by_what_it_reported_before(tmp_path):
    events = [("opened", OPENED), *reported(0, 2.0, 2.0, 2.0, 2.0), *reported(1, 1.0, 3.0)]
    scheduler = median_of(events, tmp_path)
    trial = SimpleNamespace(trial_id="000001", status="RUNNING")
    goes_on = type("Trial", (), vars(trial))()
    scheduler.on_trial_add(None, goes_on)
    # Its best is 1, of before; and it is no other trial that it would be compared with.
    report = {"iteration": 3, "judged": 3.0}
    assert scheduler.on_trial_result(None, goes_on, report) == "CONTINUE"
    assert len(scheduler._results) == 2


def test_median_stopping_pauses_nobody_for_a_trial_that_waits(tmp_path):
    scheduler = median_of([("opened", OPENED)], tmp_path)
    waiting = SimpleNamespace(get_live_trials=lambda: [SimpleNamespace(status="PENDING")])
    first = type("Trial", (), {"trial_id": "000000"})()
    scheduler.on_trial_add(waiting, first)
    report = {"iteration": 1, "judged": 3.0}
    assert scheduler.on_trial_result(waiting, first, report) == "CONTINUE"


def test_a_clock_that_begins_anew_where_a_run_goes_on_is_not_used():
    from hpo_app.config.compose import compose_config
    from hpo_app.config.parse import parse_plan
    from hpo_app.tuning.runner import _scheduler

    clock = "scheduler.time_attr=training_iteration"
    plan = parse_plan(*compose_config(["search_space=quadratic", "scheduler=asha", clock]))
    assert _scheduler(plan)._time_attr == "iteration"
