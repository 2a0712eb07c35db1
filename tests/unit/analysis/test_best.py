from __future__ import annotations

from dataclasses import replace

from hypothesis import given, strategies as st

from hpo_app.analysis.best import best_trial, rank
from hpo_app.plan.criteria import Constraint
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.study.records import TrialState


def numbers(study):
    return [trial.number for trial in rank(study)]


def test_the_better_last_value_comes_first(make_study, make_trial):
    trials = [make_trial(0, [1.0, 3.0]), make_trial(1, [9.0, 2.0])]

    assert numbers(make_study(*trials)) == [1, 0]
    assert numbers(make_study(*trials, objective=Objective("loss", Mode.MAX))) == [0, 1]


def test_a_trial_that_was_trained_further_beats_a_lucky_early_value(make_study, make_trial):
    lucky = make_trial(0, [0.001], state=TrialState.STOPPED)
    steady = make_trial(1, [0.5, 0.4, 0.3])

    assert numbers(make_study(lucky, steady)) == [1, 0]


def test_a_trial_that_is_not_over_leads_if_it_is_ahead_wherever_both_reported(
    make_study, make_trial
):
    whole = make_trial(0, [0.9, 0.5, 0.3])
    for state in (TrialState.RUNNING, TrialState.INTERRUPTED):
        assert numbers(make_study(whole, make_trial(1, [0.6, 0.2], state=state))) == [1, 0]
        # Better than the other one's end, but it was not ahead of it; and the other way round.
        fast = make_trial(0, [0.1, 0.5, 0.3])
        assert numbers(make_study(fast, make_trial(1, [0.2], state=state))) == [0, 1]
        assert numbers(make_study(whole, make_trial(1, [0.4], state=state))) == [0, 1]
    over = make_trial(1, [0.6, 0.2], state=TrialState.STOPPED)
    assert numbers(make_study(whole, over)) == [0, 1]


def test_equal_last_values_are_told_apart_by_the_mean_then_by_the_number(make_study, make_trial):
    worse_on_the_way = make_trial(0, [0.9, 0.1])
    better_on_the_way = make_trial(1, [0.5, 0.1])
    likewise = make_trial(2, [0.5, 0.1])

    assert numbers(make_study(likewise, worse_on_the_way, better_on_the_way)) == [1, 2, 0]


def test_failed_trials_and_trials_without_a_value_are_left_out(
    make_study, make_trial, make_failed_trial
):
    crashed_late = make_trial(1, [0.1, 0.1, 0.1], state=TrialState.FAILED)
    silent = make_trial(2, state=TrialState.INTERRUPTED)
    other_metric = make_trial(3, [0.1], metric="accuracy")
    study = make_study(make_failed_trial(0), crashed_late, silent, other_metric)

    assert rank(study) == ()
    assert best_trial(study) is None


def test_running_and_interrupted_trials_count_with_what_they_have(make_study, make_trial):
    study = make_study(
        make_trial(0, [0.5, 0.4], state=TrialState.STOPPED),
        make_trial(1, [0.5, 0.3], state=TrialState.RUNNING),
        make_trial(2, [0.5, 0.2], state=TrialState.INTERRUPTED),
    )

    assert numbers(study) == [2, 1, 0]
    assert best_trial(study) is study.trials[2]


def test_a_trial_that_finished_by_itself_was_trained_to_its_end(make_study, make_trial):
    study = make_study(make_trial(0, [0.5, 0.4, 0.3, 0.2]), make_trial(1, [0.1]), iterations=4)

    assert numbers(study) == [1, 0]


def test_every_study_can_be_ranked(hostile_study):
    assert len({trial.number for trial in rank(hostile_study)}) == len(rank(hostile_study))


curves = st.lists(
    st.lists(st.sampled_from([-1e308, -1.0, 0.0, 0.25, 1.0, 1e308]), max_size=4), max_size=8
)


@given(curves=curves, mode=st.sampled_from(Mode), shuffled=st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_the_order_of_the_trials(
    make_study, make_trial, curves, mode, shuffled
):
    trials = [make_trial(number, curve) for number, curve in enumerate(curves)]
    objective = Objective("loss", mode)
    expected = numbers(make_study(*trials, objective=objective))
    shuffled.shuffle(trials)

    assert numbers(make_study(*trials, objective=objective)) == expected


@given(curves=curves)
def test_maximising_is_minimising_the_negative(make_study, make_trial, curves):
    trials = [make_trial(number, curve) for number, curve in enumerate(curves)]
    turned = [make_trial(n, [-value for value in curve]) for n, curve in enumerate(curves)]

    assert numbers(make_study(*trials)) == numbers(
        make_study(*turned, objective=Objective("loss", Mode.MAX))
    )


CHEAP = Constraint("cost", max=0.1)


def test_a_trial_that_keeps_the_constraints_comes_first_and_then_the_nearest(
    make_study, make_trial
):
    far = make_trial(0, [0.1, 0.1, 0.1], others={"cost": 0.3})
    near = make_trial(1, [0.9, 0.9, 0.9], others={"cost": 0.2})
    kept = make_trial(2, [0.8], others={"cost": 0.1}, state=TrialState.STOPPED)
    ahead = make_trial(3, [0.01], others={"cost": 0.2}, state=TrialState.RUNNING)

    study = make_study(far, near, kept, ahead, constraints=(CHEAP,))
    assert numbers(study) == [2, 1, 3, 0]
    assert numbers(make_study(far, near, constraints=(CHEAP,))) == [1, 0]


def test_being_ahead_does_not_count_beyond_a_constraint(make_study, make_trial):
    whole = make_trial(0, [0.9, 0.5, 0.3], others={"cost": 0.1})
    ahead = make_trial(1, [0.6, 0.2], others={"cost": 0.11}, state=TrialState.RUNNING)
    likewise = make_trial(2, [0.6, 0.2], others={"cost": 0.1}, state=TrialState.RUNNING)

    assert numbers(make_study(whole, ahead, constraints=(CHEAP,))) == [0, 1]
    assert numbers(make_study(whole, ahead, likewise, constraints=(CHEAP,))) == [2, 0, 1]


def test_a_trial_without_the_metric_of_a_constraint_cannot_be_judged(make_study, make_trial):
    assert rank(make_study(make_trial(0, [0.5]), constraints=(CHEAP,))) == ()


def averaged(study, count):
    return replace(study, criteria=replace(study.criteria, averaged=count))


def test_the_mean_of_the_last_reports_counts_where_that_is_asked_for(make_study, make_trial):
    # The second ends with one lucky value, the third has fewer reports than are wanted.
    trials = [
        make_trial(0, [9.0, 3.0, 3.0, 3.0]),
        make_trial(1, [9.0, 5.0, 5.0, 1.0]),
        make_trial(2, [2.0, 2.0], state=TrialState.FINISHED),
    ]
    study = make_study(*trials, iterations=4)
    assert numbers(study) == [1, 2, 0]
    assert numbers(averaged(study, 3)) == [2, 0, 1]
    assert numbers(averaged(study, 1)) == numbers(study)


def test_a_mean_leads_by_what_it_was_at_the_same_iteration(make_study, make_trial):
    whole = make_trial(0, [9.0, 8.0, 1.0, 1.0])
    # Its last value is better than any of the other's; its mean is not.
    open_one = make_trial(1, [9.0, 0.5], state=TrialState.RUNNING)
    study = make_study(whole, open_one, iterations=4)
    assert numbers(study) == [1, 0]
    assert numbers(averaged(study, 2)) == [0, 1]
