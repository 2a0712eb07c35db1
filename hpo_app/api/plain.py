"""From what Python code holds to what a config can hold: numbers, text, flags, lists, mappings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from pathlib import PurePath
from typing import Any

from omegaconf import ListConfig, OmegaConf

from hpo_app.errors import Problem


_EXPECTED = "numbers, text, True, False, None, and lists and mappings of these"
MISSING = "???"
_DATACLASS = "write dataclasses.asdict(…) of it"
_FIX = "name it in words, and let your training function look it up by that name"


def plain_config(config: Any, key: str, problems: list[Problem]) -> dict[str, Any]:
    """Return a config as plain dicts of its own; what is no config is put on record.

    NumPy's numbers become Python's, tuples become lists, paths become text, and a DictConfig of
    OmegaConf is taken with its interpolations.

    Args:
        config: A mapping.
        key: What it is called in messages.
        problems: The record.
    """
    if OmegaConf.is_config(config):
        config = OmegaConf.to_container(config, resolve=False)
    if not isinstance(config, Mapping):
        got = f"{config!r:.60} ({type(config).__name__})"
        fix = _DATACLASS if _is_dataclass(config) else f"write {key}={{…}}"
        problems.append(Problem(key, got, "a mapping", fix))
        return {}
    value = _plain(config, key, problems)
    return value if isinstance(value, dict) else {}


def plain_value(value: Any, key: str, problems: list[Problem]) -> Any:
    """Return one value as `plain_config` does."""
    if OmegaConf.is_config(value):
        value = OmegaConf.to_container(value, resolve=False)
    return _plain(value, key, problems)


def refuse_missing(value: Any, key: str, problems: list[Problem]) -> None:
    """Put each `???` in a plain value on record: OmegaConf would take it for no value at all."""
    if isinstance(value, dict):
        for name, item in value.items():
            refuse_missing(item, f"{key}.{name}", problems)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            refuse_missing(item, f"{key}[{index}]", problems)
    elif isinstance(value, str) and value == MISSING:
        got = f"{MISSING}, which says that a value is missing"
        problems.append(Problem(key, got, "a value", "write one in its place"))


def _plain(value: Any, key: str, problems: list[Problem]) -> Any:
    if isinstance(value, Enum):
        value = value.value
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Mapping):
        return {
            _name(name, key, problems): _plain(item, f"{key}.{name}", problems)
            for name, item in value.items()
        }
    if isinstance(value, (list, tuple, range, ListConfig)):
        return [_plain(item, f"{key}[{index}]", problems) for index, item in enumerate(value)]
    if isinstance(value, (str, PurePath)):
        return str(value)
    number = _python_number(value)
    if number is None:
        got = f"{value!r:.60} ({type(value).__name__})"
        problems.append(Problem(key, got, _EXPECTED, _fix(value)))
    return number


def _fix(value: Any) -> str:
    if isinstance(value, (set, frozenset)):
        return "write a list: a set has no order"
    if _is_dataclass(value):
        return _DATACLASS
    if hasattr(value, "tolist"):
        return "write a list, by its .tolist()"
    return _FIX


def _is_dataclass(value: Any) -> bool:
    return is_dataclass(value) and not isinstance(value, type)


def _name(name: Any, key: str, problems: list[Problem]) -> Any:
    if not isinstance(name, (str, int, float, bool)):
        problems.append(Problem(key, f"a key {name!r:.60}", "keys that are text", "rename it"))
        return str(name)
    return name


def _python_number(value: Any) -> Any:
    """Return the Python number in a NumPy or torch scalar, and None for anything else."""
    item = getattr(value, "item", None)
    if item is None or getattr(value, "shape", None) not in ((), None):
        return None
    number = item()
    return number if type(number) in (bool, int, float, str) else None
