from __future__ import annotations

from hpo_app.analysis.best import best_trial
from hpo_app.analysis.progress import BestSoFar
from hpo_app.plots.optimization_history import draw, optimization_history
from hpo_app.study.records import TrialState


def test_the_line_follows_trials_trained_as_far_as_the_best(
    make_study, make_trial, make_failed_trial
):
    study = make_study(
        make_trial(0, [0.9, 0.9, 0.8]),
        make_trial(1, [0.01], state=TrialState.STOPPED),
        make_trial(2, [0.9, 0.9, 0.9]),
        make_failed_trial(3),
        make_trial(4, [0.9, 0.5, 0.4]),
    )

    history = optimization_history(study)

    assert history.best_so_far == BestSoFar(((0, 0.8), (4, 0.4)), 3)
    assert [(point.number, point.y) for point in history.points] == [
        *[(0, 0.8), (1, 0.01), (2, 0.9), (3, None), (4, 0.4)]
    ]
    assert [point.number for point in history.points if point.is_best] == [4]
    assert [point.number for point in history.points if point.is_default] == [0]
    assert history.points[1].state is TrialState.STOPPED


def test_a_tie_that_the_mean_decides_still_ends_the_line_at_the_best(make_study, make_trial):
    study = make_study(make_trial(0, [0.9, 0.5]), make_trial(1, [0.7, 0.5]))

    assert optimization_history(study).best_so_far.steps == ((0, 0.5), (1, 0.5))


def test_the_line_ends_at_the_best_trial_of_every_study(hostile_study):
    line = optimization_history(hostile_study).best_so_far.steps
    best = best_trial(hostile_study)

    assert [number for number, _ in line[-1:]] == ([] if best is None else [best.number])


def test_trainings_that_end_by_themselves_are_in_the_line_however_long_they_were(
    make_study, make_trial
):
    study = make_study(
        make_trial(0, [0.9, 0.8]),
        make_trial(1, [0.7, 0.6, 0.5]),
        make_trial(2, [0.1, 0.1], state=TrialState.STOPPED),
        make_trial(3, [0.4]),
    )

    assert optimization_history(study).best_so_far == BestSoFar(
        ((0, 0.8), (1, 0.5), (3, 0.4)), None
    )
    assert "The best value at the end of the training goes from 0.8" in draw(study).get_label()
