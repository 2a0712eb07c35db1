"""Every scale is reversible, reaches both ends and never leaves its bounds."""

import pytest
from hypothesis import given, strategies as st

from hpo_app.plan.search_space import Choice, Integer, Normal, Real, SearchSpace, default_of


FLAT = Real(-2.0, 3.0)
LOG = Real(1e-5, 1e-1, is_log=True)
STEPS = Real(0.1, 0.7, step=0.2)
LOG_STEPS = Real(0.5, 8.0, is_log=True, step=0.5)
COUNT = Integer(1, 20)
LOG_COUNT = Integer(1, 1024, is_log=True)
EVENS = Integer(2, 11, step=2)
ORDINAL = Choice((8, 16, 32), is_ordered=True)
CHOICE = Choice(("a", None, 1, True, [1, 2], {"k": 3}))
NORMAL = Normal(0.0, 2.0)
CUT_NORMAL = Normal(0.0, 1.0, low=-1.0, high=0.5)

EVERY = {
    "flat": FLAT,
    "log": LOG,
    "steps": STEPS,
    "log_steps": LOG_STEPS,
    "count": COUNT,
    "log_count": LOG_COUNT,
    "evens": EVENS,
    "ordinal": ORDINAL,
    "choice": CHOICE,
    "normal": NORMAL,
    "cut_normal": CUT_NORMAL,
}
BOUNDED = {name: item for name, item in EVERY.items() if isinstance(item, Real | Integer)}


@pytest.mark.parametrize("parameter", EVERY.values(), ids=EVERY)
@given(position=st.floats(0.0, 1.0))
def test_every_position_gives_a_value_that_the_parameter_contains(parameter, position):
    assert parameter.contains(parameter.at(position))


@pytest.mark.parametrize("parameter", EVERY.values(), ids=EVERY)
@given(position=st.floats(0.0, 1.0))
def test_the_position_of_a_value_leads_back_to_the_value(parameter, position):
    value = parameter.at(position)
    again = parameter.at(parameter.position(value))
    assert again == (pytest.approx(value, abs=1e-3) if isinstance(value, float) else value)


@pytest.mark.parametrize("parameter", BOUNDED.values(), ids=BOUNDED)
def test_both_ends_of_a_range_are_reached(parameter):
    steps = getattr(parameter, "step", None)
    top = parameter.high if steps is None else parameter.at(1.0)
    assert parameter.at(0.0) == pytest.approx(parameter.low)
    assert parameter.at(1.0) == pytest.approx(top)
    assert top > parameter.low


@pytest.mark.parametrize(("low", "high"), [(1e-5, 1e-2), (1e-4, 1e-1), (1e-2, 0.5)])
def test_the_upper_end_is_what_was_written(low, high):
    assert Real(low, high, is_log=True).at(1.0) == high


def test_a_range_ends_at_its_last_whole_step():
    assert EVENS.at(1.0) == 10
    assert STEPS.at(1.0) == pytest.approx(0.7)


def test_a_value_on_a_step_stands_in_the_middle_of_its_share():
    assert [STEPS.position(value) for value in (0.1, 0.3, 0.5, 0.7)] == pytest.approx(
        [0.125, 0.375, 0.625, 0.875]
    )


def test_the_middle_of_a_logarithmic_scale_is_the_geometric_mean():
    assert LOG.at(0.5) == pytest.approx(1e-3)


def test_choices_tell_true_from_one():
    assert CHOICE.index(1) == 2
    assert CHOICE.index(True) == 3
    assert not CHOICE.contains(1.0)


def test_integers_refuse_booleans_fractions_and_values_between_steps():
    assert not COUNT.contains(True)
    assert not COUNT.contains(2.0)
    assert not EVENS.contains(3)


def test_a_default_that_is_none_counts_where_none_is_a_value():
    choice = Choice(("a", None), default=None, has_default=True)
    assert default_of(choice) is None
    assert SearchSpace({"x": choice}).has_defaults


def test_without_a_default_the_middle_stands_in():
    space = SearchSpace({"x": FLAT, "n": Integer(1, 9, default=2)})
    assert space.defaults == {"x": 0.5, "n": 2}
    assert not SearchSpace({"x": FLAT}).has_defaults
