"""From the name of a parameter to the places in nested configs that its value lands in.

A place gets the interpolation that a YAML file would hold, `${params.name}`, so that both are
rendered, checked and stored alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from hpo_app.errors import Problem, listed, near_miss


if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence

# Where parameters are looked for, in this order.
PARTS = ("model", "data", "training")
ParamMapping: TypeAlias = "Mapping[str, str | Sequence[str]]"


@dataclass(frozen=True)
class Place:
    """One value in one of the configs.

    Attributes:
        part: `model`, `data` or `training`.
        path: Keys and indices that lead to it from there.
    """

    part: str
    path: tuple[str | int, ...]

    def __str__(self) -> str:
        return ".".join([self.part, *map(str, self.path)])

    def read(self, configs: Mapping[str, Any]) -> Any:
        """Return what stands there."""
        node = configs[self.part]
        for step in self.path:
            node = node[step]
        return node

    def is_in(self, configs: Mapping[str, Any]) -> bool:
        """Return whether there is such a place."""
        node = configs[self.part]
        for step in self.path:
            is_there = step in node if isinstance(node, dict) else _is_index(step, node)
            if not is_there:
                return False
            node = node[step]
        return True

    def write(self, configs: Mapping[str, Any], value: Any) -> None:
        """Put a value there, in place of what stands there."""
        node = configs[self.part]
        for step in self.path[:-1]:
            node = node[step]
        node[self.path[-1]] = value


def _is_index(step: str | int, node: Any) -> bool:
    return isinstance(node, list) and isinstance(step, int) and step < len(node)


def place_parameters(
    configs: Mapping[str, Any],
    names: Iterable[str],
    mapping: ParamMapping | None,
    problems: list[Problem],
    *,
    deciding: Container[str] = (),
) -> dict[str, Any]:
    """Write `${params.name}` into the configs for each parameter.

    Args:
        configs: `{"model": …, "data": …, "training": …}`, plain; changed in place.
        names: The parameters.
        mapping: `{parameter: dotted path, or several}`; a parameter that it lacks lands where its
            dotted name, or its one unambiguous leaf name, exists.
        problems: Gets what cannot be placed.
        deciding: Parameters that others depend on; they have a say also where they land nowhere.

    Returns:
        `{parameter: what stood at its first place}`, for those that have no default of their own.
        A parameter that the configs read already is left alone, and is not in it.
    """
    names = tuple(names)
    problems += _unknown(mapping or {}, names)
    before: dict[str, Any] = {}
    for name in names:
        if name in (mapping or {}):
            places = _mapped(configs, name, (mapping or {})[name], problems)
        elif _is_read(name, configs):
            continue
        else:
            places = _found(configs, name, problems, may_miss=name in deciding)
        for place in places:
            before.setdefault(name, place.read(configs))
        for place in places:
            place.write(configs, f"${{params.{name}}}")
    return before


def interpolated(template: Mapping[str, Any], part: str = "model") -> Iterator[Place]:
    """Yield the places of a config that depend on sampled values."""
    for place, value in _leaves(part, template.get(part)):
        if isinstance(value, str) and "${" in value and "params" in value:
            yield place


def _is_read(name: str, configs: Mapping[str, Any]) -> bool:
    return re.search(rf"\$\{{\s*params\.{re.escape(name)}(?!\w)", str(configs)) is not None


def _unknown(mapping: ParamMapping, names: Sequence[str]) -> Iterator[Problem]:
    for name in mapping:
        if name not in names:
            expected = f"a parameter of param_space: {listed(names)}"
            yield Problem(f"param_mapping.{name}", str(mapping[name]), expected, "leave it out")


def _mapped(
    configs: Mapping[str, Any], name: str, paths: str | Sequence[str], problems: list[Problem]
) -> list[Place]:
    places = []
    for path in [paths] if isinstance(paths, str) else paths:
        place = _at(configs, str(path))
        if place is not None:
            places.append(place)
            continue
        near = _near(str(path), configs)
        fix = f"write {near}" if near else "add the key to the config, with any value"
        expected = "the dotted path of a key in model_config, data_config or training_config"
        problems.append(Problem(f"param_mapping.{name}", str(path), expected, fix))
    return places


def _found(
    configs: Mapping[str, Any], name: str, problems: list[Problem], *, may_miss: bool
) -> list[Place]:
    for part in PARTS:
        exact = _walk(configs[part], part, name.split("."))
        if exact is not None:
            return [exact]
        places = [place for place in _all(part, configs[part]) if place.path[-1] == name]
        if len(places) == 1:
            return places
        if places:
            candidates = [".".join(map(str, place.path)) for place in places]
            problems.append(
                Problem(
                    f"param_space.{name}",
                    f"{len(places)} places in {part}_config: {listed(candidates)}",
                    "one place that its value lands in",
                    f"choose with param_mapping={{{name!r}: {candidates[0]!r}}}",
                )
            )
            return []
    prefixed = _at(configs, name)
    if prefixed is None and not may_miss:
        problems.append(_nowhere(configs, name))
    return [] if prefixed is None else [prefixed]


def _nowhere(configs: Mapping[str, Any], name: str) -> Problem:
    near = _near(name, configs)
    fix = f"write param_mapping={{{name!r}: {near!r}}}, or " if near else ""
    leaf = name.rpartition(".")[2]
    return Problem(
        f"param_space.{name}",
        "a parameter whose value would land nowhere",
        f"a key {leaf} in model_config, data_config or training_config",
        f"{fix}add the key to one of them, with any value",
    )


def _at(configs: Mapping[str, Any], path: str) -> Place | None:
    """Return the place of a dotted path, which may begin with the name of its config."""
    steps = path.split(".")
    tries = [(part, steps) for part in PARTS]
    if steps[0] in PARTS and len(steps) > 1:
        tries.append((steps[0], steps[1:]))
    for part, rest in tries:
        place = _walk(configs[part], part, rest)
        if place is not None:
            return place
    return None


def _walk(node: Any, part: str, steps: Sequence[str]) -> Place | None:
    path: list[str | int] = []
    for step in steps:
        if isinstance(node, list) and step.isdigit() and int(step) < len(node):
            path.append(int(step))
        elif isinstance(node, dict) and step in node:
            path.append(step)
        else:
            return None
        node = node[path[-1]]
    return Place(part, tuple(path))


def _all(part: str, node: Any, path: tuple[str | int, ...] = ()) -> Iterator[Place]:
    """Yield every place below a node, inner ones too."""
    pairs: Iterable[tuple[str | int, Any]] = ()
    if isinstance(node, dict):
        pairs = node.items()
    elif isinstance(node, list):
        pairs = enumerate(node)
    for step, child in pairs:
        yield Place(part, (*path, step))
        yield from _all(part, child, (*path, step))


def _leaves(part: str, node: Any) -> Iterator[tuple[Place, Any]]:
    configs = {part: node}
    for place in _all(part, node):
        value = place.read(configs)
        if not isinstance(value, (dict, list)):
            yield place, value


def _near(name: str, configs: Mapping[str, Any]) -> str | None:
    """Return the dotted path of the key that is spelt most like a name, or None."""
    paths = [
        ".".join(map(str, place.path)) for part in PARTS for place in _all(part, configs[part])
    ]
    by_leaf = {path.rpartition(".")[2]: path for path in reversed(paths)}
    near = near_miss(name, paths, alike=0.75)
    leaf = near_miss(name.rpartition(".")[2], by_leaf, alike=0.75)
    return near or (by_leaf[leaf] if leaf else None)
