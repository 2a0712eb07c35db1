"""How long a search takes, counted in iterations before it starts."""

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.plan.duration import (
    confirming_course,
    confirming_trainings,
    expected_course,
    full_course,
)


def plan_of(*overrides):
    return parse_plan(*compose_config(["search_space=quadratic", *overrides]))


ASHA = ("scheduler=asha", "training.iterations=27", "scheduler.grace_period=3")


def test_without_early_stopping_every_wave_is_as_long_as_a_trial():
    course = full_course(plan_of("num_trials=5", "training.iterations=10"), slots=2)
    assert (course.longest, course.total, course.searches) == (30, 50, 0)


def test_one_trial_is_never_stopped():
    course = expected_course(plan_of(*ASHA, "num_trials=1"), slots=4)
    assert (course.longest, course.total) == (27, 27)


def test_two_trials_after_each_other_meet_at_each_rung():
    # The second is worse than the first with one half, and then ends after 3 of 27 iterations.
    course = expected_course(plan_of(*ASHA, "num_trials=2"), slots=1)
    assert course.searches == 200
    assert course.total == pytest.approx(27 + (3 + 27) / 2, abs=3)  # Four standard errors.
    assert course.longest == course.total


def test_of_many_trials_one_in_the_factor_goes_on_at_each_rung():
    plan = plan_of(*ASHA, "num_trials=2000")
    course = expected_course(plan, slots=10)
    by_rungs = 3 + (9 - 3) / 3 + (27 - 9) / 9
    assert course.total / 2000 == pytest.approx(by_rungs, rel=0.05)
    assert course.total / 2000 > by_rungs  # The first at a rung go on with less to beat.
    assert course.longest == pytest.approx(course.total / 10, rel=0.05)


def test_brackets_that_begin_later_train_longer():
    one = expected_course(plan_of(*ASHA, "num_trials=100"), slots=1)
    three = expected_course(plan_of(*ASHA, "num_trials=100", "scheduler.brackets=3"), slots=1)
    assert one.total < three.total < 100 * 27


def test_the_slots_wait_for_the_last_trial():
    plan = plan_of(*ASHA, "num_trials=20")
    wide = expected_course(plan, slots=20)
    assert 0.9 * 27 < wide.longest <= 27
    assert wide.total < 20 * 27


@pytest.mark.parametrize(
    "overrides",
    [["scheduler=fifo"], ["scheduler=hyperband"], ["scheduler=pbt"], ["scheduler=median_stopping"]],
)
def test_what_is_not_known_is_not_claimed(overrides):
    assert expected_course(plan_of(*overrides), slots=2) is None


def test_the_confirmation_takes_its_share_and_the_claim_at_least():
    plan = plan_of("confirm=standard", "num_trials=40", "training.iterations=10")
    assert confirming_trainings(plan, spent=400) == int(40 * 0.4 / 0.6)
    assert confirming_trainings(plan, spent=10) == 6
    replayed = confirming_course(plan, spent=10, slots=4)
    assert (replayed.longest, replayed.total) == (30, 70)
    assert confirming_course(plan_of(), spent=400, slots=1).total == 0


def test_a_baseline_that_is_brought_twice_is_confirmed_once(tmp_path):
    (tmp_path / "mine.yaml").write_text("{x: 1.0, rate: 0.01, depth: 5, kind: smooth}")
    (tmp_path / "default.yaml").write_text("{x: 0.0, rate: 0.001, depth: 3, kind: rough}")
    mine, default = (f"'{tmp_path / name}.yaml'" for name in ("mine", "default"))
    # The claim is of the winner, the default and the baseline; winner and baseline race.
    once = plan_of("confirm=standard", f"baseline=[{mine}]")
    twice = plan_of("confirm=standard", f"baseline=[{mine},{mine}]")
    assert confirming_trainings(once, spent=0) == confirming_trainings(twice, spent=0) == 3 * 3 + 2
    known = plan_of("confirm=standard", f"baseline=[{default}]")
    assert confirming_trainings(known, spent=0) == 2 * 3 + 2
    # Its trainings come beside the share, so that they take no other contender's place.
    alone = plan_of("confirm=standard")
    of_share = confirming_trainings(alone, spent=400)
    assert confirming_trainings(once, spent=400) == of_share + 1 + 3
    assert confirming_trainings(known, spent=400) == of_share + 1
