"""From Hydra's sweep grammar to a search space, and the overrides that stay the same."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import IntervalSweep, Override, RangeSweep
from hydra.errors import HydraException

from hpo_app.errors import Problem, listed, near_miss


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TAGS = ("log", "ordered")
# Beyond it a range is a scale of numbers, and no list of values.
_MOST_LISTED = 1000
_NO_NAME = re.compile(r"[^A-Za-z0-9_.]")
_OK_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


@dataclass
class Sweep:
    """What a command line asks to sweep over.

    Attributes:
        fixed: Overrides of every trial, as they were typed.
        space: Entries of a search space, by name.
        keys: `{name: key}`: the key of the override, with its marks and package.
        groups: Names of those that choose from a config group.
    """

    fixed: list[str] = field(default_factory=list)
    space: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    groups: set[str] = field(default_factory=set)


def read_sweep(arguments: Sequence[str], loader: Any, problems: list[Problem]) -> Sweep:
    """Return what a command line says; what is wrong with it is put on record.

    A parameter has the name of its key, as far as a name may hold it. The later of two overrides
    of one key counts.

    Args:
        arguments: Overrides without Hydra's own.
        loader: The app's config loader, which knows the choices of its groups.
        problems: The record.
    """
    parsed = OverridesParser.create(config_loader=loader).parse_overrides(list(arguments))
    last = {_bare(each): index for index, each in enumerate(parsed)}
    sweep = Sweep()
    sampled: list[Override] = []
    for index, each in enumerate(parsed):
        is_last = last[_bare(each)] == index
        if each.is_sweep_override():
            sampled += [each] if is_last else []
        # Of what is not swept all count, in their order: one may add to a list of another.
        elif is_last or not parsed[last[_bare(each)]].is_sweep_override():
            sweep.fixed.append(str(each.input_line))
    for name, each in zip(_names(sampled), sampled, strict=True):
        sweep.space[name] = _entry(each, problems)
        sweep.keys[name] = each.get_key_element()
        if _is_group(each, loader):
            sweep.groups.add(name)
    return sweep


def _bare(override: Override) -> str:
    return str(override.get_key_element().lstrip("+~"))


def _is_group(override: Override, loader: Any) -> bool:
    return not override.is_value_path and bool(loader.get_group_options(override.key_or_group))


def _names(overrides: Sequence[Override]) -> list[str]:
    """Return a name for each key: plain words, none of which begins another."""
    names: list[str] = []
    for override in overrides:
        name = _NO_NAME.sub("_", override.get_key_element().lstrip("+"))
        names.append(name if _OK_NAME.fullmatch(name) else _plain(name))
    for index, name in enumerate(names):
        if any(name.startswith(f"{other}.") for other in names):
            names[index] = _plain(name)
    for index, name in enumerate(names):
        while names.index(names[index]) != index:
            names[index] = f"{name}_{index}"
    return names


def _plain(name: str) -> str:
    plain = re.sub(r"\W", "_", name)
    return plain if plain.isidentifier() else f"_{plain}"


def _entry(override: Override, problems: list[Problem]) -> dict[str, Any]:
    value: Any = override._value
    key, text = override.get_key_element(), str(override.input_line)
    for tag in sorted(set(getattr(value, "tags", ())) - set(TAGS)):
        miss = near_miss(tag, TAGS)
        fix = f"write tag({miss}, …)" if miss else "leave it out"
        problems.append(Problem(key, f"tag({tag}, …)", f"one of {listed(TAGS)}", fix, _said(text)))
    if isinstance(value, IntervalSweep):
        return _interval(value)
    try:
        return _list(override, value)
    except HydraException as error:
        problems.append(Problem(key, text, "a sweep with values", str(error), _said(text)))
        return {"type": "choice", "values": [None]}


def _interval(value: Any) -> dict[str, Any]:
    is_whole = isinstance(value.start, int) and isinstance(value.end, int)
    kind = "randint" if is_whole else "uniform"
    if "log" in value.tags:
        kind = "lograndint" if is_whole else "loguniform"
    return {"type": kind, "low": value.start, "high": value.end}


def _list(override: Override, value: Any) -> dict[str, Any]:
    is_range = isinstance(value, RangeSweep)
    if is_range and not value.transformers:
        count = _count(value)
        step = abs(value.step)
        if count > _MOST_LISTED:
            far = value.start + (count - 1) * value.step
            low, high = sorted((value.start, far))
            is_whole = all(isinstance(each, int) for each in (low, high, step))
            return {
                "type": "qrandint" if is_whole else "quniform",
                "low": low if is_whole else float(low),
                "high": high if is_whole else float(high),
                "q": step if is_whole else float(step),
            }
        if count > 1 and step == 1 and isinstance(value.start, int):
            ends = sorted((value.start, value.start + (count - 1) * int(value.step)))
            return {"type": "randint", "low": ends[0], "high": ends[1]}
    values = [Override._convert_value(each) for each in override.sweep_iterator()]
    if not values:
        raise HydraException("name a range or choice that holds at least one value")
    if isinstance(value, RangeSweep) and value.step < 0:
        values.reverse()
    is_ordered = is_range or "ordered" in getattr(value, "tags", ())
    return {"type": "ordinal" if is_ordered else "choice", "values": values}


def _count(value: RangeSweep) -> int:
    """Return how many values a range has, without making them."""
    if value.step == 0:
        raise HydraException("give the range a step other than 0")
    ends: Mapping[str, Any] = {"start": value.start, "stop": value.stop}
    return max(0, math.ceil((float(ends["stop"]) - float(ends["start"])) / float(value.step)))


def _said(text: str) -> str:
    return f"command line: {text}"
