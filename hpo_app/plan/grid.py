"""From a parameter to the few values that a grid tries of it."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

from hpo_app.plan.configurations import Counted, TooMany, configurations
from hpo_app.plan.search_space import Choice, Integer, Normal


MOST_COUNTED = 100_000
# Of a grid that hardly keeps the rules, more would take longer than a person waits for a plan.
_MOST_LOOKED_AT = 1_000_000

if TYPE_CHECKING:
    from hpo_app.plan.search_space import Parameter, ParamValue, Real, SearchSpace


def grid_values(parameter: Parameter, points: int) -> list[ParamValue]:
    """Return the values of one parameter in a grid, each once, in its own order.

    Args:
        parameter: A choice gives all its values. A number gives all of its steps where these are no
            more than `points`, else `points` values at equal distance in its own scale, both ends
            included. A normal parameter gives the middles of `points` equally likely parts.
        points: At least 2.
    """
    if isinstance(parameter, Choice):
        return list(parameter.values)
    if isinstance(parameter, Normal):
        return [parameter.at((place + 0.5) / points) for place in range(points)]
    count = _num_values(parameter)
    if count <= points:
        return [parameter.at((place + 0.5) / count) for place in range(int(count))]
    return list(dict.fromkeys(parameter.at(place / (points - 1)) for place in range(points)))


def grid_size(space: SearchSpace, points: int) -> int:
    """Return how many configurations a whole grid has.

    With conditions or rules, no more than 100 000 are counted; that many are said to be there, too,
    where a rule leaves so few that they are not found in a second.
    """
    values = {name: grid_values(space[name], points) for name in space}
    if not space.conditions and not space.rules:
        return math.prod(map(len, values.values()))
    left = iter(range(_MOST_LOOKED_AT))
    counted = {
        name: Counted(some, left) if len(some) > 1 else some for name, some in values.items()
    }
    try:
        return sum(1 for _ in itertools.islice(configurations(space, counted), MOST_COUNTED))
    except TooMany:
        return MOST_COUNTED


def _num_values(parameter: Real | Integer) -> float:
    if parameter.low == parameter.high:
        return 1
    if isinstance(parameter, Integer):
        # On a logarithmic scale low numbers have more room than high ones: no equal parts.
        return (
            math.inf if parameter.is_log else 1 + (parameter.high - parameter.low) // parameter.step
        )
    return math.inf if parameter.step is None or parameter.is_log else 1 + parameter.num_steps
