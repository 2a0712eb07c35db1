from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

import pytest

from hpo_app.training.contract import ConfigurationError
from hpo_app.training.fit_one import fit_one
from hpo_app.training.models.quadratic import BEST, FRONT, KINDS, START, cost_at, lowest_loss, train


if TYPE_CHECKING:
    from pathlib import Path

# All corners and middles of a space around the best point.
POINTS: list[dict[str, Any]] = [
    {"x": x, "rate": rate, "depth": depth, "kind": kind}
    for x in (-5.0, 1.4, 1.5, 5.0)
    for rate in (1.0e-5, 9.0e-3, 1.0e-2, 1.1e-2, 1.0)
    for depth in (1, 4, 5, 8)
    for kind in KINDS
]


def losses(iterations: int, *, seed: int = 0, **model: Any) -> list[float]:
    settings = {**BEST, "noise": 0.0, "step_time_s": 0.0, **model}
    reports = fit_one(train, settings, {}, {"iterations": iterations}, metric="loss", seed=seed)
    return [report["loss"] for report in reports]


def test_the_best_point_falls_to_zero_along_the_stated_curve() -> None:
    curve = losses(200)

    assert curve == pytest.approx([lowest_loss(t) for t in range(1, 201)], rel=1e-9)
    assert curve[-1] < 1.0e-9


def test_no_other_point_is_better_at_any_iteration() -> None:
    for point in POINTS:
        curve = losses(12, **point)
        assert all(loss >= lowest_loss(t) * (1 - 1e-9) for t, loss in enumerate(curve, start=1))


def test_every_other_point_stays_above_zero() -> None:
    others = [point for point in POINTS if point != BEST]

    assert len(others) == len(POINTS) - 1
    assert min(losses(60, **point)[-1] for point in others) > 1.0e-4


def test_each_parameter_alone_makes_the_loss_worse() -> None:
    best = losses(20)[-1]
    for change in ({"x": 2.0}, {"rate": 2.0e-3}, {"rate": 5.0e-2}, {"depth": 6}, {"kind": "rough"}):
        assert losses(20, **change)[-1] > best


def test_curves_of_different_points_cross() -> None:
    slow_and_good = losses(60, rate=3.0e-3)
    fast_and_poor = losses(60, kind="rough")

    assert slow_and_good[4] > fast_and_poor[4]
    assert slow_and_good[-1] < fast_and_poor[-1]


def test_noise_has_the_stated_deviation_and_no_bias() -> None:
    clean, noisy = losses(2000), losses(2000, noise=0.5)
    noise = [one - other for one, other in zip(noisy, clean, strict=True)]
    mean = sum(noise) / len(noise)
    deviation = math.sqrt(sum((value - mean) ** 2 for value in noise) / len(noise))

    # Standard errors: 0.011 and 0.008; four of each, and the seed is fixed.
    assert abs(mean) < 0.045
    assert abs(deviation - 0.5) < 0.032


def test_the_seed_decides_the_noise() -> None:
    assert losses(5, noise=0.1, seed=1) == losses(5, noise=0.1, seed=1)
    assert losses(5, noise=0.1, seed=1) != losses(5, noise=0.1, seed=2)


def test_continuing_equals_never_stopping(tmp_path: Path) -> None:
    model = {**BEST, "x": 3.0, "noise": 0.3, "step_time_s": 0.0}
    whole = fit_one(train, model, {}, {"iterations": 9}, metric="loss", seed=4)

    first = fit_one(
        train, model, {}, {"iterations": 4}, metric="loss", seed=4, folder=tmp_path / "c"
    )
    rest = fit_one(
        train, model, {}, {"iterations": 9}, metric="loss", seed=4, checkpoint=tmp_path / "c"
    )

    assert first + rest == whole


def test_changed_parameters_go_on_from_where_the_loss_stands(tmp_path: Path) -> None:
    poor = {**BEST, "kind": "flat", "noise": 0.0, "step_time_s": 0.0}
    first = fit_one(
        train, poor, {}, {"iterations": 50}, metric="loss", seed=0, folder=tmp_path / "c"
    )
    better = {**poor, "kind": "smooth"}
    rest = fit_one(
        train, better, {}, {"iterations": 51}, metric="loss", seed=0, checkpoint=tmp_path / "c"
    )

    assert first[-1]["loss"] == pytest.approx(KINDS["flat"], abs=1e-5)
    assert rest[0]["loss"] == pytest.approx(first[-1]["loss"] * lowest_loss(1) / START)


def test_an_iteration_takes_the_time_it_is_told_to() -> None:
    started = time.perf_counter()
    losses(3, step_time_s=0.02)

    assert time.perf_counter() - started >= 0.06


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            {"kind": "smoth"}, r"model\.kind\n  got       'smoth'(.|\n)*kind=smooth", id="kind"
        ),
        pytest.param({"kind": ["smooth"]}, r"one of smooth, rough and flat", id="list"),
        pytest.param(
            {"rate": 0.0}, r"model\.rate\n  got       0\.0\n  expected  a positive", id="rate"
        ),
        pytest.param({"x": "1e-3"}, r"model\.x\n  got       '1e-3' \(str\)", id="text"),
    ],
)
def test_a_wrong_setting_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        losses(1, **change)


def test_a_missing_setting_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"model\.noise\n  got       nothing"):
        fit_one(train, {**BEST, "step_time_s": 0.0}, {}, {"iterations": 1}, metric="loss", seed=0)


def test_no_point_has_a_lower_end_at_a_lower_cost_than_the_front() -> None:
    xs = [-5.0 + step / 10 for step in range(101)]
    sums = {}
    for x in xs:
        end = losses(400, x=x)[-1]
        sums[x] = math.sqrt(end) + math.sqrt(cost_at(x))
    assert min(sums.values()) == pytest.approx(FRONT)
    on_front = [x for x in xs if sums[x] == pytest.approx(FRONT, abs=1e-6)]
    assert (on_front[0], on_front[-1]) == (-1.5, 1.5)
    assert cost_at(-1.5) == 0.0
    off = [point for point in POINTS if point != {**BEST, "x": point["x"]}]
    assert all(
        math.sqrt(losses(60, **point)[-1]) + math.sqrt(cost_at(point["x"])) > FRONT for point in off
    )


def test_every_report_has_the_cost_of_its_point() -> None:
    settings = {**BEST, "x": 1.0, "noise": 1.0, "step_time_s": 0.0}
    reports = fit_one(train, settings, {}, {"iterations": 3}, metric="loss", seed=0)
    assert [report["cost"] for report in reports] == [cost_at(1.0)] * 3 == [0.25] * 3
