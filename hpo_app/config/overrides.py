"""From the text of an override to its parts: the one place that knows Hydra's marks."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from hpo_app.config.resolvers import literal
from hpo_app.errors import PlanError, Problem


if TYPE_CHECKING:
    from collections.abc import Iterable

    from omegaconf import DictConfig

# Hydra takes a dot for a part of a name where a backslash stands before it.
_BETWEEN_PARTS = re.compile(r"(?<!\\)\.")
_PLAIN = re.compile(r"[\w/:.@%+-]+")
# Of a range of thousands, the others are of the same kind.
_MOST_VALUES = 50
_BEFORE_QUOTE = re.compile(r"(\\+)(?='|$)")


class Override(NamedTuple):
    """One override as typed.

    Attributes:
        text: All of it.
        key: Dotted key or group, without `+`, `++`, `~` and package.
        value: What stands behind the first `=`; empty without one.
        mark: `+`, `++`, `~` or nothing.
    """

    text: str
    key: str
    value: str
    mark: str

    @property
    def root(self) -> str:
        """First part of the key: `model` of `model.noise`."""
        return self.key.split(".", maxsplit=1)[0]

    @property
    def set_by(self) -> str:
        """The override as a message names it."""
        return f"command line: {self.text}"

    @property
    def plain(self) -> str:
        """The override without its mark, as OmegaConf reads it."""
        return f"{self.key}={self.value}"


def read_override(text: str) -> Override:
    """Return the parts of one override."""
    name, _, value = text.partition("=")
    bare = name.lstrip("+~")
    return Override(text, bare.split("@", maxsplit=1)[0], value, name[: len(name) - len(bare)])


def key_parts(key: str) -> list[str]:
    r"""Return the names that a dotted key leads through: `a` and `b.c` of `a.b\.c`."""
    return [part.replace("\\.", ".") for part in _BETWEEN_PARTS.split(key)]


def single_values(text: str) -> list[str]:
    """Return the overrides that a sweep over some values stands for; others as they are.

    A sweep over values without number, or over what stands in a folder, stands for none.
    """
    override = OverridesParser.create().parse_override(text)
    if not override.is_sweep_override():
        return [text]
    if not override.is_discrete_sweep():
        return []
    name = text.partition("=")[0]
    return [f"{name}={value}" for value in islice(override.sweep_string_iterator(), _MOST_VALUES)]


def overrides_in(arguments: Iterable[str]) -> list[Override]:
    """Return the overrides of a command line, its flags left out."""
    return [
        read_override(text)
        for text in arguments
        if not text.startswith("-") and ("=" in text or text.startswith("~"))
    ]


def quoted(text: str) -> str:
    """Return text as Hydra's grammar has to be given it: backslashes count before a quote only."""
    escaped = _BEFORE_QUOTE.sub(r"\1\1", literal(text))
    return "'" + escaped.replace("'", "\\'") + "'"


def unquoted(text: str) -> str:
    """Return the text that a value stands for; as it was typed if that is known only later."""
    try:
        value: Any = OverridesParser.create().parse_override(f"key={text}").value()
        return str(OmegaConf.create({"value": getattr(value, "text", value)}).value)
    except (HydraException, OmegaConfBaseException):
        return text


def with_changes(config: DictConfig, overrides: Iterable[Override]) -> DictConfig:
    """Return a config that a file holds with overrides on top.

    Raises:
        PlanError: With all overrides that cannot be applied.
    """
    problems: list[Problem] = []
    for override in overrides:
        config = _with_change(config, override, problems)
    if problems:
        raise PlanError(problems)
    return config


def _with_change(config: DictConfig, override: Override, problems: list[Problem]) -> DictConfig:
    try:
        merged: Any = OmegaConf.merge(config, OmegaConf.from_dotlist([override.plain]))
    except (OmegaConfBaseException, YAMLError, ValueError, TypeError, RecursionError) as error:
        text = " ".join(str(error).split())
        expected = "KEY=VALUE with a value in YAML that fits the key"
        problems.append(Problem(override.key, override.value, expected, text, override.set_by))
        return config
    return merged  # type: ignore[no-any-return]


def spelled(key: str, place: str) -> str:
    """Return `key=place` as Hydra reads it: a place with more than plain letters is quoted."""
    return f"{key}={place}" if _PLAIN.fullmatch(place) else f'{key}="{place}"'
