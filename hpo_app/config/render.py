"""From a template and sampled values to the concrete config that a trial trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hpo_app.config.resolvers import literal, nested, register_resolvers
from hpo_app.config.secrets import fix_of
from hpo_app.errors import Problem


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from omegaconf import DictConfig

    from hpo_app.plan.search_space import Params


TRUSTED = "trusted_modules"
# The sections in which trainers look for it.
READERS = ("model", "data")


class Rendered(NamedTuple):
    """What a training function is given: plain dicts without an interpolation left."""

    model: dict[str, Any]
    data: dict[str, Any]
    training: dict[str, Any]


def render(template: Mapping[str, Any], params: Params) -> Rendered:
    """Return model, data and training config with `params` in place.

    Args:
        template: The composed config as plain containers, interpolations unresolved.
        params: Values for `${params.…}`. An inactive parameter has none here; it is what its entry
            in the search space says under `otherwise`, or null.
    """
    register_resolvers()
    root = root_of(template, params)
    parts = [OmegaConf.to_container(root[part], resolve=True) for part in Rendered._fields]
    return Rendered(*parts)  # type: ignore[arg-type]


def unresolvable(template: Mapping[str, Any], params: Params) -> Iterator[Problem]:
    """Yield the interpolations of model, data and training that lead nowhere."""
    register_resolvers()
    root = root_of(template, params)
    for part in Rendered._fields:
        problem = _resolve(root, part)
        # The rules name those that lead to params, with the parameter that was meant.
        if problem is not None and "params." not in problem.got:
            yield problem


def with_typed_trust(rendered: Rendered, trusted: Sequence[str]) -> Rendered:
    """Return a configuration in which trainers find what a person trusts, whatever stood there.

    Interpolations lead a section anywhere, so that only what is resolved can be relied on.
    """
    for part in READERS:
        section = getattr(rendered, part)
        if TRUSTED in section:
            section[TRUSTED] = list(trusted)
    return rendered


def root_of(template: Mapping[str, Any], params: Params) -> DictConfig:
    """Return the whole config with `params` in place, nothing of it resolved yet."""
    entries = template.get("search_space")
    inactive = {
        name: entry.get("otherwise")
        for name, entry in (entries.items() if isinstance(entries, dict) else ())
        if isinstance(entry, dict) and "when" in entry
    }
    return OmegaConf.create({**template, "params": nested({**inactive, **literal(params)})})


def _resolve(root: DictConfig, part: str) -> Problem | None:
    try:
        node = root[part]
        if not OmegaConf.is_dict(node):
            return Problem(part, str(node), "a section with keys", "remove the override")
        OmegaConf.to_container(node, resolve=True)
    except OmegaConfBaseException as error:
        key = str(getattr(error, "full_key", "") or part)
        text = str(error).splitlines()[0]
        fix = fix_of(error, otherwise="correct the key")
        return Problem(key, text, "an interpolation that can be resolved", fix)
    return None
