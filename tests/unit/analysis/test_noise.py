from __future__ import annotations

import pytest

from hpo_app.analysis.noise import noise_at_end


def test_the_noise_is_the_spread_of_the_steps_without_their_slope():
    assert noise_at_end([9.0, 1.0, 2.0, 3.0, 4.0]) == 0.0
    assert noise_at_end([0.0, 1.0, 0.0, 1.0]) == pytest.approx((4 / 3) ** 0.5 / 2**0.5)


@pytest.mark.parametrize("values", [[], [1.0, 2.0, 3.0], [1e308, -1e308, 1e308, 0.0]])
def test_what_cannot_be_told_is_none(values):
    assert noise_at_end(values) is None
