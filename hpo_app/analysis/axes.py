"""From a parameter's values to their places: on a scale of numbers, or among words."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hpo_app.analysis.wording import json_text, value_text


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hpo_app.plan.search_space import ParamValue
    from hpo_app.study.records import Study

# Drawing overflows near the largest float when it adds a margin to an axis.
LARGEST = 1e300

# Above this ratio of the largest to the smallest value, only the largest count on a linear scale.
_LOG_RATIO = 1000.0

_LOG_TYPES = {"loguniform", "qloguniform", "lograndint"}
_CATEGORY_TYPES = {"choice", "ordinal"}


@dataclass(frozen=True)
class ParameterAxis:
    """Where the values of one parameter stand.

    Attributes:
        name: Name of the parameter.
        low: The least place: of a number the number itself, of a word its index.
        high: The greatest place.
        words: The values in words, for a parameter that is not a number on an axis, by
            their place; those of the search space first, in their order.
        is_log: Whether equal steps are equal ratios.
        is_ordered: Whether neighbours are alike, as numbers are, and the words of an ordinal.
        places: `{JSON of a value: its place}` of the words.
    """

    name: str
    low: float
    high: float
    words: tuple[str, ...] = ()
    is_log: bool = False
    is_ordered: bool = True
    places: Mapping[str, int] = field(default_factory=dict)

    def place(self, value: ParamValue) -> float:
        """Return where a value of the study stands, from `low` to `high`."""
        return float(self.places[json_text(value)] if self.words else value)  # type: ignore[arg-type]

    def position(self, place: float) -> float:
        """Return a place as a share of the axis, in `[0, 1]`; of an axis of one value, a half."""
        if self.low == self.high:
            return 0.5
        if self.is_log:
            share = math.log(place / self.low) / math.log(self.high / self.low)
        else:
            # Halves, because the distance of the ends can be more than a float holds.
            share = (place / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        return min(max(share, 0.0), 1.0)

    def at(self, position: float) -> float:
        """Return the place at a share of the axis: the inverse of `position`."""
        if self.is_log:
            return self.low * math.exp(position * math.log(self.high / self.low))
        return self.low * (1.0 - position) + self.high * position


def parameter_axes(study: Study) -> dict[str, ParameterAxis]:
    """Return an axis per parameter, in the order of the search space, then as trials show them.

    An axis reaches over the bounds of the search space and all values of the trials. Numbers
    become words where a value is not a number that can be drawn.
    """
    values: dict[str, list[ParamValue]] = {name: [] for name in study.space}
    for trial in study.trials:
        for params in (trial.params, trial.own_params or {}, *(c.params for c in trial.clones)):
            for name, value in params.items():
                values.setdefault(name, []).append(value)
    return {name: _axis(name, study.space.get(name, {}), found) for name, found in values.items()}


def is_far_apart(values: Sequence[float]) -> bool:
    """Return whether values are positive, and the small ones would be lost on a linear scale."""
    return bool(values) and min(values) > 0 and max(values) / min(values) > _LOG_RATIO


def _axis(name: str, entry: Mapping[str, object], values: Sequence[ParamValue]) -> ParameterAxis:
    kind = entry.get("type")
    if kind in _CATEGORY_TYPES or not all(_is_number(value) for value in values):
        listed = entry.get("values")
        known = [*listed, *values] if isinstance(listed, (list, tuple)) else values
        words = {json_text(value): value_text(value) for value in known}
        places = {key: place for place, key in enumerate(words)}
        last = float(max(len(words) - 1, 0))
        is_ordered = kind == "ordinal"
        shown = tuple(words.values())
        return ParameterAxis(name, 0.0, last, shown, is_ordered=is_ordered, places=places)
    ends = [entry.get(end) for end in ("low", "high")]
    numbers = [float(value) for value in (*values, *ends) if _is_number(value)]  # type: ignore[arg-type]
    low, high = min(numbers, default=0.0), max(numbers, default=1.0)
    return ParameterAxis(name, low, high, is_log=kind in _LOG_TYPES and low > 0)


def _is_number(value: object) -> bool:
    # Whole numbers can be larger than any float.
    is_numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_numeric and -LARGEST <= value <= LARGEST  # type: ignore[operator]
