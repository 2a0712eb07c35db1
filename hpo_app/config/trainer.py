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
    names = _names(Path(spec.origin)) if spec.origin and spec.origin.endswith(".py") else None
    if names is not None and name not in names:
        near = near_miss(name, names)
        functions = [known for known, is_function in names.items() if is_function]
        expected = f"a function of {module}: {listed(functions)}" if functions else _EXPECTED
        fix = f"write {module}:{near}" if near else "name a function of the module"
        yield Problem(_KEY, path, expected, fix)


def _names(source: Path) -> dict[str, bool] | None:
    """Return the names at the top of a module, and which are functions; None if that is unclear."""
    try:
        tree = ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return None  # The worker's own error says it better, with the line.
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
