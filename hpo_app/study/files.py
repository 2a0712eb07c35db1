"""From bytes to a disk that has them, whole or not at all, and back without being led astray.

Faults can be injected here and nowhere else, for tests: `HPO_FAILPOINT=NAME:N:ACTION` makes the
N-th pass through the point NAME (`write`, `fsync`, `rename`, `folder`) kill the process (`kill`),
fail like a full disk (`full`), or, for `write`, write the first half and kill (`tear`).
"""

from __future__ import annotations

import errno
import os
import signal
import stat
from collections import Counter
from typing import TYPE_CHECKING, BinaryIO

from hpo_app.redaction import redact


if TYPE_CHECKING:
    from pathlib import Path

_passes: Counter[str] = Counter()
# Far above every file of ours but a journal and a trainer's state.
_SMALL = 8 * 2**20


def open_to_read(path: Path) -> BinaryIO:
    """Open a file that somebody else may have put there.

    Raises:
        OSError: If it is not there, or is no regular file: a pipe would keep its reader waiting
            for ever, a device may have no end, and a link may lead anywhere.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        file = os.open(path, flags)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise OSError(errno.ELOOP, "a symbolic link, which is not followed", str(path)) from error
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "no regular file", str(path))
    return os.fdopen(file, "rb", buffering=2**16)


def read_small(path: Path) -> bytes:
    """Return the content of a file that is small unless somebody made it large.

    Raises:
        OSError: If it cannot be opened to read, or is larger than 8 MiB.
    """
    with open_to_read(path) as file:
        content = file.read(_SMALL + 1)
    if len(content) > _SMALL:
        raise OSError(errno.EFBIG, f"larger than {_SMALL // 2**20} MiB", str(path))
    return content


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
        # Exclusive, so that a link in its place is not followed; a process that died may have
        # left one behind, and had the same number.
        draft.unlink(missing_ok=True)
        with draft.open("xb") as file:
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
