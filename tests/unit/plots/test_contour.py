from __future__ import annotations

import numpy as np
import pytest

from hpo_app.analysis.importance import most_important
from hpo_app.plots.contour import draw, landscape


SPACE = {
    "x": {"type": "uniform", "low": 0.0, "high": 1.0},
    "y": {"type": "uniform", "low": 0.0, "high": 1.0},
    "kind": {"type": "choice", "values": ["a", "b"]},
}


@pytest.fixture
def study(make_study, make_trial, make_failed_trial):
    """A lattice over the unit square whose loss falls along x, and more of it in kind b."""
    trials = [
        make_trial(
            11 * row + column,
            [1.0 - column / 10 - 5.0 * (column % 2)],
            params={"x": column / 10, "y": row / 10, "kind": "ab"[column % 2]},
        )
        for row in range(11)
        for column in range(11)
    ]
    return make_study(*trials, make_failed_trial(121), space=SPACE)


def test_the_surface_follows_the_values_near_each_place(study):
    land = landscape(study, ("x", "kind"))

    assert (land.x.name, land.y.name, land.iteration) == ("x", "kind", 3)
    assert land.heights.shape == (2, 50)
    assert np.nanmax(land.heights[1]) < np.nanmin(land.heights[0])
    assert land.heights[0][0] > land.heights[0][-1]


def test_where_no_trial_is_near_there_is_nothing(make_study, make_trial):
    corner = [(0.0, 0.0), (0.1, 0.0), (0.0, 0.1), (0.1, 0.1)]
    trials = [make_trial(n, [float(n)], params={"x": x, "y": y}) for n, (x, y) in enumerate(corner)]
    heights = landscape(make_study(*trials, space=SPACE), ("x", "y")).heights

    assert np.isfinite(heights[0, 0])
    assert np.isnan(heights[-1, -1])
    assert np.isnan(heights[0, -1])


def test_a_value_far_off_does_not_take_all_the_colours(make_study, make_trial):
    trials = [
        make_trial(n, [1e6 if n == 0 else -n / 100], params={"x": n / 40, "y": n % 7 / 7})
        for n in range(40)
    ]
    heights = landscape(make_study(*trials, space=SPACE), ("x", "y")).heights

    assert np.nanmax(heights) <= 0.0


def test_all_trials_with_both_parameters_are_marks_also_failed_ones(
    study, make_study, make_failed_trial
):
    land = landscape(study, ("x", "y"))
    assert len(land.points) == 121

    lost = make_failed_trial(121)
    lost.params.update({"x": 0.5, "y": 0.5})
    with_lost = make_study(*study.trials[:121], lost, space=SPACE)
    assert landscape(with_lost, ("x", "y")).points[-1].number == 121


def test_the_two_most_important_parameters_are_chosen_unless_named(study):
    x, y = most_important(study, 2)

    assert draw(study).get_suptitle() == f"loss over {x} and {y}"
    assert draw(study, names=("y", "x")).get_suptitle() == "loss over y and x"


def test_with_fewer_than_two_parameters_there_is_no_surface(make_study, make_trial):
    assert landscape(make_study(*(make_trial(n, [float(n)]) for n in range(9)))) is None
