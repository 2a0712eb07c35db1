"""What a config computes from a sampled value, tried with the values that may be sampled."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hpo_app.config.render import Rendered, root_of
from hpo_app.config.resolvers import literal, register_resolvers, trying
from hpo_app.errors import Problem, first_of, listed
from hpo_app.plan.search_space import Choice
from hpo_app.plan.wording import as_typed


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hpo_app.plan.search_space import Parameter, Params, ParamValue, SearchSpace

_PARAM = re.compile(r"\$\{\s*params\.([A-Za-z_][\w.]*)\s*\}")
# A resolver, and not `${params.x}` by itself.
_CALL = re.compile(r"\$\{\s*[\w.]+\s*:")
# What else it reads.
_OTHER = re.compile(r"\$\{\s*((?!params\.)[A-Za-z_][\w.]*)\s*\}")
_OF_A_RESOLVER = "ValueError raised while resolving interpolation: "
_MOST_VALUES = 50
_STEPS = 10
_MOST_NAMED = 6
_Path = tuple[Any, ...]


def uncomputable(template: Mapping[str, Any], space: SearchSpace) -> Iterator[Problem]:
    """Yield what cannot be computed from some value that a search may sample.

    The default configuration is taken, and one parameter at a time is given each of its values, or
    some between the ends of its range; what only two of them together lead to is not seen.
    """
    computed = [
        (path, text)
        for part in Rendered._fields
        for path, text in _computed((part,), template.get(part))
        if any(name in space for name in _PARAM.findall(text))
    ]
    if not computed:
        return
    register_resolvers()
    defaults = space.defaults
    root = root_of(template, defaults)
    for path, text in computed:
        for name in filter(defaults.__contains__, dict.fromkeys(_PARAM.findall(text))):
            failed = {}
            for value in _around_default(space, defaults, name):
                # One value in one root: a root for each would cost a start more than all else here.
                OmegaConf.update(root, f"params.{name}", literal(value), merge=False)
                with trying():
                    error = _error(root, path)
                if error:
                    failed[as_typed(value)] = error
            OmegaConf.update(root, f"params.{name}", literal(defaults[name]), merge=False)
            if failed:
                yield _problem(path, text, name, failed)


def _error(root: Any, path: _Path) -> str:
    try:
        for key in path:
            root = root[key]
    except OmegaConfBaseException as error:
        return str(error).splitlines()[0].removeprefix(_OF_A_RESOLVER)
    return ""


def _problem(path: _Path, text: str, name: str, failed: Mapping[str, str]) -> Problem:
    values = listed(first_of(list(failed), _MOST_NAMED))
    others = listed(dict.fromkeys(_OTHER.findall(text))) or "what it is computed with"
    return Problem(
        ".".join(str(key) for key in path),
        f"for {name} of {values} nothing: {next(iter(failed.values()))}",
        "a value for whatever may be sampled",
        f"change {others}, or leave such values out of search_space.{name}",
    )


def _around_default(space: SearchSpace, defaults: Params, name: str) -> Iterator[ParamValue]:
    """Yield the values with which all else stays at its default, by conditions and rules."""
    for value in _values(space[name]):
        params = {**defaults, name: value}
        if space.active(params) == params and space.keeps(params):
            yield value


def _values(parameter: Parameter) -> list[ParamValue]:
    if isinstance(parameter, Choice):
        return list(parameter.values[:_MOST_VALUES])
    found = [parameter.at(step / _STEPS) for step in range(_STEPS + 1)]
    return list(dict.fromkeys(found))


def _computed(path: _Path, node: object) -> Iterator[tuple[_Path, str]]:
    if isinstance(node, dict):
        for name, child in node.items():
            yield from _computed((*path, name), child)
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _computed((*path, index), child)
    elif isinstance(node, str) and _CALL.search(node):
        yield path, node
