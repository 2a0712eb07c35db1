"""From the values of each parameter to the configurations that they make up."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from hpo_app.plan.search_space import Params, ParamValue, SearchSpace


def configurations(
    space: SearchSpace, values: Mapping[str, Iterable[ParamValue]]
) -> Iterator[Params]:
    """Yield every configuration once, whether it keeps the rules or not.

    The last parameter changes fastest.

    Args:
        space: What may be sampled.
        values: The values to combine, by parameter; each may be gone through several times.
    """
    names = space.order
    for chosen in _chosen(space, values, names, {}):
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
    for value in values[name]:
        yield from _chosen(space, values, others, {**params, name: value})
