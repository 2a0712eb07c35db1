"""What further trials can be expected to gain: near the truth, and not too sure of itself."""

import random

import pytest

from hpo_app.analysis.outlook import FEWEST_TRIALS, outlook
from hpo_app.plan.read_space import read_space


NOISE = 0.03


def space_of(count, **others):
    entries = {f"x{at}": {"type": "uniform", "low": 0.0, "high": 1.0} for at in range(count)}
    space, problems = read_space({**entries, **others})
    assert problems == []
    return space


def bowl(params):
    """The best value is 0, at 0.3 everywhere."""
    return -sum((params[name] - 0.3) ** 2 for name in params if name.startswith("x"))


def drawn(space, objective, count, seed=1, noise=NOISE, near=None):
    """Random trials, or trials near a place, and their noisy values."""
    source = random.Random(seed)
    known = []
    for _ in range(count):
        params = space.draw(source)
        if near is not None:
            params = {name: min(max(source.gauss(near, 0.1), 0.0), 1.0) for name in params}
        known.append((params, objective(params) + source.gauss(0.0, noise)))
    return known


@pytest.mark.parametrize("count", [2, 4])
def test_where_the_best_is_far_much_is_expected(count):
    # All trials are in another corner than the best value.
    space = space_of(count)
    known = drawn(space, bowl, 40, near=0.9)
    best = max(bowl(params) for params, _ in known)
    found = outlook(space, known, NOISE)
    assert not found.is_done
    assert found.gain > 0.2 * -best


def test_where_the_best_is_found_little_is_expected():
    space = space_of(2)
    known = [*drawn(space, bowl, 30), *drawn(space, bowl, 20, near=0.3)]
    found = outlook(space, known, NOISE)
    assert found.is_done
    assert found.gain < 0.5 * NOISE


def test_in_many_dimensions_few_trials_are_never_enough():
    space = space_of(8)
    assert not outlook(space, drawn(space, bowl, 60), NOISE).is_done


def test_with_less_noise_more_can_be_told_apart():
    space = space_of(2)
    known = drawn(space, bowl, 60, noise=0.1)
    assert outlook(space, known, 0.1).is_done
    assert not outlook(space, drawn(space, bowl, 60, noise=0.001), 0.001).is_done


def test_what_the_noise_does_not_explain_is_a_shape_that_is_not_known_yet():
    # Values without any pattern, and a measured noise of next to nothing: anything may come.
    space = space_of(2)
    source = random.Random(3)
    known = [(params, source.gauss(0.0, 1.0)) for params, _ in drawn(space, bowl, 60)]
    assert not outlook(space, known, 0.01).is_done


def test_choices_and_conditions_are_part_of_it():
    space = space_of(
        1,
        kind={"type": "choice", "values": ["a", "b"]},
        below={"type": "uniform", "low": 0, "high": 1, "when": {"kind": "b"}},
    )
    # Kind a was never tried away from 0.9, and kind b everywhere.
    everywhere = [k for k in drawn(space, bowl, 120) if k[0]["kind"] == "b"]
    known = [*everywhere, ({"x0": 0.9, "kind": "a"}, bowl({"x0": 0.9}))]
    assert len(known) > FEWEST_TRIALS
    assert outlook(space, known, NOISE) is not None


def test_where_nothing_can_be_told_nothing_is_said():
    space = space_of(2)
    known = drawn(space, bowl, 40)
    assert outlook(space, known[: FEWEST_TRIALS - 1], NOISE) is None
    assert outlook(space, known, 0.0) is None
    assert outlook(space, [(params, 1.0) for params, _ in known], NOISE) is None


def test_how_bad_the_bad_ones_are_does_not_count():
    space = space_of(2)
    known = [*drawn(space, bowl, 30), *drawn(space, bowl, 20, near=0.3)]
    worse = [(params, value if value > -0.4 else -1e9) for params, value in known]
    assert any(value == -1e9 for _, value in worse)
    assert outlook(space, worse, NOISE).is_done


def test_the_same_trials_tell_the_same():
    space = space_of(3)
    known = drawn(space, bowl, 300)
    assert outlook(space, known, NOISE) == outlook(space, known, NOISE)
