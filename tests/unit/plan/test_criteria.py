"""What a trial has to keep comes first, and how far it is beyond is one number."""

import pytest
from hypothesis import given, strategies as st

from hpo_app.plan.criteria import Constraint, Criteria
from hpo_app.plan.run_plan import Mode, Objective


LOSS, SCORE = Objective("loss", Mode.MIN), Objective("score", Mode.MAX)
CHEAP, SHARP = Constraint("ms", max=20), Constraint("accuracy", min=0.9)
numbers = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("constraint", "value", "excesses"),
    [
        pytest.param(CHEAP, 20, {"max": 0.0}, id="on the bound"),
        pytest.param(CHEAP, 25, {"max": 0.25}, id="a quarter above"),
        pytest.param(SHARP, 0.45, {"min": 0.5}, id="half below"),
        pytest.param(Constraint("ms", max=0), 3, {"max": 3.0}, id="above zero"),
        pytest.param(Constraint("ms", max=-4), -3, {"max": 0.25}, id="above a negative"),
        pytest.param(Constraint("ms", 10, 20), 5, {"min": 0.5, "max": -0.75}, id="of two"),
        pytest.param(Constraint("ms", max=-1e308), 1e308, {"max": 1e100}, id="beyond all floats"),
    ],
)
def test_an_excess_is_a_share_of_the_bound(constraint, value, excesses):
    assert constraint.excesses(value) == pytest.approx(excesses)


@pytest.mark.parametrize(
    ("constraint", "text"),
    [
        (CHEAP, "ms at most 20"),
        (SHARP, "accuracy at least 0.9"),
        (Constraint("ms", 1, 2.5), "ms from 1 to 2.5"),
    ],
    ids=str,
)
def test_a_constraint_says_what_it_asks_for(constraint, text):
    assert str(constraint) == text


def test_what_is_beyond_several_bounds_adds_up_and_is_named():
    criteria = Criteria((LOSS,), (CHEAP, SHARP))
    assert criteria.metrics == ("loss", "ms", "accuracy")
    report = {"loss": 1.0, "ms": 30.0, "accuracy": 0.45}
    assert criteria.violation(report) == pytest.approx(1.0)
    assert criteria.unmet(report) == (CHEAP, SHARP)
    assert criteria.unmet({**report, "ms": 10.0}) == (SHARP,)
    assert criteria.violation({**report, "ms": 1.0, "accuracy": 0.9}) == 0.0
    assert criteria.are_in(report)
    assert not criteria.are_in({"loss": 1.0, "ms": 1.0})


def test_a_metric_with_two_parts_to_play_is_asked_for_once():
    assert Criteria((SCORE,), (Constraint("score", min=0.5), CHEAP)).metrics == ("score", "ms")


@pytest.mark.parametrize("objective", [LOSS, SCORE], ids=["min", "max"])
@given(sound=numbers, ms=numbers, worse=numbers)
def test_who_compares_one_number_sees_sound_trials_first_and_the_nearest_next(
    objective, sound, ms, worse
):
    criteria = Criteria((objective,), (CHEAP,))

    def judged(value, ms):
        return objective.sign * criteria.judged({objective.metric: value, "ms": ms})

    largest = 1e140  # What is larger is no value that anybody trains for.
    value = min(max(sound, -largest), largest)
    assert judged(value, min(ms, 20.0)) == objective.sign * value
    beyond = max(ms, 21.0)
    assert judged(worse, beyond) < judged(value, 20.0)
    assert judged(worse, beyond) >= judged(value, max(beyond, 2 * beyond))
