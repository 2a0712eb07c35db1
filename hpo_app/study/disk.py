"""From a path to the file system under it: how much room is there, and what to say if none is."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hpo_app.errors import Problem, StorageError


if TYPE_CHECKING:
    from collections.abc import Iterator

MB = 1_000_000
# How the reason of a run begins that ended for want of room: "disk full at PATH (…)".
FULL = "disk full at"
OVER_BUDGET = "checkpoints.budget_gb is too small:"
_FULL_ERRORS = (errno.ENOSPC, errno.EDQUOT)
_DISK_ERRORS = (*_FULL_ERRORS, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO)
# What is said of a full disk where no number is: by PyArrow, which copies checkpoints, by torch,
# which writes them, and by whoever has the text of an error only.
_FULL_TEXTS = (
    os.strerror(errno.ENOSPC),
    os.strerror(errno.EDQUOT),
    "PytorchStreamWriter failed writing",
    "] . unexpected pos ",
)


class Room(NamedTuple):
    """What a file system has left, in bytes; `free` is what an ordinary user may still take."""

    free: int
    total: int

    def __str__(self) -> str:
        return f"{size_text(self.free)} free of {size_text(self.total)}"


def room_at(path: Path) -> Room:
    """Return the room of the file system that holds `path`, or would hold it."""
    usage = shutil.disk_usage(existing(path))
    return Room(usage.free, usage.total)


def existing(path: Path) -> Path:
    """Return `path`, or the nearest folder above it that exists."""
    return next((place for place in (path, *path.parents) if place.exists()), path)


def size_text(num_bytes: float) -> str:
    """Return a size in its unit: `812 bytes`, `3.1 MB`, `120 GB`."""
    for unit, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if num_bytes >= unit:
            return f"{num_bytes / unit:.{0 if num_bytes >= 10 * unit else 1}f} {name}"
    return f"{num_bytes:.0f} bytes"


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder; what vanishes meanwhile does not count."""
    return sum(
        _size_of_file(f"{root}/{name}") for root, _, names in os.walk(folder) for name in names
    )


def _size_of_file(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return 0


def is_full(error: BaseException | None) -> bool:
    """Return whether a full disk, or a used-up quota, is what an error goes back to."""
    return any(
        (isinstance(link, OSError) and link.errno in _FULL_ERRORS) or says_full(_text(link))
        for link in _causes(error)
    )


def says_full(text: str) -> bool:
    """Return whether the text of an error speaks of a full disk."""
    return any(words in text for words in _FULL_TEXTS)


def full_reason(error: BaseException | None, *places: Path) -> str:
    """Return `disk full at PATH (…)`: what the error names, else the place with least room."""
    rooms = {place: room_at(place) for place in _named(error) or places}
    least = min(rooms, key=lambda place: rooms[place].free)
    return f"{FULL} {least} ({rooms[least]})"


def _named(error: BaseException | None) -> list[Path]:
    for link in _causes(error):
        if isinstance(link, OSError) and isinstance(link.filename, str):
            return [Path(link.filename)]
    return []


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it goes back to; `raise error from error` is its own cause."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - of any class, and its text is its own affair
        return ""


def is_for_want_of_room(stop_reason: str) -> bool:
    """Return whether a run ended because what it had to keep did not fit."""
    return stop_reason.startswith((FULL, OVER_BUDGET))


def is_disk_error(error: BaseException) -> bool:
    """Return whether an error is the disk's: full, read-only, closed to us, or broken."""
    is_one = isinstance(error, OSError) and error.errno in _DISK_ERRORS
    return is_one or is_full(error)


def storage_error(path: Path, error: BaseException, fix: str) -> StorageError:
    """Return what to tell a person when something could not be written.

    Args:
        path: What was to be written, if the error does not name it.
        error: Why it was not.
        fix: What to do once that is put right, for the end of a sentence.
    """
    path = (_named(error) or [path])[0]
    text = (error.strerror if isinstance(error, OSError) else None) or str(error)
    if is_full(error):
        # Some say so in a long list of files.
        text = text if len(text) < 80 else os.strerror(errno.ENOSPC)
        key, got = f"{FULL} {path}", f"{text}: {room_at(path)}"
        expected, fix = "room for what the run writes", f"free some space, then {fix}"
        return StorageError([Problem(key, got, expected, fix)])
    expected = "a place that this user may write to"
    return StorageError([Problem(str(path), text, expected, f"put that right, then {fix}")])


def write_refusal(folder: Path) -> str:
    """Return why nothing can be written into a folder, or made there if it is missing; or ""."""
    place = existing(folder)
    if not place.is_dir():
        return f"{place} is a file"
    probe = place / f".probe-{os.getpid()}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        if error.errno in {errno.EACCES, errno.EPERM}:
            mode = place.stat().st_mode & 0o777
            owner = place.stat().st_uid
            return f"{error.strerror}: {place} is of user {owner}, mode {mode:o}"
        return f"{error.strerror}: {place}"
    return ""
