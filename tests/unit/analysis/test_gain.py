"""The interval of the gain covers what it says, and is not given where nothing is known."""

from __future__ import annotations

import random

import pytest

from hpo_app.analysis.gain import gain_interval
from hpo_app.plan.run_plan import Mode, Objective


def test_the_interval_covers_the_gain_without_noise_as_often_as_it_says(make_study, make_trial):
    rng, covered = random.Random(0), 0
    for _ in range(200):
        default = [2.0 + rng.gauss(0, 0.1) for _ in range(8)]
        better = [1.0 + rng.gauss(0, 0.2) for _ in range(8)]
        interval = gain_interval(make_study(make_trial(0, default), make_trial(1, better)))
        covered += interval.low <= 1.0 <= interval.high

    assert 190 <= covered < 200


def test_a_steady_slope_is_no_noise_and_the_sentence_says_what_is_not_covered(
    make_study, make_trial
):
    default = make_trial(0, [9.0, 8.0, 7.5, 6.25, 5.5])
    best = make_trial(1, [8.0, 6.0, 5.0, 3.25, 2.0])
    interval = gain_interval(make_study(default, best, iterations=5))

    assert interval.gain == 3.5
    assert interval.low < 3.5 < interval.high
    assert interval.sentence.startswith("By the noise at the end of both trainings, the gain is ")
    assert "95% interval" in interval.sentence
    assert "another seed would change it is not known" in interval.sentence


def test_a_gain_within_the_noise_is_called_so(make_study, make_trial):
    default, best = make_trial(0, [1.0, 3.0, 1.0, 3.0]), make_trial(1, [3.0, 1.0, 3.0, 2.9])

    assert "it may be noise" in gain_interval(make_study(default, best, iterations=4)).sentence


@pytest.mark.parametrize(
    ("default", "best", "reason"),
    [
        ([2.0] * 4, [1.0] * 4, "end without noise, so there is no interval"),
        ([2.0, 1.5, 1.7], [1.0, 0.5, 0.6], "3 reports of a training tell nothing of its noise"),
        ([1e308, -1e308, 1e308, 0.0], [0.0, 1.0, 0.0, -1.0], "too far apart to compute with"),
        ([1.0], [2.0], "The default configuration itself is the best trial."),
    ],
)
def test_why_there_is_no_interval(make_study, make_trial, default, best, reason):
    study = make_study(make_trial(0, default), make_trial(1, best), iterations=len(best))
    interval = gain_interval(study)

    assert interval.gain is not None
    assert (interval.low, interval.high) == (None, None)
    assert reason in interval.sentence


def test_a_default_that_was_trained_less_far_gives_no_gain(make_study, make_trial):
    study = make_study(make_trial(0, [2.0]), make_trial(1, [1.5, 1.0, 0.9, 0.8]), iterations=4)
    interval = gain_interval(study)

    assert (interval.gain, interval.low) == (None, None)
    assert "after 1 of 4 iterations" in interval.sentence


def test_the_gain_is_positive_where_higher_is_better(make_study, make_trial):
    study = make_study(
        make_trial(0, [1.0, 1.1, 1.0, 1.1]),
        make_trial(1, [2.0, 2.2, 2.0, 2.1]),
        objective=Objective("loss", Mode.MAX),
        iterations=4,
    )
    assert gain_interval(study).gain == pytest.approx(1.0)


def test_every_study_has_a_sentence(hostile_study):
    assert gain_interval(hostile_study).sentence.endswith((".", "iterations."))
