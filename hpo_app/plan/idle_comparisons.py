"""From a rule to the comparisons in it that say nothing: they hold for every value, or for none.

A misspelt word is one: `optimizer == 'sgdd'` where there is no such optimizer. Looked at are
comparisons of a parameter with what reads none. Where two parameters meet, or a sum, a range that a
person narrowed may well make a comparison idle.
"""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from hpo_app.errors import Problem
from hpo_app.plan.rule import RuleError, constant_of, holds_between
from hpo_app.plan.search_space import Choice, Integer, is_number
from hpo_app.plan.wording import in_a_rule, meant, typed, values_of


if TYPE_CHECKING:
    from collections.abc import Iterator

    from hpo_app.plan.rule import Rule
    from hpo_app.plan.search_space import Parameter, ParamValue, SearchSpace

_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE,
    ast.Eq: ast.Eq, ast.NotEq: ast.NotEq,
}  # fmt: skip
_ORDERS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_EQUALS = (ast.Eq, ast.NotEq)


class _Pair(NamedTuple):
    """One comparison of a parameter, on the left, with what reads no parameter."""

    name: str
    op: ast.cmpop
    constant: Any


def idle_comparisons(rule: Rule, space: SearchSpace, key: str) -> Iterator[Problem]:
    """Yield every comparison with a constant whose outcome no value of the parameter changes.

    Args:
        rule: A rule whose names are parameters of the space.
        space: What may be sampled.
        key: Dotted key of the rule in the config, for the messages.
    """
    out = f"correct it, or take the rule out with {typed(f'{key}=null')}"
    for node in ast.walk(rule.tree):
        if isinstance(node, ast.Compare):
            strangers = list(_strangers(node, space))
            for name, constant, known in strangers:
                got = f"{ast.unparse(node)}, but {name} is never {in_a_rule(constant)}"
                miss = meant(constant, known)
                expected = f"what {name} can be: {values_of(space[name])}"
                yield Problem(key, got, expected, f"write {miss}" if miss else out)
            outcome = _outcome(node, space)
            if not strangers and outcome is not None:
                (name,) = {pair.name for pair in _pairs(node, space) if pair is not None}
                got = f"{ast.unparse(node)}, which {'always' if outcome else 'never'} holds"
                expected = f"one that depends on {name}, which is {values_of(space[name])}"
                yield Problem(key, got, expected, out)


def _strangers(
    node: ast.Compare, space: SearchSpace
) -> Iterator[tuple[str, Any, tuple[ParamValue, ...]]]:
    """Yield constants that a parameter is asked to equal and never does, beside its values."""
    for left, op, right in _sides(node):
        for one, other in ((left, right), (right, left)) if isinstance(op, _EQUALS) else ():
            if _is_parameter(one, space):
                yield from _never_equal(one.id, [other], space)  # type: ignore[attr-defined]
        if isinstance(op, ast.In | ast.NotIn):
            if _is_parameter(left, space) and isinstance(right, ast.List | ast.Tuple):
                yield from _never_equal(left.id, right.elts, space)  # type: ignore[attr-defined]
            elif _is_parameter(right, space):
                yield from _never_inside(left, right.id, space)  # type: ignore[attr-defined]


def _never_equal(
    name: str, nodes: list[ast.expr], space: SearchSpace
) -> Iterator[tuple[str, Any, tuple[ParamValue, ...]]]:
    parameter = space[name]
    known = parameter.values if isinstance(parameter, Choice) else ()
    for constant in _constants(nodes):
        if not _can_equal(parameter, constant):
            yield name, constant, known


def _never_inside(
    node: ast.expr, name: str, space: SearchSpace
) -> Iterator[tuple[str, Any, tuple[ParamValue, ...]]]:
    """Yield a constant that is in none of the lists that a choice consists of."""
    parameter = space[name]
    if isinstance(parameter, Choice):
        inside = [item for value in parameter.values if isinstance(value, list) for item in value]
        for constant in _constant(node):
            if inside and constant not in inside:
                yield name, constant, tuple(inside)


def _can_equal(parameter: Parameter, constant: Any) -> bool:
    if isinstance(parameter, Choice):
        return constant in parameter.values
    if not is_number(constant):
        return False
    is_whole = isinstance(parameter, Integer) and float(constant).is_integer()
    return parameter.contains(int(constant) if is_whole else constant)


def _outcome(node: ast.Compare, space: SearchSpace) -> bool | None:
    """Return what a comparison comes to whatever is drawn; None if that depends."""
    outcomes = [None if pair is None else _always(pair, space) for pair in _pairs(node, space)]
    names = {pair.name for pair in _pairs(node, space) if pair is not None}
    if len(names) != 1:
        return None
    if False in outcomes:
        return False
    return None if None in outcomes else True


def _always(pair: _Pair, space: SearchSpace) -> bool | None:
    """Return whether all values of a parameter compare alike, and how; None if they do not."""
    parameter = space[pair.name]
    values = parameter.values if isinstance(parameter, Choice) else _ends(parameter)
    if len(set(map(in_a_rule, values))) < 2:
        return None  # A person fixed it: nothing that reads it depends on anything.
    is_order = isinstance(pair.op, _ORDERS)
    if is_order and not all(map(_is_comparable, (*values, pair.constant))):
        return None  # A mistake of type.
    if not is_order and not isinstance(parameter, Choice):
        return None  # The ends say nothing of what lies between them.
    found = {holds_between(pair.op, value, pair.constant) for value in values}
    return found.pop() if len(found) == 1 else None


def _ends(parameter: Any) -> tuple[float, float]:
    low, high = parameter.low, parameter.high
    return (-math.inf if low is None else low, math.inf if high is None else high)


def _is_comparable(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _pairs(node: ast.Compare, space: SearchSpace) -> list[_Pair | None]:
    """Return each comparison of a chain; None for one that is not of a parameter and a constant."""
    return [_pair(left, op, right, space) for left, op, right in _sides(node)]


def _pair(left: ast.expr, op: ast.cmpop, right: ast.expr, space: SearchSpace) -> _Pair | None:
    if _is_parameter(right, space) and type(op) in _TURNED:
        left, op, right = right, _TURNED[type(op)](), left
    constants = _constant(right)
    if not _is_parameter(left, space) or not constants:
        return None
    is_list = isinstance(constants[0], list)
    if isinstance(op, ast.In | ast.NotIn) and not is_list:
        return None  # A mistake of type.
    return _Pair(left.id, op, constants[0])  # type: ignore[attr-defined]


def _sides(node: ast.Compare) -> list[tuple[ast.expr, ast.cmpop, ast.expr]]:
    sides = [node.left, *node.comparators]
    return list(zip(sides, node.ops, sides[1:], strict=False))


def _is_parameter(node: ast.expr, space: SearchSpace) -> bool:
    return isinstance(node, ast.Name) and node.id in space.parameters


def _constants(nodes: list[ast.expr]) -> list[Any]:
    return [constant for node in nodes for constant in _constant(node)]


def _constant(node: ast.expr) -> list[Any]:
    try:
        return [constant_of(node)]
    except (KeyError, RuleError, ArithmeticError):
        return []  # It reads a parameter, or has no value: not for us to say.
