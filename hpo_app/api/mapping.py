"""From the name of a parameter to the places in nested configs that its value lands in.

A place gets the interpolation that a YAML file would hold, `${params.name}`, so that both are
rendered, checked and stored alike.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from hpo_app.errors import Problem, listed, near_miss


if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Iterator, Sequence

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

    def overlaps(self, other: Place) -> bool:
        """Return whether both are one place, or one lies inside the other."""
        shared = min(len(self.path), len(other.path))
        return self.part == other.part and self.path[:shared] == other.path[:shared]

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
    of_model: Collection[str] = (),
) -> dict[str, Any]:
    """Write `${params.name}` into the configs for each parameter.

    Args:
        configs: `{"model": …, "data": …, "training": …}`, plain; changed in place.
        names: The parameters.
        mapping: `{parameter: dotted path, or several}`; a parameter that it lacks lands where its
            dotted name, or its one unambiguous leaf name, exists.
        problems: Gets what cannot be placed.
        deciding: Parameters that others depend on; they have a say also where they land nowhere.
        of_model: Parameters that a named model knows, for messages; none for one's own model.

    Returns:
        `{parameter: what stood at its first place}`, for those that have no default of their own.
        A parameter that the configs read already is left alone, and is not in it.
    """
    names = tuple(names)
    mapping = _sound_mapping(mapping, names, problems)
    placed: dict[str, list[Place]] = {}
    for name in names:
        if name in mapping:
            placed[name] = _mapped(configs, name, mapping[name], problems)
        elif not _is_read(name, configs):
            found = _found(configs, name, problems)
            if found is None and name not in deciding:
                problems.append(_nowhere(configs, name, of_model))
            placed[name] = found or []
    problems += _shared(placed, mapping)
    before = {name: places[0].read(configs) for name, places in placed.items() if places}
    taken: list[Place] = []
    for name, places in placed.items():
        for place in places:
            if not any(place.overlaps(other) for other in taken):
                place.write(configs, f"${{params.{name}}}")
                taken.append(place)
    return before


def _shared(placed: Mapping[str, list[Place]], mapping: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield each parameter whose value another one would write over."""
    taken: list[tuple[str, Place]] = []
    for name, places in placed.items():
        for place in places:
            found = next((each for each in taken if place.overlaps(each[1])), None)
            if found is None:
                taken.append((name, place))
                continue
            other, where = found
            key = f"param_{'mapping' if name in mapping else 'space'}.{name}"
            expected = f"a place of its own: the value of {other} lands in {where}"
            fix = f"map {name} to another key by param_mapping, or leave one of the two out"
            yield Problem(key, str(place), expected, fix)


def interpolated(template: Mapping[str, Any], part: str = "model") -> Iterator[Place]:
    """Yield the places of a config that depend on sampled values."""
    for place, value in _leaves(part, template.get(part)):
        if isinstance(value, str) and "${" in value and "params" in value:
            yield place


def _is_read(name: str, configs: Mapping[str, Any]) -> bool:
    return re.search(rf"\$\{{\s*params\.{re.escape(name)}(?!\w)", str(configs)) is not None


def _sound_mapping(
    mapping: Any, names: Sequence[str], problems: list[Problem]
) -> dict[str, list[str]]:
    """Return the paths by parameter; what is no path, or of no parameter, is put on record."""
    if mapping is None:
        return {}
    if not isinstance(mapping, Mapping):
        got, fix = f"{mapping!r:.60}", "write param_mapping={'lr': 'optimizer.lr'}"
        problems.append(Problem("param_mapping", got, "a mapping of parameters to paths", fix))
        return {}
    sound: dict[str, list[str]] = {}
    refused = {problem.key for problem in problems}
    for name, paths in mapping.items():
        listed_paths = [paths] if isinstance(paths, str) else paths
        if f"param_space.{name}" in refused:
            continue  # What is wrong with it is said already.
        if name not in names:
            expected, near = (
                f"a parameter of param_space: {listed(names)}",
                near_miss(str(name), names),
            )
            fix = f"write {near!r}" if near else "leave it out"
            problems.append(Problem(f"param_mapping.{name}", str(paths), expected, fix))
        elif _are_paths(listed_paths):
            sound[name] = list(listed_paths)
        else:
            expected = "a dotted path as text, or a list of them"
            fix = f"write param_mapping={{{name!r}: 'optimizer.lr'}}"
            problems.append(Problem(f"param_mapping.{name}", f"{paths!r:.60}", expected, fix))
            sound[name] = []
    return sound


def _are_paths(paths: Any) -> bool:
    return (
        isinstance(paths, (list, tuple))
        and bool(paths)
        and all(isinstance(path, str) and path for path in paths)
    )


def _mapped(
    configs: Mapping[str, Any], name: str, paths: Sequence[str], problems: list[Problem]
) -> list[Place]:
    places = []
    for path in paths:
        place = _at(configs, path)
        if place is not None:
            places.append(place)
            continue
        near = _near(path, configs)
        fix = f"write {near}" if near else "add the key to the config, with any value"
        expected = "the dotted path of a key in model_config, data_config or training_config"
        problems.append(Problem(f"param_mapping.{name}", path, expected, fix))
    return places


def _found(configs: Mapping[str, Any], name: str, problems: list[Problem]) -> list[Place] | None:
    """Return where a name leads: None for nowhere; no place where that is a problem already."""
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
    return None if prefixed is None else [prefixed]


def _nowhere(configs: Mapping[str, Any], name: str, of_model: Collection[str]) -> Problem:
    key, got = f"param_space.{name}", "a parameter whose value would land nowhere"
    near = _near(name, configs)
    mapped = f"write param_mapping={{{name!r}: {near!r}}}, or " if near else ""
    if of_model:
        meant = near_miss(name, of_model)
        expected = f"a parameter of the model: {listed(of_model)}; or a key of its configs"
        fix = f"write {meant!r}" if meant else f"{mapped}choose one of them"
        return Problem(key, got, expected, fix)
    leaf = name.rpartition(".")[2]
    expected = f"a key {leaf} in model_config, data_config or training_config"
    return Problem(key, got, expected, f"{mapped}add the key to one of them, with any value")


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
