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
from hpo_app.study.journal import FILE_NAME as JOURNAL_NAME


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
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunFolderError([_taken(folder, path)]) from error
        started = datetime.now(timezone.utc).isoformat(timespec="seconds")
        owner = {"pid": os.getpid(), "host": socket.gethostname(), "started_at": started}
        os.ftruncate(file, 0)
        os.pwrite(file, json.dumps(owner).encode(), 0)
        try:
            yield
        finally:
            if not (folder / JOURNAL_NAME).exists():
                path.unlink(missing_ok=True)  # There is no run, and nothing of it stays.
    finally:
        os.close(file)


def _taken(folder: Path, path: Path) -> Problem:
    try:
        owner = json.loads(path.read_text(encoding="utf-8"))
        got = f"process {owner['pid']} on {owner['host']} since {owner['started_at']}"
    except (OSError, ValueError, KeyError, TypeError):
        got = "another process"
    expected = "a run folder that no other process writes in"
    return Problem(str(folder), got, expected, "wait for it, or end that process first")
