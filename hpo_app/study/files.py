"""From bytes to a disk that has them: appended or replaced whole, never half.

Faults can be injected here and nowhere else, for tests: `HPO_FAILPOINT=NAME:N:ACTION` makes the
N-th pass through the point NAME (`write`, `fsync`, `rename`, `folder`) kill the process (`kill`),
fail like a full disk (`full`), or, for `write`, write the first half and kill (`tear`).
"""

from __future__ import annotations

import errno
import os
import signal
from collections import Counter
from typing import TYPE_CHECKING

from hpo_app.redaction import redact


if TYPE_CHECKING:
    from pathlib import Path

_passes: Counter[str] = Counter()


def append(file: int, content: bytes) -> None:
    """Add bytes at the end of an open file, and return once the disk has them.

    Raises:
        OSError: If the disk is full or broken. What was written of `content` by then is taken
            back, so that a later append starts on a line of its own.
    """
    before = os.fstat(file).st_size
    try:
        _write(file, content)
        _failpoint("fsync")
        os.fsync(file)
    except OSError:
        os.ftruncate(file, before)
        raise


def replace_file(path: Path, content: str | bytes) -> None:
    """Write a file beside `path` and move it there once it is safely on disk.

    Args:
        path: The file; its folder must exist.
        content: Text is written as UTF-8, without the secrets that are known. A lone surrogate,
            which UTF-8 cannot hold, is written as its escape.
    """
    if isinstance(content, str):
        content = redact(content).encode("utf-8", "backslashreplace")
    # Not tempfile: its files are private to the user, and a run folder is often shared.
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            append(file.fileno(), content)
        _failpoint("rename")
        draft.replace(path)
        sync_folder(path.parent)
    finally:
        draft.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Return once the disk knows which files the folder holds: a new name is not safe before."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        _failpoint("folder")
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(file: int, content: bytes) -> None:
    if _failpoint("write") == "tear":
        os.write(file, content[: len(content) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    while content:
        content = content[os.write(file, content) :]


def _failpoint(name: str) -> str:
    wanted = os.environ.get("HPO_FAILPOINT")
    if wanted is None:
        return ""
    point, count, action = wanted.split(":")
    _passes[name] += 1
    if point != name or _passes[name] != int(count):
        return ""
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return action
