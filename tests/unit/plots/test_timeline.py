from __future__ import annotations

from hpo_app.plots.timeline import draw, timeline
from hpo_app.study.records import TrialState


def test_a_trial_stands_in_the_lowest_free_lane(make_study, make_trial):
    times = [(0.0, 4.0), (0.0, 2.0), (2.0, 6.0), (5.0, None)]
    trials = [
        make_trial(n, [1.0], started_s=start, ended_s=end) for n, (start, end) in enumerate(times)
    ]
    waiting = make_trial(4, started_s=None, ended_s=None, state=TrialState.RUNNING)
    found = timeline(make_study(*trials, waiting, duration_s=8.0))

    assert [(span.number, span.lane, span.end_s) for span in found.spans] == [
        (0, 1, 4.0),
        (1, 2, 2.0),
        (2, 2, 6.0),
        (3, 1, 8.0),
    ]
    assert (found.num_lanes, found.busy) == (2, 13.0 / 16.0)


def test_the_unit_of_time_fits_the_run(make_study, make_trial):
    labels = [
        draw(make_study(make_trial(0, [1.0], started_s=0.0, ended_s=end))).axes[0].get_xlabel()
        for end in (100.0, 600.0, 9000.0)
    ]
    assert [label.split()[0] for label in labels] == ["seconds", "minutes", "hours"]


def test_failed_trials_are_named_in_the_legend(make_study, make_trial, make_failed_trial):
    figure = draw(make_study(make_trial(0, [1.0]), make_failed_trial(1)))

    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["finished", "failed"]
