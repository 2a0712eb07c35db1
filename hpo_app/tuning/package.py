"""From the folder a person stands in to a copy of it on every node, so that their code is there.

The copy is Ray's working directory: it packs the folder, each node unpacks it once, and workers
start in it. What is measured here is what Ray would pack, before it does.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_app.errors import Problem, ResourceError, listed
from hpo_app.study.disk import MB, size_text


if TYPE_CHECKING:
    from collections.abc import Sequence

LARGEST = 100 * MB
_MOST_FILES = 20_000
_MOST_NAMED = 3
# A worker that was given a copy starts in it, and imports this before anything moves it.
_STARTED_IN = Path.cwd()
# What no training needs, or what nobody wants to leave a machine.
LEFT_OUT = (
    ".git", ".venv", "venv", "__pycache__", "node_modules", ".env", ".mypy_cache",
    ".pytest_cache", ".ruff_cache",
)  # fmt: skip
# Where runs go by default, of where a person stands; elsewhere code may have these names.
_RESULTS = ("outputs", "multirun")


class _TooLargeError(Exception):
    """The folder is larger than may be sent; how much larger does not matter."""


def working_dir(named: str, run_folder: Path | None) -> dict[str, Any]:
    """Return the part of Ray's runtime environment that sends a folder to every node.

    Args:
        named: The folder, from where the person stands; empty for none.
        run_folder: Left out, as what changes while it is packed; None where there is none.

    Raises:
        ResourceError: If it is not there, or larger than may be sent.
    """
    if not named:
        return {}
    root = whole(named)
    if not root.is_dir():
        raise _refused(f"{named}, which is no folder", "a folder with your code, or null")
    results = [place / name for place in (root, Path.cwd()) for name in _RESULTS]
    results += [] if run_folder is None else [run_folder.absolute()]
    below = [path.relative_to(root).as_posix() for path in results if root in path.parents]
    left_out = [*LEFT_OUT, *(f"/{path}/" for path in dict.fromkeys(below))]
    _refuse_large(named, root, left_out)
    return {"working_dir": str(root), "excludes": left_out}


def whole(named: str) -> Path:
    """Return the folder that is meant, as paths below it begin."""
    return Path(os.path.normpath(Path(named).absolute()))


def here(path: str, sent: str) -> str:
    """Return where this worker has a path of the driver's: in its copy, if that was sent.

    Args:
        path: Absolute, as the driver has it.
        sent: The folder of which every node has a copy; empty for none.
    """
    if not sent or not Path(path).is_relative_to(sent):
        return path
    return str(_STARTED_IN / Path(path).relative_to(sent))


def _refuse_large(named: str, root: Path, left_out: Sequence[str]) -> None:
    sizes: Counter[str] = Counter()
    seen = 0

    def count(path: Path) -> None:
        nonlocal seen
        if path.is_dir() or path == root:
            return
        seen += 1
        sizes[path.relative_to(root).parts[0]] += _size(path)
        if sizes.total() > LARGEST or seen > _MOST_FILES:
            raise _TooLargeError

    # Not above: workers import this module, and pack nothing.
    from ray._private.runtime_env import packaging  # noqa: PLC0415

    try:
        is_left_out = packaging._get_excludes(root, list(left_out))
        packaging._dir_travel(root, [is_left_out], count, include_gitignore=True)
    except _TooLargeError:
        largest = [
            f"{name} with {size_text(size)}" for name, size in sizes.most_common(_MOST_NAMED)
        ]
        got = f"{named}, with more than {size_text(LARGEST)} or {_MOST_FILES} files: so far "
        raise _refused(got + listed(largest), f"at most {size_text(LARGEST)} to send") from None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # A link that leads nowhere, or what somebody removed meanwhile.
        return 0


def _refused(got: str, expected: str) -> ResourceError:
    fix = (
        "name a smaller folder with ray.working_dir=PATH, list what is not needed in a .rayignore "
        "file there, or set ray.working_dir=null if every node has your code"
    )
    return ResourceError([Problem("ray.working_dir", got, expected, fix)])
