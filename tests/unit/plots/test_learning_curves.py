from __future__ import annotations

from hpo_app.plots.learning_curves import learning_curves
from hpo_app.study.records import TrialState


def test_every_trial_that_reported_has_a_curve(make_study, make_trial, make_failed_trial):
    study = make_study(
        make_trial(0, [0.9, 0.8]),
        make_trial(1, [0.9, 0.2]),
        make_trial(2, [5.0], state=TrialState.FAILED),
        make_failed_trial(3),
    )

    learned = learning_curves(study)

    assert [curve.points for curve in learned.curves] == [
        ((1, 0.9), (2, 0.8)),
        ((1, 0.9), (2, 0.2)),
        ((1, 5.0),),
    ]
    assert [curve.is_best for curve in learned.curves] == [False, True, False]
    assert [curve.is_default for curve in learned.curves] == [True, False, False]
    assert learned.curves[2].state is TrialState.FAILED
    assert learned.num_without_report == 1
