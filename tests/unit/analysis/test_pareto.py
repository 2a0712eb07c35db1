"""The Pareto front is what no other trial beats, and its most balanced member wins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, strategies as st

from hpo_app.analysis.best import rank
from hpo_app.analysis.pareto import Front, balance_order, beats, pareto_front
from hpo_app.plan.criteria import Constraint
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.study.records import TrialState


LOSS_AND_SPEED = (Objective("loss", Mode.MIN), Objective("speed", Mode.MAX))
values = st.one_of(st.integers(0, 4).map(float), st.floats(allow_nan=False, allow_infinity=False))


@pytest.fixture
def trial_at(make_trial):
    """Return a trial with a loss and a speed, trained for three iterations."""

    def at(number, loss, speed, **fields):
        return make_trial(number, [9.0, 9.0, loss], others={"speed": speed}, **fields)

    return at


def numbers(trials):
    return [trial.number for trial in trials]


def test_the_front_is_what_nobody_beats_by_the_first_objective(make_study, trial_at):
    study = make_study(
        trial_at(0, 0.5, 3.0),
        trial_at(1, 0.1, 1.0),
        trial_at(2, 0.5, 2.0),
        trial_at(3, 0.9, 9.0),
        trial_at(4, 0.1, 1.0),
        objectives=LOSS_AND_SPEED,
    )
    assert numbers(pareto_front(study)) == [1, 4, 0, 3]


@given(pairs=st.lists(st.tuples(values, values), max_size=12))
def test_a_front_kept_up_to_date_is_the_front_of_all(make_study, make_trial, pairs):
    trials = [
        make_trial(number, [loss], others={"speed": speed})
        for number, (loss, speed) in enumerate(pairs)
    ]
    study = make_study(*trials, objectives=LOSS_AND_SPEED)
    expected = {
        number
        for number, (loss, speed) in enumerate(pairs)
        if not any(
            other_loss <= loss
            and other_speed >= speed
            and (other_loss, other_speed) != (loss, speed)
            for other_loss, other_speed in pairs
        )
    }
    assert set(numbers(pareto_front(study))) == expected
    ranked = numbers(rank(study))
    assert sorted(ranked) == list(range(len(pairs)))
    assert set(ranked[: len(expected)]) == expected


def test_who_beats_whom_is_told_when_a_trial_comes_in(make_study, trial_at):
    front = Front(make_study(objectives=LOSS_AND_SPEED).criteria, full=3)
    assert front.add(trial_at(0, 0.5, 3.0)) == []
    assert front.add(trial_at(1, 0.6, 2.0)) == []
    assert 1 not in front
    assert front.add(trial_at(2, 0.9, 9.0)) == []
    assert front.add(trial_at(3, 0.4, 3.0)) == [0]
    assert front.add(trial_at(3, 0.4, 3.0)) == []
    assert numbers(front.members) == [3, 2]


def test_only_whole_trials_that_keep_the_constraints_are_on_the_front(
    make_study, make_trial, make_failed_trial, trial_at
):
    study = make_study(
        make_failed_trial(0),
        make_trial(1, [0.0, 0.1], others={"speed": 9.0}, state=TrialState.INTERRUPTED),
        trial_at(2, 0.2, 9.5),
        trial_at(3, 0.5, 3.0),
        make_trial(4, [0.0]),
        objectives=LOSS_AND_SPEED,
        constraints=(Constraint("speed", max=9.0),),
    )
    assert numbers(pareto_front(study)) == [3]
    assert numbers(rank(study)) == [3, 1, 2]
    at_its_end = trial_at(1, 0.1, 9.0, state=TrialState.INTERRUPTED)
    assert numbers(pareto_front(replace(study, trials=(at_its_end,)))) == [1]


def test_the_most_balanced_of_the_front_comes_first_whatever_the_units(make_study, trial_at):
    corners = [trial_at(0, 0.0, 0.0), trial_at(1, 1.0, 1e6)]
    middle = trial_at(2, 0.2, 8e5)
    study = make_study(*corners, middle, trial_at(3, 0.3, 7e5), objectives=LOSS_AND_SPEED)
    assert numbers(rank(study)) == [2, 0, 1, 3]


def test_an_order_of_nothing_of_equals_and_of_extremes_is_one():
    assert balance_order([]) == []
    assert balance_order([(1.0, 2.0)] * 2) == [(0, 0.0)] * 2
    ordered = balance_order([(1.7e308, -1.7e308), (-1.7e308, 1.7e308), (-1.7e308, -1.7e308)])
    assert ordered == [(0, 1.0), (0, 1.0), (2, pytest.approx(2**0.5))]


def test_to_beat_is_to_be_better_in_one_and_worse_in_none():
    assert beats((1.0, 2.0), (1.0, 1.0))
    assert not beats((1.0, 2.0), (1.0, 2.0))
    assert not beats((9.0, 1.0), (1.0, 2.0))
