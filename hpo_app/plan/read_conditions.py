"""From what stands below `when:` to the conditions under which a parameter is active."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from hpo_app.errors import Problem, listed, near_miss
from hpo_app.plan.search_space import Choice, Integer, is_one_of
from hpo_app.plan.wording import as_typed, in_a_rule, key_of, meant, values_of


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hpo_app.plan.search_space import Parameter, ParamValue

Conditions: TypeAlias = "dict[str, dict[str, Sequence[ParamValue]]]"


def read_conditions(
    entries: Mapping[str, Any], parameters: Mapping[str, Parameter], key: str
) -> tuple[Conditions, list[Problem]]:
    """Return the conditions of a search space, and everything that is wrong with them.

    Args:
        entries: `{name: {…, when: {other: value or list of values}}}`, as written in YAML.
        parameters: Those of the entries that are sound.
        key: Dotted key of the space in the config, for the messages.

    Returns:
        `{name: {other: values}}` with the conditions of the others among them, and the problems.
    """
    written: Conditions = {}
    problems: list[Problem] = []
    for name in parameters:
        when = entries[name].get("when")
        if when is None:
            continue
        found = list(_problems(when, name, f"{key_of(key, name)}.when", entries, parameters))
        problems += found
        if not found:
            written[name] = {other: _as_list(values) for other, values in when.items()}
    conditions: Conditions = {}
    for name in written:
        circle = _circle(name, written)
        if circle:
            expected = "conditions that do not come back to the parameter itself"
            got = " → ".join(circle)
            problems.append(
                Problem(f"{key_of(key, name)}.when", got, expected, "leave one of them out")
            )
        else:
            conditions[name] = _with_those_of_others(name, written)
    problems += _never_active(conditions, key)
    return conditions, problems


def _problems(
    when: Any,
    name: str,
    key: str,
    entries: Mapping[str, Any],
    parameters: Mapping[str, Parameter],
) -> Iterator[Problem]:
    if not hasattr(when, "items") or not when:
        others = [other for other in entries if other != name]
        fix = f"write {{{others[0] if others else 'NAME'}: VALUE}}"
        yield Problem(key, str(when), "a mapping of parameters to their values", fix)
        return
    for other, values in when.items():
        if other not in entries:
            miss = near_miss(str(other), entries)
            fix = f"write {miss}" if miss else "name one of them, or remove the condition"
            expected = f"a parameter of the search space: {listed(entries)}"
            yield Problem(key_of(key, other), str(other), expected, fix)
        elif other in parameters:  # Of any other it is said already what is wrong with it.
            yield from _problems_of_values(parameters[other], values, key_of(key, other))


def _problems_of_values(other: Parameter, values: Any, key: str) -> Iterator[Problem]:
    if not isinstance(other, Choice | Integer):
        expected = "a parameter whose values can be told apart: a choice or a whole number"
        yield Problem(key, type(other).__name__.lower(), expected, "depend on another parameter")
        return
    if isinstance(values, (list, tuple)) and not values:
        yield Problem(key, "[]", "at least one value", "add one, or remove the condition")
    for value in _as_list(values):
        if not other.contains(value):
            is_list = isinstance(values, (list, tuple)) and other.contains(list(values))
            miss = meant(value, other.values if isinstance(other, Choice) else ())
            fix = f"write {miss}" if miss else "correct it, or remove the condition"
            fix = f"write [{in_a_rule(values)}]: a list means any of these" if is_list else fix
            expected = f"what it can be: {values_of(other)}"
            yield Problem(key, as_typed(values), expected, fix)
            return


def _as_list(values: Any) -> Sequence[ParamValue]:
    return tuple(values) if isinstance(values, (list, tuple)) else (values,)


def _circle(name: str, written: Conditions) -> list[str]:
    """Return the way from a parameter back to itself; empty if there is none."""
    ways = [[name]]
    seen = {name}
    while ways:
        way = ways.pop()
        for other in written.get(way[-1], {}):
            if other == name:
                return [*way, other]
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return []


def _with_those_of_others(name: str, written: Conditions) -> dict[str, Sequence[ParamValue]]:
    found: dict[str, Sequence[ParamValue]] = {}
    waiting, seen = [name], {name}
    while waiting:
        for other, values in written.get(waiting.pop(), {}).items():
            known = found.get(other, values)
            found[other] = tuple(value for value in values if is_one_of(value, known))
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return found


def _never_active(conditions: Conditions, key: str) -> Iterator[Problem]:
    for name, others in conditions.items():
        for other, values in others.items():
            if not values:
                got = f"conditions of which no value of {other} meets all"
                expected = "conditions that can be met: those of the others in them count too"
                yield Problem(f"{key_of(key, name)}.when", got, expected, "loosen one of them")
