"""From the name of a training function to whether it is there, without running its module."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from hpo_app.errors import Problem, listed, near_miss


if TYPE_CHECKING:
    from collections.abc import Iterator

_KEY = "model.trainer"
_IN_PYTHON = "HPOptimizer(TrainingEngine(train)).resume(RUN_FOLDER)"
_NUM_ARGUMENTS = 4
_EXPECTED = "package.module:function that can be imported"


def is_unnamed(path: str) -> bool:
    """Return whether no other process could find a training function by its name."""
    module, _, name = path.partition(":")
    return module == "__main__" or "<" in name


def missing_trainer(path: str) -> Iterator[Problem]:
    """Yield what is wrong with a training function's name, seconds before a worker would say it.

    Only the packages around the module are imported, never the module itself: that may take long,
    and belongs to the workers. What its source does not show (a star import, compiled code) is
    left to them too.

    Args:
        path: `package.module:function`, of a package that is trusted.
    """
    module, separator, name = path.partition(":")
    if is_unnamed(path):
        expected = f"a function that stands in a module; {name} was written in a running program"
        yield Problem(_KEY, path, expected, "go on in Python, where the function is: " + _IN_PYTHON)
        return
    if not separator or not name.isidentifier():
        yield Problem(_KEY, path, _EXPECTED, "write it like my_package.train:train")
        return
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError) as error:
        yield Problem(_KEY, f"{path} ({error})", _EXPECTED, "correct the name of the module")
        return
    if spec is None:
        fix = f"correct the name, or start where {module} can be imported from"
        yield Problem(_KEY, f"{path} (no module named {module})", _EXPECTED, fix)
        return
    tree = _tree(Path(spec.origin)) if spec.origin and spec.origin.endswith(".py") else None
    names = None if tree is None else _names(tree)
    if tree is not None and not _takes_what_it_gets(tree, name):
        expected = "a function of four arguments, (model, data, training, trial)"
        fix = "give it those; hpo_app/training/contract.py says what they are"
        yield Problem(_KEY, path, expected, fix)
    elif names is not None and name not in names:
        near = near_miss(name, names)
        functions = [known for known, is_function in names.items() if is_function]
        expected = f"a function of {module}: {listed(functions)}" if functions else _EXPECTED
        fix = f"write {module}:{near}" if near else "name a function of the module"
        yield Problem(_KEY, path, expected, fix)


def _tree(source: Path) -> ast.Module | None:
    try:
        return ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None  # The worker's own error says it better, with the line.


def _takes_what_it_gets(tree: ast.Module, name: str) -> bool:
    """Return whether a function may be called as training functions are, for all that is seen."""
    bindings = [node for node in ast.walk(tree) if name in _bound(node)]
    if len(bindings) != 1 or bindings[0] not in tree.body:
        return True
    function = bindings[0]
    if not isinstance(function, ast.FunctionDef) or function.decorator_list:
        return True
    takes = function.args
    at_most = len(takes.posonlyargs) + len(takes.args)
    is_enough = takes.vararg is not None or at_most >= _NUM_ARGUMENTS
    named = sum(1 for default in takes.kw_defaults if default is None)
    return is_enough and at_most - len(takes.defaults) <= _NUM_ARGUMENTS and not named


def _names(tree: ast.Module) -> dict[str, bool] | None:
    """Return the names at the top of a module, and which are functions; None if that is unclear."""
    names: dict[str, bool] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return None
        for name in _bound(node):
            names[name] = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return None if "__getattr__" in names else names


def _bound(node: ast.AST) -> Iterator[str]:
    # Names bound further inside count too: better to miss a mistake than to refuse what works.
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
