"""A run ends when it has found what it was started for, and says so."""

import random
from dataclasses import replace
from types import SimpleNamespace

import pytest

from hpo_app.plan.criteria import Criteria
from hpo_app.plan.read_space import read_space
from hpo_app.plan.run_plan import Mode, Objective, Stop
from hpo_app.study.fresh import FIRST_FRESH, Fresh, Kind
from hpo_app.study.records import Report, TrialRecord, TrialState
from hpo_app.tuning import stopping
from hpo_app.tuning.stopping import StopRules


SPACE, _ = read_space({"x": {"type": "uniform", "low": 0.0, "high": 1e6}})


def rules(mode=Mode.MAX, iterations=6, notice=print, is_population=False, averaged=1, **stop):
    plan = SimpleNamespace(
        stop=Stop(**stop),
        criteria=Criteria((Objective("reward", mode),), averaged=averaged),
        iterations=iterations,
        max_same_failures=3,
        space=SPACE,
        scheduler=SimpleNamespace(is_population=is_population),
    )
    return StopRules(plan, notice)


def trial(number, values, state=TrialState.FINISHED):
    reports = tuple(Report(at + 1, {"reward": value}, 0.0) for at, value in enumerate(values))
    return TrialRecord(number, {"x": float(number)}, state=state, reports=reports), state


@pytest.mark.parametrize(("mode", "good", "bad"), [(Mode.MAX, 476, 474), (Mode.MIN, 474, 476)])
def test_the_target_is_reached_by_a_whole_trial_only(mode, good, bad):
    looked = rules(mode, target=475)
    assert looked.ended(*trial(0, [bad] * 6)) == ""
    assert looked.ended(*trial(1, [good] * 2, TrialState.STOPPED)) == ""
    assert looked.ended(*trial(2, [good] * 6, TrialState.FAILED)) == ""
    assert looked.ended(*trial(3, [good] * 6, TrialState.INTERRUPTED)) == ""
    reached = f"trial 4 reached the target, reward {good}"
    assert looked.ended(*trial(4, [bad] * 5 + [good])) == reached


def test_where_a_mean_of_reports_counts_a_lucky_last_one_neither_reaches_a_target_nor_gains():
    lucky = [100, 100, 100, 100, 100, 500]
    assert rules(target=475).ended(*trial(0, lucky))
    looked = rules(target=475, averaged=3)
    assert looked.ended(*trial(0, lucky)) == ""
    reached = "trial 1 reached the target, reward 480, the mean of its last 3 reports"
    assert looked.ended(*trial(1, [470, 470, 470, 480, 490, 470])) == reached
    # The best by its mean comes last but for patience.
    steady = [[240] * 6, [250] * 6, [260] * 6, [270] * 6]
    ends = [rules(plateau=3, averaged=each) for each in (1, 3)]
    found = [
        [looked.ended(*trial(no, each)) for no, each in enumerate([lucky, *steady])]
        for looked in ends
    ]
    assert any(found[0])
    assert not any(found[1])


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


def test_the_noise_between_seeds_counts_where_it_is_known():
    # The same configuration four times, far apart, and curves without any noise of their own.
    def ends(*, repeated):
        looked = rules(plateau=3)
        for at, value in enumerate([0.0, 4.0, -4.0, 1.0]):
            again, state = trial(0 if repeated else at, [value] * 6)
            looked.ended(again, state)
        # Of the best so far, 4, each is better by half of that noise, or by some.
        return bool([looked.ended(*trial(10 + at, [4.0 + at * 0.4] * 6)) for at in range(4)][-1])

    assert ends(repeated=True)
    assert not ends(repeated=False)


def test_what_an_earlier_confirmation_tells_of_the_noise_counts():
    looked = rules(plateau=1)
    for place, value in enumerate([0.0, 4.0, -4.0, 1.0]):
        record, _ = trial(0, [value] * 6)
        looked.know(replace(record, number=FIRST_FRESH + place, fresh=Fresh(0, Kind.RACE, place)))
    assert looked.ended(*trial(0, [1.0] * 6)) == ""
    assert "the noise of 2.88" in looked.ended(*trial(1, [2.0] * 6))


def searched(looked, count, noise=0.05, best=0.3):
    """Random trials over a bowl; returns after how many the run may end, or None."""
    source = random.Random(0)
    for number in range(count):
        place = source.random()
        curve = [-((place - best) ** 2) + source.gauss(0.0, noise) for _ in range(6)]
        record, state = trial(number, curve)
        record = replace(record, params={"x": place * 1e6})
        if text := looked.ended(record, state) or looked.look():
            return number + 1, text
    return None, ""


def test_a_search_that_is_done_says_so_and_ends_where_it_is_asked_to(monkeypatch):
    # Looks that only say so are given up where a busy machine makes them slow.
    monkeypatch.setattr(stopping, "_FREE_S", 60.0)
    said = []
    assert searched(rules(notice=said.append), 80) == (None, "")
    assert len(said) == 1
    assert "which is below the noise of 0.05" in said[0].replace("0.049", "0.05")
    assert said[0].endswith("with stop.when_done=true a run ends there")
    ended, text = searched(rules(notice=said.append, when_done=True), 80)
    assert ended < 60
    assert text.startswith("further trials can be expected to gain ")
    assert len(said) == 1


def test_a_search_that_has_much_to_gain_goes_on():
    # No noise to speak of: what is left can be told apart.
    assert searched(rules(when_done=True), 60, noise=1e-6) == (None, "")


def test_a_population_is_not_looked_at():
    assert searched(rules(when_done=True, is_population=True), 60) == (None, "")


def test_of_an_earlier_start_the_last_looks_are_made_again():
    looked, source = rules(when_done=True), random.Random(0)
    for number in range(60):
        place = source.random()
        curve = [-((place - 0.3) ** 2) + source.gauss(0.0, 0.05) for _ in range(6)]
        record, state = trial(number, curve)
        looked.ended(replace(record, params={"x": place * 1e6}), state)
    assert looked.look(at_past=True).startswith("further trials")


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
