"""From numbers and names of a study to text that is short, exact enough and inert."""

from __future__ import annotations

import json
import math
import unicodedata
from typing import TYPE_CHECKING

from hpo_app.errors import listed


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from hpo_app.plan.criteria import Constraint, Criteria
    from hpo_app.plan.search_space import ParamValue

NOTHING = "-"

# Characters that reorder what stands around them, so that a name can look like another one:
# the marks, embeddings, overrides and isolates of Unicode's bidirectional algorithm.
_REORDERING = {0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)}
_BREAKS = "\t\n\v\f\r\x85\u2028\u2029"


def number(value: float | None) -> str:
    """Return a number with four significant digits; whole numbers and thousands are not cut."""
    if value is None:
        return NOTHING
    if isinstance(value, int) or not math.isfinite(value):
        return str(value)
    if 1000 <= abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value + 0.0:.4g}"  # + 0.0 turns -0.0 into 0.0


def bounds_text(constraints: Iterable[Constraint], metrics: Mapping[str, float]) -> str:
    """Return constraints with what was reported: `cost at most 0.1 (0.3)`."""
    return listed(
        f"{plain(str(constraint))} ({number(metrics[constraint.metric])})"
        for constraint in constraints
    )


def objectives_text(metrics: Mapping[str, float], criteria: Criteria) -> str:
    """Return all objectives with their values, as `loss 0.2 and cost 3`; empty without values."""
    return listed(
        f"{plain(objective.metric)} {number(metrics[objective.metric])}"
        for objective in criteria.objectives
        if objective.metric in metrics
    )


def counted(count: int, noun: str) -> str:
    """Return `1 trial`, `2 trials`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def value_text(value: ParamValue) -> str:
    """Return a parameter's value as one would type it: text that looks like a number is quoted."""
    if isinstance(value, float):
        return number(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if _needs_quotes(value) else plain(value)
    return plain(json_text(value))


def json_text(value: object) -> str:
    """Return a plain value as one line of JSON, with infinities and NaN as words."""
    return json.dumps(finite(value), ensure_ascii=False)


def finite(value: object) -> object:
    """Return a plain value with `inf`, `-inf` and `nan` as text: JSON has no such numbers."""
    if isinstance(value, dict):
        return {str(name): finite(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def plain(text: str) -> str:
    """Return text on one line without characters that steer a terminal or reorder a line."""
    return "".join(" " if letter in _BREAKS else letter for letter in text if _is_inert(letter))


def _is_inert(letter: str) -> bool:
    if letter in _BREAKS:
        return True
    return unicodedata.category(letter) not in {"Cc", "Cs"} and ord(letter) not in _REORDERING


def _needs_quotes(text: str) -> bool:
    if text != plain(text) or text != "".join(text.split()):
        return True
    try:
        json.loads(text)
    except ValueError:
        return text == ""
    return True
