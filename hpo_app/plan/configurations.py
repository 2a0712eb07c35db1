"""From the values of each parameter to the configurations that they make up."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hpo_app.plan.search_space import Params, ParamValue, SearchSpace


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
    for chosen in _chosen(space, values, space.order, {}):
        yield {name: chosen[name] for name in space if name in chosen}


def _chosen(
    space: SearchSpace,
    values: Mapping[str, Iterable[ParamValue]],
    names: list[str],
    params: Params,
) -> Iterator[Params]:
    if not names:
        yield params
        return
    name, *others = names
    if not space.is_active(name, params):
        yield from _chosen(space, values, others, params)
        return
    decided = [
        rule
        for rule in space.rules.values()
        if name in rule.names and not set(rule.names) & set(others)
    ]
    for value in values[name]:
        longer = {**params, name: value}
        if all(rule.holds(longer) for rule in decided):
            yield from _chosen(space, values, others, longer)
