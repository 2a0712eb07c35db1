"""Trials are compared where enough of them got, with the parameters that led there."""

from __future__ import annotations

import pytest

from hpo_app.analysis.comparable import compare_at_one_iteration
from hpo_app.study.records import Clone, TrialState


def halved(make_trial, lengths):
    return [
        make_trial(
            number,
            [10.0 - step for step in range(length)],
            state=TrialState.FINISHED if length == 9 else TrialState.STOPPED,
        )
        for number, length in enumerate(lengths)
    ]


@pytest.mark.parametrize(("num_short", "iteration"), [(0, 3), (1, 3), (2, 3), (3, 1)])
def test_nine_of_ten_have_to_get_there(make_study, make_trial, num_short, iteration):
    lengths = [1] * num_short + [3] * (20 - num_short) + [9] * 5
    study = make_study(*halved(make_trial, lengths), iterations=9)
    compared = compare_at_one_iteration(study)

    assert compared.iteration == iteration
    assert (len(compared.trials), compared.num_short) == (
        (25, 0) if iteration == 1 else (25 - num_short, num_short)
    )
    assert {trial.value for trial in compared.trials} == {11.0 - iteration}


def test_a_trial_that_ended_by_itself_counts_with_its_last_value(make_study, make_trial):
    study = make_study(make_trial(0, [5.0, 4.0, 3.0]), make_trial(1, [2.0]), iterations=3)
    compared = compare_at_one_iteration(study)

    assert [(trial.number, trial.value) for trial in compared.trials] == [(0, 3.0), (1, 2.0)]
    assert compared.default == 3.0


def test_failed_trials_are_counted_and_not_compared(make_study, make_trial):
    study = make_study(
        make_trial(0, [1.0]), make_trial(1, [9.0], state=TrialState.FAILED), make_trial(2, [2.0])
    )
    compared = compare_at_one_iteration(study)

    assert [trial.number for trial in compared.trials] == [0, 2]
    assert compared.num_failed == 1


def test_what_took_over_another_state_counts_with_what_it_started_with(make_study, make_trial):
    grown = make_trial(
        1,
        [5.0, 4.0, 0.5],
        params={"lr": 9.0},
        own_params={"lr": 1.0},
        own_reports=make_trial(1, [5.0, 4.0]).reports,
        clones=(Clone(0, 2, {"lr": 9.0}, 1.0),),
    )
    compared = compare_at_one_iteration(make_study(make_trial(0, [3.0, 2.0, 1.0]), grown))

    assert compared.iteration == 2
    assert [(trial.params["lr"], trial.value) for trial in compared.trials] == [
        (0.1, 2.0),
        (1.0, 4.0),
    ]
