"""From a rule across parameters, written as a comparison, to whether a configuration keeps it."""

from __future__ import annotations

import ast
import math
import operator
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from hpo_app.errors import listed


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from hpo_app.plan.search_space import Params

# Python's parser recurses: what a person writes is far shorter.
_LONGEST = 500
# So does what reads the tree.
_DEEPEST = 60
_ORDERS = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge}
_ARITHMETIC = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {"abs": abs, "max": max, "min": min}
_CONSTANTS = {"true": True, "false": False, "null": None}
# Stands for a number of which only that is known: what is compared with it stays open, so that
# every part of a rule is read whose types could be wrong.
ANY_NUMBER = math.nan
# Each is a node and what it is made of; anything else is refused.
_ALLOWED = (
    ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.BinOp,
    *_ARITHMETIC, ast.Compare, *_ORDERS, ast.Eq, ast.NotEq, ast.In, ast.NotIn,
    ast.List, ast.Tuple, ast.Name, ast.Load, ast.Constant, ast.Call,
)  # fmt: skip


class RuleError(ValueError):
    """A rule that says nothing; the text says why."""


class _Open(Enum):
    """A truth that depends on numbers which are not known."""

    OPEN = "open"


_OPEN = _Open.OPEN
_Truth: TypeAlias = "bool | Literal[_Open.OPEN]"


@dataclass(frozen=True)
class Rule:
    """A rule across parameters.

    Attributes:
        text: As it is written.
        names: The parameters that it reads.
        tree: What Python's parser makes of it, of allowed parts only.
    """

    text: str
    names: tuple[str, ...]
    tree: ast.expr = field(compare=False, repr=False)

    def holds(self, params: Params) -> bool:
        """Return whether a configuration keeps the rule.

        A rule has nothing to say where one of its parameters is inactive. Where it has no value,
        as after a division by zero, it is not kept.
        """
        try:
            return self.value(params)
        except (RuleError, ArithmeticError):
            return False

    def value(self, params: Params) -> bool:
        """Return whether a configuration keeps the rule.

        Raises:
            RuleError: If it is neither true nor false, or compares or adds what is no number.
            ArithmeticError: If it divides by zero, or leaves the range of numbers.
        """
        if any(name not in params for name in self.names):
            return True
        return _truth(self.tree, params) is True

    def objection(self, params: Params) -> str:
        """Return why the rule says nothing of a configuration; empty if it does.

        Args:
            params: The values; `ANY_NUMBER` has the parts read that some number leads to.
        """
        try:
            self.value(params)
        except RuleError as error:
            return str(error)
        except ArithmeticError:
            return ""  # Not kept: of others it says something.
        return ""


def read_rule(text: str) -> Rule:
    """Return the rule that a text holds: comparisons, arithmetic, and, or, not, min, max, abs.

    Raises:
        RuleError: If it holds anything else.
    """
    if len(text) > _LONGEST:
        raise RuleError(f"it is longer than {_LONGEST} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        raise RuleError(f"it cannot be read: {said}") from error
    if _depth(tree) > _DEEPEST:
        raise RuleError(f"it is nested more than {_DEEPEST} deep")
    tree = _Paths().visit(tree)
    called = set()
    for node in ast.walk(tree):
        _refuse_others(node)
        if isinstance(node, ast.Call):
            called.add(node.func)
    found = {
        node.id: None
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node not in called and node.id not in _CONSTANTS
    }
    return Rule(text.strip(), tuple(found), tree)


def _depth(tree: ast.AST) -> int:
    """Return how many levels of nodes a tree has, counted without recursion."""
    depth, level = 0, [tree]
    while level:
        depth += 1
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return depth


class _Paths(ast.NodeTransformer):
    """Makes one name of a path: the name of a parameter may hold dots."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        inner = self.visit(node.value)
        if isinstance(inner, ast.Name):
            return ast.Name(f"{inner.id}.{node.attr}", ast.Load())
        return node


def _refuse_others(node: ast.AST) -> None:
    if not isinstance(node, _ALLOWED):
        shown = ast.unparse(node) if isinstance(node, ast.expr) else type(node).__name__
        raise RuleError(f"it may not hold {shown}")
    if isinstance(node, ast.Call):
        is_known = isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS
        if not is_known or node.keywords:
            raise RuleError(f"it may call {listed(_FUNCTIONS)} only, and not {ast.unparse(node)}")


def constant_of(node: ast.expr) -> Any:
    """Return what a part of a rule is worth that reads no parameter.

    Raises:
        RuleError: If it has a mistake of type.
        ArithmeticError: If it divides by zero, or leaves the range of numbers.
        KeyError: If it does read one.
    """
    return _value(node, {})


def holds_between(op: ast.cmpop, left: Any, right: Any) -> bool:
    """Return whether one comparison holds between two values of fitting types."""
    if type(op) in _ORDERS:
        return bool(_ORDERS[type(op)](left, right))
    if isinstance(op, ast.Eq | ast.NotEq):
        return bool(left == right) is isinstance(op, ast.Eq)
    return (left in right) is isinstance(op, ast.In)


def _truth(node: ast.expr, params: Mapping[str, Any]) -> _Truth:
    value = _value(node, params)
    if value is not _OPEN and not isinstance(value, bool):
        raise RuleError(f"{ast.unparse(node)} is neither true nor false")
    return value


def _value(node: ast.expr, params: Mapping[str, Any]) -> Any:
    return _READERS[type(node)](node, params)


def _constant(node: Any, _params: Mapping[str, Any]) -> Any:
    return node.value


def _name(node: Any, params: Mapping[str, Any]) -> Any:
    return _CONSTANTS[node.id] if node.id in _CONSTANTS else params[node.id]


def _items(node: Any, params: Mapping[str, Any]) -> list[Any]:
    return [_value(item, params) for item in node.elts]


def _logic(node: Any, params: Mapping[str, Any]) -> _Truth:
    truths = (_truth(part, params) for part in node.values)
    return _joined(truths, deciding=isinstance(node.op, ast.Or))


def _joined(truths: Iterable[_Truth], *, deciding: bool) -> _Truth:
    """Return what an `or` makes of its parts, which True decides, or an `and`, which False does."""
    joined: _Truth = not deciding
    for truth in truths:
        if truth is deciding:
            return deciding
        joined = truth if truth is _OPEN else joined
    return joined


def _sign(node: Any, params: Mapping[str, Any]) -> Any:
    if isinstance(node.op, ast.Not):
        truth = _truth(node.operand, params)
        return truth if truth is _OPEN else not truth
    number = _number(node.operand, params)
    return -number if isinstance(node.op, ast.USub) else number


def _arithmetic(node: Any, params: Mapping[str, Any]) -> Any:
    left, right = _number(node.left, params), _number(node.right, params)
    return _ARITHMETIC[type(node.op)](left, right)


def _call(node: Any, params: Mapping[str, Any]) -> Any:
    numbers = [_number(part, params) for part in node.args]
    if len(numbers) == 1 and node.func.id != "abs":
        return numbers[0]  # One number is the least and the largest of itself.
    try:
        called = _FUNCTIONS[node.func.id](*numbers)
    except TypeError as error:
        raise RuleError(f"{ast.unparse(node)}: {error}") from error
    return ANY_NUMBER if any(map(_is_open, numbers)) else called


def _comparison(node: Any, params: Mapping[str, Any]) -> _Truth:
    sides = [node.left, *node.comparators]
    pairs = zip(sides, node.ops, sides[1:], strict=False)
    truths = (_compared(left, op, right, params) for left, op, right in pairs)
    return _joined(truths, deciding=False)


def _compared(left: ast.expr, op: ast.cmpop, right: ast.expr, params: Mapping[str, Any]) -> _Truth:
    read = _number if type(op) in _ORDERS else _value
    here, there = read(left, params), read(right, params)
    if isinstance(op, ast.In | ast.NotIn) and not isinstance(there, list):
        raise RuleError(f"{ast.unparse(right)} is no list")
    return _OPEN if _is_open(here) or _is_open(there) else holds_between(op, here, there)


def _is_open(value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_is_open, value))
    return value is _OPEN or (isinstance(value, float) and math.isnan(value))


def _number(node: ast.expr, params: Mapping[str, Any]) -> float:
    value = _value(node, params)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise RuleError(f"{ast.unparse(node)} is no number")
    return value


_Reader: TypeAlias = "Callable[[Any, Mapping[str, Any]], Any]"
_READERS: dict[type[ast.expr], _Reader] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.List: _items,
    ast.Tuple: _items,
    ast.BoolOp: _logic,
    ast.UnaryOp: _sign,
    ast.BinOp: _arithmetic,
    ast.Compare: _comparison,
    ast.Call: _call,
}
