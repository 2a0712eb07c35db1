"""From a run folder to the one process that may write in it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_app.errors import Problem, RunFolderError
from hpo_app.study.disk import storage_error
from hpo_app.study.files import read_small


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FILE_NAME = ".lock"
# Beside it where the file system knows no locks: there, who made this file holds the folder.
OWNER_NAME = ".lock-owner"
# Who has locked the file writes its name into it next, and who is refused meanwhile waits for that
# name, or for the folder if it is being left.
NAMED_WITHIN_S = 1.0
_held: set[Path] = set()


@contextlib.contextmanager
def run_lock(folder: Path, flock: Callable[[int, int], None] = fcntl.flock) -> Iterator[str]:
    """Hold a run folder for this process; the lock goes with it, however it ends.

    A process that holds a folder already may ask again.

    Args:
        folder: The run folder; exists.
        flock: Locks an open file, and raises BlockingIOError if another process has it.

    Yields:
        What a person should know of the process that held the folder before; empty if nothing.

    Raises:
        RunFolderError: If another process holds it; says which, where and since when.
        StorageError: If nothing can be written there.
    """
    place = folder.resolve()
    if place in _held:
        yield ""
        return
    with contextlib.ExitStack() as stack:
        try:
            note = _take(folder, flock, stack)
        except OSError as error:
            raise storage_error(folder, error, "start again") from error
        _held.add(place)
        stack.callback(_held.discard, place)
        yield note


@contextlib.contextmanager
def claimed(folder: Path | None) -> Iterator[str]:
    """Hold a folder that a person named, made if need be, before anything is written into it.

    Args:
        folder: The folder; None where it has no name yet, which holds nothing.

    Yields:
        As `run_lock`.

    Raises:
        RunFolderError: As `run_lock`.
        StorageError: As `run_lock`.
    """
    if folder is None:
        yield ""
        return
    is_new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(folder, error, "start again") from error
    try:
        with run_lock(folder) as note:
            yield note
    finally:
        if is_new:
            with contextlib.suppress(OSError):  # It has become a run folder.
                folder.rmdir()


def is_held_by_another(folder: Path) -> bool:
    """Return whether a process that is not this one holds the folder, or died with it."""
    names = (FILE_NAME, OWNER_NAME)
    return folder.resolve() not in _held and any((folder / name).exists() for name in names)


def living_owner(folder: Path) -> dict[str, Any] | None:
    """Return which process holds a folder, as far as that can be told without asking for it.

    One that died on this host is none; one on another host counts as living.
    """
    for name in (FILE_NAME, OWNER_NAME):
        owner = _owner(folder / name)
        if owner and not _has_died(owner):
            return owner
    return None


def _take(folder: Path, flock: Callable[[int, int], None], stack: contextlib.ExitStack) -> str:
    path = folder / FILE_NAME
    patient_until = time.monotonic() + NAMED_WITHIN_S
    while True:
        # Not through a link: what it led to would be written over.
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
        try:
            flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(file)
            if living_owner(folder) is None and time.monotonic() < patient_until:
                time.sleep(0.02)
                continue
            raise RunFolderError([_taken(folder, path)]) from error
        except OSError:  # Some network file systems know no locks.
            os.close(file)
            path.unlink(missing_ok=True)
            return _take_without_locks(folder, stack)
        # Who held it before removes the file at last: what was locked may not be it any more.
        if _is_same_file(file, path):
            break
        os.close(file)
    stack.callback(os.close, file)
    stack.callback(path.unlink, missing_ok=True)
    before = _owner(path)
    os.ftruncate(file, 0)
    os.pwrite(file, json.dumps(_this_process()).encode(), 0)
    return _note_on(before)


def _is_same_file(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _take_without_locks(folder: Path, stack: contextlib.ExitStack) -> str:
    path = folder / OWNER_NAME
    own = folder / f"{OWNER_NAME}-{socket.gethostname()}-{os.getpid()}"
    own.write_text(json.dumps(_this_process()), encoding="utf-8")
    try:
        before = _owner(path)
        if before and _has_died(before):
            _put_aside(path, before)
        os.link(own, path)  # In one step, and only if it is not there: also over a network.
    except FileExistsError as error:
        raise RunFolderError([_taken(folder, path)]) from error
    finally:
        own.unlink()
    stack.callback(path.unlink, missing_ok=True)
    return _note_on(before)


def _put_aside(path: Path, seen: dict[str, Any]) -> None:
    aside = path.with_name(f"{path.name}-{os.getpid()}-died")
    with contextlib.suppress(FileNotFoundError):
        path.rename(aside)
        if _owner(aside) != seen:  # Another process was faster, and this is its own.
            os.link(aside, path)
        aside.unlink()


def _has_died(owner: dict[str, Any]) -> bool:
    """Return whether a process is known to be gone; one on another host may live."""
    if owner.get("host") != socket.gethostname():
        return False
    return _birth(owner.get("pid", 0)) != owner.get("birth")


def _birth(pid: int) -> str:
    """Return when a process started, in the kernel's words; empty if there is none.

    A number alone may have been given to another process since.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return stat.rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _this_process() -> dict[str, Any]:
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    pid = os.getpid()
    return {
        "pid": pid, "host": socket.gethostname(), "started_at": started, "birth": _birth(pid)
    }  # fmt: skip


def _owner(path: Path) -> dict[str, Any] | None:
    try:
        owner = json.loads(read_small(path))
    except (OSError, ValueError, RecursionError):
        return None
    return owner if isinstance(owner, dict) else None


def _note_on(before: dict[str, Any] | None) -> str:
    if before is None or before.get("host") == socket.gethostname():
        return ""
    who = f"process {before.get('pid')} on {before.get('host')}"
    return f"{who} did not leave this folder in order; make sure that it has ended"


def _taken(folder: Path, path: Path) -> Problem:
    owner = _owner(path)
    got, fix = "another process", "wait for it, or end that process first"
    if owner:
        got = f"process {owner.get('pid')} on {owner.get('host')} since {owner.get('started_at')}"
    if path.name == OWNER_NAME:
        fix += f"; if it is gone, remove {path}"
    return Problem(str(folder), got, "a run folder that no other process writes in", fix)
