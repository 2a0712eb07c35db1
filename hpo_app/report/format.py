"""From values to the words of a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.analysis.wording import (
    NOTHING,
    bounds_text,
    counted,
    number,
    objectives_text,
    plain,
    value_text,
)


if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpo_app.plan.search_space import ParamValue

__all__ = [
    "NOTHING",
    "bounds_text",
    "counted",
    "duration",
    "number",
    "objectives_text",
    "params_text",
    "plain",
    "value_text",
]


def duration(seconds: float | None) -> str:
    """Return a time in its two largest units: `0.84 s`, `12 s`, `3 min 05 s`, `2 h 03 min`."""
    if seconds is None:
        return NOTHING
    if seconds < 9.95:
        return f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days} d {hours % 24:02d} h"
    if hours:
        return f"{hours} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def params_text(params: Mapping[str, ParamValue]) -> str:
    """Return `name=value` pairs on one line, as they would stand on a command line."""
    return " ".join(f"{plain(name)}={value_text(value)}" for name, value in params.items())
