from __future__ import annotations

import pytest

from hpo_app.analysis.noise import Noise, noise_at_end


def test_the_noise_is_the_spread_of_the_steps_without_their_slope():
    assert noise_at_end([9.0, 1.0, 2.0, 3.0, 4.0]) == 0.0
    assert noise_at_end([0.0, 1.0, 0.0, 1.0]) == pytest.approx((4 / 3) ** 0.5 / 2**0.5)


@pytest.mark.parametrize("values", [[], [1.0, 2.0, 3.0], [1e308, -1e308, 1e308, 0.0]])
def test_what_cannot_be_told_is_none(values):
    assert noise_at_end(values) is None


def noise_of(*curves, params=None):
    noise = Noise()
    for at, curve in enumerate(curves):
        noise.add({"x": at} if params is None else params, curve)
    return noise


def test_trainings_of_the_same_tell_the_noise_between_seeds():
    same = noise_of([0.0] * 6, [2.0] * 6, [-2.0] * 6, [0.0] * 6, params={"x": 1})
    assert same.between_seeds == pytest.approx((8 / 3) ** 0.5)
    assert same.deviation == same.between_seeds
    # Two of one and two of another: each is off from its own mean.
    for at, value in ((2, 10.0), (2, 12.0), (3, -5.0)):
        same.add({"x": at}, [value])
    assert same.between_seeds == pytest.approx((10 / 4) ** 0.5)


def test_without_them_the_ends_of_the_curves_do():
    shaking = [[0.0, 1.0, 0.0, 1.0], [0.0, 2.0, 0.0, 2.0], [0.0, 4.0, 0.0, 4.0]]
    assert noise_of(*shaking).between_seeds is None
    assert noise_of(*shaking).deviation == noise_at_end(shaking[1])
    assert noise_of([1.0], [2.0]).deviation is None
    assert noise_of().deviation is None


def test_three_trainings_of_the_same_are_too_few():
    assert noise_of([0.0], [1.0], [2.0], params={}).between_seeds is None
    assert noise_of([0.0], [1.0], [2.0], [3.0], params={}).between_seeds is not None


def test_values_too_large_to_square_tell_no_noise():
    assert noise_of([1e308], [-1e308], [1e308], [0.0], params={}).between_seeds is None
