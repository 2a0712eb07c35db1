"""A run ends when it has found what it was started for, and says so."""

from types import SimpleNamespace

import pytest

from hpo_app.plan.criteria import Criteria
from hpo_app.plan.run_plan import Mode, Objective, Stop
from hpo_app.study.records import Report, TrialRecord, TrialState
from hpo_app.tuning.stopping import StopRules


def rules(mode=Mode.MAX, iterations=6, **stop):
    plan = SimpleNamespace(
        stop=Stop(**stop),
        criteria=Criteria((Objective("reward", mode),)),
        iterations=iterations,
        max_same_failures=3,
    )
    return StopRules(plan)


def trial(number, values, state=TrialState.FINISHED):
    reports = tuple(Report(at + 1, {"reward": value}, 0.0) for at, value in enumerate(values))
    return TrialRecord(number, {}, state=state, reports=reports), state


@pytest.mark.parametrize(("mode", "good", "bad"), [(Mode.MAX, 476, 474), (Mode.MIN, 474, 476)])
def test_the_target_is_reached_by_a_whole_trial_only(mode, good, bad):
    looked = rules(mode, target=475)
    assert looked.ended(*trial(0, [bad] * 6)) == ""
    assert looked.ended(*trial(1, [good] * 2, TrialState.STOPPED)) == ""
    assert looked.ended(*trial(2, [good] * 6, TrialState.FAILED)) == ""
    assert looked.ended(*trial(3, [good] * 6, TrialState.INTERRUPTED)) == ""
    reached = f"trial 4 reached the target, reward {good}"
    assert looked.ended(*trial(4, [bad] * 5 + [good])) == reached


def test_a_plateau_is_so_many_trials_without_a_better_one():
    looked = rules(plateau=3)
    for number, value in enumerate([1, 2, 2, 2]):
        assert looked.ended(*trial(number, [value] * 6)) == ""
    text = "the last 3 trials brought no gain beyond the noise of 0"
    assert looked.ended(*trial(4, [2] * 6)) == text


def test_a_gain_within_the_noise_is_none():
    # Each trial ends a little better than the one before; in one run its curve shakes.
    def ends(shake):
        looked = rules(plateau=4)
        found = []
        for number in range(12):
            level = 0.05 * number
            curve = [level - shake, level, level - shake, level, level - shake, level]
            found += [number] * bool(looked.ended(*trial(number, curve)))
        return found

    assert ends(shake=0.0) == []
    assert ends(shake=1.0)[0] == 4


def test_small_gains_that_add_up_to_more_than_the_noise_are_one():
    looked = rules(plateau=4)
    for number in range(30):
        level = 0.5 * number
        curve = [level - 1, level, level - 1, level, level - 1, level]
        assert looked.ended(*trial(number, curve)) == ""


def test_a_steady_climb_is_no_noise():
    looked = rules(plateau=2)
    for number in range(10):
        climb = [number * 0.5 + step for step in range(6)]
        assert looked.ended(*trial(number, climb)) == ""


def test_without_rules_nothing_ends():
    looked = rules()
    assert [looked.ended(*trial(number, [9e9] * 6)) for number in range(50)] == [""] * 50


def test_the_first_trials_that_fail_alike_end_the_run_and_later_ones_do_not():
    def fails(looked, number, error):
        return looked.ended(*trial(number, [], TrialState.FAILED), error)

    looked = rules()
    assert fails(looked, 0, "ValueError: lr=0.1") == ""
    assert fails(looked, 1, "TypeError: no") == ""
    assert fails(looked, 2, "ValueError: lr=0.2") == ""
    assert fails(looked, 3, "ValueError: lr=0.3").startswith("the first 3 trials failed alike")
    looked = rules()
    assert looked.ended(*trial(0, [1.0] * 6)) == ""
    assert [fails(looked, number, "ValueError: no") for number in range(1, 9)] == [""] * 8


def test_values_too_far_apart_to_subtract_tell_no_noise():
    looked = rules(plateau=1)

    assert looked.ended(*trial(0, [1e308, -1e308] * 3)) == ""
    assert "the noise of 0" in looked.ended(*trial(1, [-1e308] * 6))
