"""What somebody may still need stays; everything else goes, the least needed first."""

import pytest

from hpo_app.tuning.kept import KeptCheckpoints


@pytest.fixture
def save(tmp_path):
    """Make a checkpoint of a trial, and return its folder."""

    def make(number, index, size=1000):
        folder = tmp_path / str(number) / f"checkpoint_{index:06d}"
        folder.mkdir(parents=True)
        (folder / "state").write_bytes(b"x" * size)
        return folder

    return make


@pytest.fixture
def left(tmp_path):
    """Return which checkpoints are on disk, as `{trial: [index, …]}`."""

    def look():
        found = {}
        for path in sorted(tmp_path.glob("*/checkpoint_*")):
            found.setdefault(int(path.parent.name), []).append(int(path.name[-6:]))
        return found

    return look


def standing(value, number):
    return (-9, value, value, number)


def test_of_a_trial_that_trains_the_newest_and_one_in_reserve_stay(save, left):
    kept = KeptCheckpoints(keep_best=1)
    for index in range(5):
        newest = save(0, index)
        kept.add(0, str(newest))
    kept.add(0, str(newest))  # Tune tells of some twice.
    kept.clean()
    assert left() == {0: [3, 4]}


def test_of_trials_that_ended_only_the_last_one_of_the_best_stays(save, left):
    kept = KeptCheckpoints(keep_best=2)
    for number, value in enumerate([3.0, 1.0, 4.0, 2.0]):
        for index in range(3):
            kept.add(number, str(save(number, index)))
        kept.ended(number, standing(value, number))
    kept.clean()
    assert left() == {1: [2], 3: [2]}


def test_of_one_that_is_no_longer_among_the_best_nothing_stays(save, left):
    kept = KeptCheckpoints(keep_best=9)
    for number in range(3):
        kept.add(number, str(save(number, 0)))
        kept.ended(number, standing(1.0, number))
    kept.beaten(1)
    kept.clean()
    assert left() == {0: [0], 2: [0]}
    kept.beaten(1)
    kept.beaten(7)
    kept.clean()
    assert left() == {0: [0], 2: [0]}


def test_nothing_stays_of_a_trial_that_failed_or_where_nothing_is_to_be_kept(save, left):
    kept = KeptCheckpoints(keep_best=1)
    kept.add(0, str(save(0, 0)))
    kept.ended(0, None)
    kept.clean()
    assert left() == {}
    kept = KeptCheckpoints(keep_best=0)
    kept.add(1, str(save(1, 0)))
    kept.ended(1, standing(0.0, 1))
    kept.clean()
    assert left() == {}


def test_what_a_clone_goes_on_from_stays_until_it_has_its_own(save, left):
    kept = KeptCheckpoints(keep_best=0)
    kept.add(0, str(save(0, 0)))
    source = save(1, 0)
    kept.add(1, str(source))
    kept.copied(0, str(source))
    for index in range(1, 4):
        kept.add(1, str(save(1, index)))
    kept.ended(1, standing(0.0, 1))
    kept.clean()
    assert left() == {0: [0], 1: [0]}
    kept.add(0, str(save(0, 1)))
    kept.clean()
    assert left() == {0: [0, 1]}


def test_what_the_scheduler_may_copy_stays_until_it_may_no_longer(save, left):
    kept = KeptCheckpoints(keep_best=1)
    first = save(0, 0)
    in_use = {str(first)}
    kept.is_copied = in_use.__contains__
    kept.add(0, str(first))
    for index in range(1, 4):
        kept.add(0, str(save(0, index)))
    kept.clean()
    assert left() == {0: [0, 2, 3]}
    in_use.clear()
    kept.add(0, str(save(0, 4)))
    kept.clean()
    assert left() == {0: [3, 4]}


def test_nothing_goes_before_it_is_said(save, left):
    kept = KeptCheckpoints(keep_best=0)
    for index in range(3):
        kept.add(0, str(save(0, index)))
    kept.ended(0, None)
    assert left() == {0: [0, 1, 2]}
    kept.clean()
    assert left() == {}


def test_those_of_an_earlier_start_count(save, left, tmp_path):
    for number in range(3):
        for index in range(4):
            save(number, index)
    kept = KeptCheckpoints(keep_best=1)
    for number in range(3):
        base = tmp_path / "2" / "checkpoint_000002" if number == 2 else None
        kept.take_over(number, tmp_path / str(number), base)
    kept.ended(0, standing(1.0, 0))
    kept.ended(1, standing(0.5, 1))
    # The newest of trial 2 is damaged: it goes on from the one before.
    kept.clean()
    assert left() == {1: [3], 2: [2, 3]}
    kept.add(2, str(save(2, 4)))
    kept.clean()
    assert left() == {1: [3], 2: [3, 4]}


def test_a_budget_takes_reserves_first_and_then_the_worst_of_the_best(save, left):
    kept = KeptCheckpoints(keep_best=3, budget_bytes=4500)
    for number, value in enumerate([2.0, 3.0, 1.0]):
        kept.add(number, str(save(number, 0)))
        kept.ended(number, standing(value, number))
    kept.add(3, str(save(3, 0)))
    assert kept.clean() == ("", "")
    kept.add(3, str(save(3, 1)))
    note, reason = kept.clean()
    assert "the least needed first" in note
    assert reason == ""
    assert left() == {0: [0], 1: [0], 2: [0], 3: [1]}
    kept.add(3, str(save(3, 2, size=2000)))
    assert kept.clean() == ("", "")  # Said once.
    assert left() == {0: [0], 2: [0], 3: [2]}


def test_a_budget_that_the_trials_that_train_exceed_ends_the_run(save, left):
    kept = KeptCheckpoints(keep_best=1, budget_bytes=2500)
    for number in range(3):
        kept.add(number, str(save(number, 0)))
    _, reason = kept.clean()
    assert reason == (
        "checkpoints.budget_gb is too small: what the trials would go on from takes 3.0 kB, "
        "more than 2.5 kB"
    )
    kept.clean()
    assert left() == {0: [0], 1: [0], 2: [0]}


def test_thousands_of_trials_that_ended_are_forgotten(save):
    kept = KeptCheckpoints(keep_best=1)
    for number in range(300):
        kept.add(number, str(save(number, 0)))
        kept.ended(number, standing(float(number), number))
        kept.clean()
    assert len(kept._trials) == 1
