"""From a run folder to the one process that may write in it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from hpo_app.errors import Problem, RunFolderError
from hpo_app.study.files import read_small


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME = ".lock"


@contextlib.contextmanager
def run_lock(folder: Path) -> Iterator[None]:
    """Hold a run folder for this process; the lock goes with it, however it ends.

    Raises:
        RunFolderError: If another process holds it; says which, where and since when.
    """
    path = folder / FILE_NAME
    # Not through a link: what it led to would be written over.
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunFolderError([_taken(folder, path)]) from error
        started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        owner = {"pid": os.getpid(), "host": socket.gethostname(), "started_at": started}
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(owner).encode(), 0)
        yield
    finally:
        os.close(file)


def _taken(folder: Path, path: Path) -> Problem:
    try:
        owner = json.loads(read_small(path))
        got = f"process {owner['pid']} on {owner['host']} since {owner['started_at']}"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        got = "another process"
    expected = "a run folder that no other process writes in"
    return Problem(str(folder), got, expected, "wait for it, or end that process first")
