"""From parameters, values and keys to the words that messages have for them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from hpo_app.errors import near_miss
from hpo_app.plan.search_space import Choice, Integer, Normal


if TYPE_CHECKING:
    from collections.abc import Iterable

    from hpo_app.plan.search_space import Parameter, ParamValue

_WORDS = {True: "true", False: "false", None: "null"}
_MOST_LISTED = 12


def key_of(key: str, name: object) -> str:
    """Return the key of something below another; Hydra takes a dot in a name after a backslash."""
    escaped = str(name).replace(".", "\\.")
    return f"{key}.{escaped}"


def typed(override: str) -> str:
    """Return an override as a shell has to be given it."""
    return shlex.quote(override) if "\\" in override else override


def as_typed(value: object) -> str:
    """Return a value as a person would type it; text that looks like a number says that it is."""
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    return f"{value!r} (text)" if isinstance(value, str) and is_like_a_number(value) else str(value)


def is_like_a_number(text: str) -> bool:
    """Return whether text reads as a number, as one in quotes does."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def in_a_rule(value: object) -> str:
    """Return a value as it stands in a rule: text in quotes, and the words of YAML for others."""
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(in_a_rule, value))}]"
    return _WORDS[value] if value is None or isinstance(value, bool) else repr(value)


def values_of(parameter: Parameter) -> str:
    """Return which values a parameter has, for a message: `whole numbers from 2 to 8 …`."""
    if isinstance(parameter, Choice):
        shown = [in_a_rule(value) for value in parameter.values[:_MOST_LISTED]]
        more = (
            [f"{len(parameter.values) - len(shown)} more"]
            if parameter.values[_MOST_LISTED:]
            else []
        )
        return f"one of {', '.join([*shown, *more])}"
    if isinstance(parameter, Normal):
        low = f" from {parameter.low:g}" if parameter.low is not None else ""
        high = f" to {parameter.high:g}" if parameter.high is not None else ""
        return f"a number{low}{high}"
    ends = f"from {_exact(parameter.low)} to {_exact(parameter.high)}"
    if isinstance(parameter, Integer):
        return f"a whole number {ends}" + (f" in steps of {parameter.step}" * (parameter.step > 1))
    return f"a number {ends}" + (f" in steps of {parameter.step:g}" if parameter.step else "")


def meant(value: object, values: Iterable[ParamValue]) -> ParamValue | str:
    """Return the value, as it stands in a rule, that another was probably meant to be; or ''."""
    known = {str(in_a_rule(item)).strip("'\"").casefold(): in_a_rule(item) for item in values}
    miss = near_miss(in_a_rule(value).strip("'\"").casefold(), known)
    return known[miss] if miss else ""


def _exact(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"
