"""From `${hpo.…:…}` in a YAML file to a value."""

from __future__ import annotations

import contextlib
import math
import re
import secrets
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf  # noqa: TC002 - OmegaConf reads the annotation

from hpo_app.plan.read_space import RULES, read_space


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What a run that began before it was looked at trains stays what it was.
_IS_TRIED: ContextVar[bool] = ContextVar("values are tried", default=False)
# How many times smaller than asked for a divisor may be.
_FARTHEST = 8
_BEFORE_INTERPOLATION = re.compile(r"(\\*)\$\{")


@contextlib.contextmanager
def trying() -> Iterator[None]:
    """Have resolvers refuse what can be computed, and is hardly what was meant."""
    token = _IS_TRIED.set(True)
    try:
        yield
    finally:
        _IS_TRIED.reset(token)


def register_resolvers() -> None:
    """Make our resolvers known to OmegaConf, in this process."""
    OmegaConf.register_resolver("hpo.defaults", _defaults, replace=True)
    OmegaConf.register_resolver("hpo.direction", direction, replace=True)
    OmegaConf.register_resolver("hpo.largest_divisor", largest_divisor, replace=True)
    OmegaConf.register_resolver("hpo.one_minus", one_minus, replace=True)
    OmegaConf.register_resolver("hpo.power_of_two", power_of_two, replace=True)
    OmegaConf.register_resolver("hpo.quotient", quotient, replace=True)
    OmegaConf.register_resolver("hpo.replay_mb", replay_mb, replace=True)
    OmegaConf.register_resolver("hpo.values", _values, replace=True)
    OmegaConf.register_resolver("hpo.unique", _unique, replace=True, use_cache=True)


def _defaults(space: DictConfig | None) -> dict[str, Any]:
    """`${hpo.defaults:${search_space}}`: what a model gets in the default configuration."""
    if space is None:  # A best.yaml as a choice of a config group leaves nothing to sample.
        return {}
    # Rules may hold ${params.…}, which are what is asked for here.
    entries = {str(name): _resolved(space[name]) for name in space if name != RULES}
    # An entry that cannot be read is left out here; the plan says what is wrong with it.
    typed, _ = read_space(entries)
    defaults = typed.defaults
    return nested({name: defaults.get(name, entries[name].get("otherwise")) for name in typed})


def _values(space: DictConfig, params: DictConfig) -> dict[str, Any]:
    """`${hpo.values:${search_space},${params}}`: the values by name, whatever dots names hold.

    One that has no say, and nothing under `otherwise`, is left out.
    """
    known = _resolved(params)
    found = {}
    for name in (str(name) for name in space if name != RULES):
        value = known
        for key in name.split("."):
            value = value[key]
        if value is not None or "when" not in space[name]:
            found[name] = literal(value)
    return found


def literal(value: Any) -> Any:
    """Return a value as OmegaConf has to be given it to hand it out as it is.

    Text in it that looks like an interpolation is text: a sampled value, or a journal from
    elsewhere, must not read the environment.
    """
    if isinstance(value, dict):
        return {name: literal(item) for name, item in value.items()}
    if isinstance(value, list):
        return [literal(item) for item in value]
    if isinstance(value, str):
        return _BEFORE_INTERPOLATION.sub(r"\1\1\\${", value)
    return value


def nested(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as `${params.a.b}` finds them, where a name holds dots."""
    root: dict[str, Any] = {}
    for name, value in params.items():
        *path, last = name.split(".")
        node = root
        for key in path:
            node = node.setdefault(key, {})
        node[last] = value
    return root


def _resolved(node: Any) -> Any:
    return OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node


def largest_divisor(wanted: int, *factors: int) -> int:
    """`${hpo.largest_divisor:wanted,a,b}`: largest divisor of the product, at most `wanted`.

    It keeps a minibatch a divisor of the rollout it is cut from, whatever is sampled.

    Raises:
        ValueError: While values are tried, if it is less than an eighth of what there is room for:
            another training, under the name of the one that was asked for.
    """
    product = 1
    for factor in factors:
        product *= int(factor)
    limit = min(int(wanted), product)
    # Divisors come in pairs around the root, so that a huge product costs its root at most.
    small = (size for size in range(1, math.isqrt(max(product, 0)) + 1) if product % size == 0)
    pairs = ((size, product // size) for size in small)
    found = max((size for pair in pairs for size in pair if size <= limit), default=1)
    if _IS_TRIED.get() and found * _FARTHEST < limit:
        raise ValueError(
            f"{wanted} is cut to a divisor of {product}, of which the largest below it is {found}; "
            f"{2 ** (product.bit_length() - 1)} in the place of {product} has more"
        )
    return found


def one_minus(value: float | None) -> float | None:
    """`${hpo.one_minus:value}`: for example a discount, whose distance to 1 is what one samples."""
    return None if value is None else 1 - value


def power_of_two(exponent: float | None) -> float | None:
    """`${hpo.power_of_two:exponent}`: 64 for 6, a whole number where the exponent is one."""
    return None if exponent is None else 2**exponent


def quotient(total: int, parts: int) -> int:
    """`${hpo.quotient:total,parts}`: how often `parts` goes into `total`, at least 1."""
    return max(1, int(total) // max(1, int(parts)))


def replay_mb(steps: int, step_bytes: int | None) -> float | None:
    """`${hpo.replay_mb:steps,bytes}`: megabytes of a checkpoint that holds so many steps.

    None where nobody knows what a step takes. One more is for what is not the buffer.
    """
    return None if step_bytes is None else math.ceil(steps * step_bytes / 1e5) / 10 + 1


def direction(mode: str) -> str:
    """`${hpo.direction:${objective.mode}}`: the mode in Optuna's words."""
    return {"min": "minimize", "max": "maximize"}.get(str(mode), str(mode))


def _unique() -> str:
    """`${hpo.unique:}`: eight hexadecimal digits, the same wherever one run asks for them.

    Of fifty runs that start in the same second, two share a folder once in three million times;
    the second of those finds the folder locked.
    """
    return secrets.token_hex(4)
