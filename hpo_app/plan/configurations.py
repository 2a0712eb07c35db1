"""From the values of each parameter to the configurations that they make up."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from hpo_app.plan.rule import Rule
    from hpo_app.plan.search_space import Params, ParamValue, SearchSpace


class TooMany(Exception):  # noqa: N818 - an end, and no error
    """More values than somebody wants to combine."""


class Counted:
    """Values that can be gone through until all that share `left` together are too many.

    Raises:
        TooMany: From then on.
    """

    def __init__(self, values: Sequence[ParamValue], left: Iterator[int]) -> None:
        self._values = values
        self._left = left

    def __iter__(self) -> Iterator[ParamValue]:
        for value in self._values:
            if next(self._left, None) is None:
                raise TooMany
            yield value


def configurations(
    space: SearchSpace, values: Mapping[str, Iterable[ParamValue]]
) -> Iterator[Params]:
    """Yield every configuration that keeps the rules, once.

    The last parameter changes fastest. A rule is asked as soon as the last parameter that it reads
    has a value, so that what it forbids is not combined with anything else.

    Args:
        space: What may be sampled.
        values: The values to combine, by parameter; each may be gone through several times.
    """
    order = space.order
    # Of each place in the order, the rules whose last parameter it is.
    decided: list[list[Rule]] = [[] for _ in order]
    for rule in space.rules.values():
        decided[max(order.index(name) for name in rule.names)].append(rule)
    for chosen in _chosen(space, values, list(zip(order, decided, strict=True)), {}):
        yield {name: chosen[name] for name in space if name in chosen}


def _chosen(
    space: SearchSpace,
    values: Mapping[str, Iterable[ParamValue]],
    steps: Sequence[tuple[str, list[Rule]]],
    params: Params,
) -> Iterator[Params]:
    if not steps:
        yield params
        return
    (name, decided), *others = steps
    if not space.is_active(name, params):
        yield from _chosen(space, values, others, params)
        return
    for value in values[name]:
        longer = {**params, name: value}
        if all(rule.holds(longer) for rule in decided):
            yield from _chosen(space, values, others, longer)
