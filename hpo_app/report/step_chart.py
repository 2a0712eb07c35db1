"""From the best values so far of several runs to one drawing that needs no script."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hpo_app.analysis.axes import LARGEST, is_far_apart
from hpo_app.report.format import number
from hpo_app.report.markup import Html, element


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Drawn for the width between a phone and a desk; the style sheet sees to the size of letters.
_WIDTH, _HEIGHT = 640, 340
_LEFT, _RIGHT, _TOP, _BOTTOM = 84, 630, 14, 284
# How many looks the style sheet has; further runs begin anew.
NUM_LOOKS = 6


def step_chart(lines: Mapping[str, Sequence[tuple[int, float]]], ends: Mapping[str, int]) -> Html:
    """Return a drawing with a step line per run.

    Args:
        lines: `(number of the trial, best value since then)` by the name of the run.
        ends: Number of the last trial of each run, to which its best value holds.
    """
    values = [value for steps in lines.values() for _, value in steps]
    last = max([*ends.values(), 1])
    scale = _Scale(values)
    grid = [_grid_line(scale, value) for value in scale.ticks]
    marks = [
        _text(_across(at, last), _BOTTOM + 24, str(at), "middle")
        for at in sorted({0, last // 2, last})
    ]
    drawn = [
        _line(name, place, [(_across(at, last), scale.height(value)) for at, value in steps],
              _across(ends[name], last))
        for place, (name, steps) in enumerate(lines.items())
        if steps
    ]  # fmt: skip
    axis = _text((_LEFT + _RIGHT) / 2, _HEIGHT - 6, "trial", "middle")
    return element(
        "svg",
        *grid,
        *marks,
        axis,
        *drawn,
        class_="chart compared",
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        role="img",
        aria_label="Best value so far by trial, a line for each run",
    )


class _Scale:
    """Places values between the lower and the upper edge."""

    def __init__(self, values: Sequence[float]) -> None:
        drawable = [min(max(value, -LARGEST), LARGEST) for value in values] or [0.0]
        low, high = min(drawable), max(drawable)
        self._is_log = is_far_apart(drawable)
        if low == high:
            low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
        self._low, self._high = self._into(low), self._into(high)
        self.ticks = [10.0**place if self._is_log else place for place in self._places()]

    def _places(self) -> list[float]:
        """Return about five round numbers from the lower to the upper end."""
        rough = self._high / 5 - self._low / 5
        size = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * size for factor in (1, 2, 5, 10) if factor * size >= rough)
        step = max(step, 1.0) if self._is_log and self._high - self._low >= 2 else step
        first, last = math.ceil(self._low / step), math.floor(self._high / step)
        return [place * step for place in range(first, last + 1)]

    def _into(self, value: float) -> float:
        return math.log10(value) if self._is_log else value

    def height(self, value: float) -> float:
        value = self._into(min(max(value, -LARGEST), LARGEST))
        # Halves, because the distance of the ends can be more than a float holds.
        share = (value / 2 - self._low / 2) / (self._high / 2 - self._low / 2)
        return _BOTTOM - 8 - share * (_BOTTOM - _TOP - 16)


def _across(at: int, last: int) -> float:
    return _LEFT + 8 + (_RIGHT - _LEFT - 16) * at / last


def _grid_line(scale: _Scale, value: float) -> Html:
    y = scale.height(value)
    line = element("line", class_="grid", x1=str(_LEFT), x2=str(_RIGHT), y1=f"{y:.1f}",
                   y2=f"{y:.1f}")  # fmt: skip
    return Html(line + _text(_LEFT - 6, y + 4, number(value), "end"))


def _text(x: float, y: float, text: str, anchor: str) -> Html:
    return element("text", text, x=f"{x:.1f}", y=f"{y:.1f}", text_anchor=anchor)


def _line(name: str, place: int, points: Sequence[tuple[float, float]], end: float) -> Html:
    (x, y), *others = points
    path = f"M{x:.1f} {y:.1f}" + "".join(f"H{x:.1f}V{y:.1f}" for x, y in others) + f"H{end:.1f}"
    look = f"run run-{place % NUM_LOOKS}"
    return element("path", element("title", name), class_=look, d=path)
