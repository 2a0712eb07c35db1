from __future__ import annotations

import pytest

from hpo_app.plots.parallel_coordinates import MAX_AXES, draw, parallel_coordinates
from hpo_app.study.records import TrialState


SPACE = {
    "lr": {"type": "loguniform", "low": 1e-4, "high": 1.0},
    "kind": {"type": "choice", "values": ["a", "b", "c"]},
}


def test_a_trial_is_a_line_of_shares_with_the_objective_last(
    make_study, make_trial, make_failed_trial
):
    study = make_study(
        make_trial(0, [3.0], params={"lr": 1e-4, "kind": "a"}),
        make_trial(1, [1.0], params={"lr": 1e-2, "kind": "b"}),
        make_trial(2, [2.0], params={"lr": 1.0}),
        make_failed_trial(3),
        space=SPACE,
    )
    crossed = parallel_coordinates(study, top=2)

    assert [axis.name for axis in crossed.axes] == ["lr", "kind", "loss"]
    assert [line.heights[0] for line in crossed.lines] == pytest.approx([0.0, 0.5, 1.0, 0.6], 0.01)
    assert [line.heights[2] for line in crossed.lines] == [1.0, 0.0, 0.5, None]
    assert [line.heights[1] is None for line in crossed.lines] == [False, False, True, True]
    assert abs(crossed.lines[1].heights[1] - 0.5) < 0.08
    assert [line.number for line in crossed.lines if line.is_top] == [1, 2]
    assert [line.number for line in crossed.lines if line.is_best] == [1]
    assert [line.number for line in crossed.lines if line.is_default] == [0]
    assert crossed.lines[3].state is TrialState.FAILED


def test_failed_trials_have_a_line_of_their_own_kind(make_study, make_trial, make_failed_trial):
    figure = draw(make_study(make_trial(0, [3.0]), make_trial(1, [1.0]), make_failed_trial(2)))

    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["failed", "the best 2", "default configuration", "best trial"]


def test_of_many_parameters_the_most_important_have_an_axis(make_study, make_trial):
    names = [f"p{place}" for place in range(20)]
    trials = [
        make_trial(
            number,
            [float(number % 10)],
            params={name: (number * (place + 3) % 17) / 17 for place, name in enumerate(names[:-1])}
            | {"p19": number % 10},
        )
        for number in range(60)
    ]
    study = make_study(*trials, space={name: {"type": "uniform"} for name in names})

    crossed = parallel_coordinates(study)
    assert (len(crossed.axes), crossed.num_left_out) == (MAX_AXES + 1, 8)
    assert "p19" in [axis.name for axis in crossed.axes]
    assert "(12 of 20 parameters)" in draw(study).get_suptitle()
