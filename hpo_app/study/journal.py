"""From events to a file that survives: one JSON line per event, in order, checked and synced.

Format, version 1. Each line is `CRC32 JSON`, where the CRC is eight hexadecimal digits over the
bytes of the JSON, and the JSON is an object with `seq` (from 0, without gaps), `t` (seconds since
the run started, by a monotonic clock), `safe` (how many events the disk had when this one was
written; all before it, if that is missing) and `event`; the first is always `opened` and carries
the schema version. What else each event holds stands in study/events.py. An event counts as done
once `sync` has returned. Nothing here is a pickle.

A power cut may leave anything in the place of events that were not synced. `safe` tells this from
damage: a line that cannot be read, and that no later one knows to be safe, is the torn tail.
"""

from __future__ import annotations

import itertools
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn

from hpo_app.errors import Problem, RunFolderError
from hpo_app.plan.search_space import is_number
from hpo_app.redaction import redacted
from hpo_app.study.disk import storage_error
from hpo_app.study.events import EventCheck
from hpo_app.study.files import append, open_to_read, replace_file, sync_folder
from hpo_app.study.lines import LONGEST, entry_of, is_as_written, known_safe, line_of


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SCHEMA_VERSION = 1
FILE_NAME = "journal.jsonl"
# Values of a search, names of ours and words that are read back: none is a secret, even if one is
# spelt like it, and a run whose `path` were hidden could not be read any more.
_EXACT = (
    "params", "space", "learned", "metrics", "metric", "mode", "objectives", "constraints",
    "run_id", "state", "told", "path", "checkpoint", "changes",
    "kind",
)  # fmt: skip

_DAMAGE = (
    "a damaged line",
    "eight hexadecimal digits of CRC32 that agree with the JSON behind them, and no line missing",
)


@dataclass(frozen=True)
class Event:
    """One line of a journal.

    Attributes:
        seq: Place in the journal, from 0.
        at_s: Seconds since the run started.
        name: What happened.
        fields: What is known of it.
    """

    seq: int
    at_s: float
    name: str
    fields: Mapping[str, Any]


class Journal:
    """An append-only journal, open for writing by one process.

    Events are gathered in memory and written by `sync` in a single append, so that one event
    costs no more than its share of a disk flush.
    """

    def __init__(self, path: Path, file: int, next_seq: int = 0, offset_s: float = 0.0) -> None:
        self._path = path
        self._file = file
        self._started = time.monotonic() - offset_s
        self._pending: list[bytes] = []
        self._next_seq = next_seq

    @classmethod
    def create(cls, path: Path) -> Journal:
        """Start a journal.

        Raises:
            FileExistsError: If there is one.
            StorageError: If the disk is full or cannot be written; there is no journal then.
        """
        try:
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        except FileExistsError:
            raise
        except OSError as error:
            raise storage_error(path, error, _again(path)) from error
        try:
            sync_folder(path.parent)
        except OSError as error:
            os.close(file)
            path.unlink()
            raise storage_error(path, error, _again(path)) from error
        return cls(path, file)

    @classmethod
    def reopen(cls, path: Path) -> tuple[Journal, list[Event]]:
        """Go on with a journal, and return the events in it.

        A torn last line is moved to a file beside it first, so that the next event does not grow
        onto it.

        Raises:
            RunFolderError: If the file cannot be read, is damaged before its end, or is empty.
            StorageError: If the disk is full or cannot be written.
        """
        events = list(read_events(path))
        if not events:
            raise RunFolderError([no_event(path)])
        try:
            _move_tail(path, *torn_tail(path, len(events)))
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW)
            # The process before may have died between writing and syncing, and what follows from
            # these events will be safe.
            os.fsync(file)
        except OSError as error:
            raise storage_error(path, error, _again(path)) from error
        return cls(path, file, len(events), events[-1].at_s), events

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run started."""
        return time.monotonic() - self._started

    @property
    def has_pending(self) -> bool:
        """Whether events wait for `sync`."""
        return bool(self._pending)

    def append(self, event: str, **fields: Any) -> float:
        """Add an event; it is safe only after the next `sync`.

        Args:
            event: What happened.
            **fields: What is known of it: plain JSON values, all numbers finite.

        Returns:
            Seconds since the run started, as written.
        """
        at_s = round(self.elapsed_s, 4)
        told = {key: value if key in _EXACT else redacted(value) for key, value in fields.items()}
        safe = self._next_seq - len(self._pending)
        entry = {"seq": self._next_seq, "t": at_s, "safe": safe, "event": event, **told}
        self._pending.append(line_of(entry))
        self._next_seq += 1
        return at_s

    def sync(self) -> None:
        """Write all pending events and return once the disk has them.

        Raises:
            StorageError: If the disk is full or cannot be written; what was there before stays
                whole, and the pending events are kept.
        """
        if not self._pending:
            return
        try:
            append(self._file, b"".join(self._pending))
        except OSError as error:
            raise storage_error(self._path, error, _again(self._path)) from error
        self._pending.clear()

    def close(self) -> None:
        """Write what is pending and close the file; one without an event is removed."""
        try:
            self.sync()
        finally:
            is_empty = not os.fstat(self._file).st_size
            os.close(self._file)
            if is_empty:
                self._path.unlink(missing_ok=True)


def read_events(path: Path) -> Iterator[Event]:
    """Yield the events of a journal in order; its torn tail is left out.

    Raises:
        RunFolderError: If the file is missing, of a newer schema, damaged before its end, or says
            what cannot be.
    """
    try:
        with open_to_read(path) as file:
            yield from _events(path, file)
    except OSError as error:
        fix = "name a folder that a run of hpo_app wrote"
        got = error.strerror or str(error)
        raise RunFolderError([Problem(str(path), got, "a journal", fix)]) from error


def torn_tail(path: Path, num_events: int) -> tuple[int, int]:
    """Return at which byte the torn tail starts behind so many events, and its length in bytes."""
    with open_to_read(path) as file:
        for _ in range(num_events):
            file.readline()
        start = file.tell()
        return start, os.fstat(file.fileno()).st_size - start


def no_event(path: Path) -> Problem:
    """Return the problem of a journal without an event."""
    return Problem(str(path), "no event", "a journal", "name another folder, or start a new run")


def _events(path: Path, file: BinaryIO) -> Iterator[Event]:
    check = EventCheck()
    index = 0
    while line := file.readline(LONGEST):
        entry = _entry(path, index, line) if is_as_written(line) else {}
        if entry.pop("seq", None) != index:
            _refuse_damage(path, index, line, file)
            return
        event = _event(path, index, entry)
        if index == 0:
            _check_schema(path, event)
        problem = check.problem(event.name, event.fields)
        if problem is not None:
            _refuse(path, index, *problem)
        yield event
        index += 1


def _entry(path: Path, index: int, line: bytes) -> dict[str, Any]:
    try:
        return entry_of(line)
    except ValueError as error:
        _refuse(path, index, str(error), "an object of JSON in UTF-8, all numbers finite")


def _event(path: Path, index: int, entry: dict[str, Any]) -> Event:
    at_s, name = entry.pop("t", None), entry.pop("event", None)
    entry.pop("safe", None)
    if not is_number(at_s) or at_s < 0:
        _refuse(path, index, "no time", "t, the seconds since the run started")
    if not isinstance(name, str):
        _refuse(path, index, "no name", "event, the name of what happened")
    return Event(index, at_s, name, entry)


def _check_schema(path: Path, event: Event) -> None:
    version = event.fields.get("schema")
    is_known = isinstance(version, int) and 1 <= version <= SCHEMA_VERSION
    if event.name != "opened" or not is_known:
        expected = f"a journal of schema {SCHEMA_VERSION} or lower"
        got = f"first event {event.name[:60]!r}, schema {str(version)[:60]}"
        raise RunFolderError([Problem(str(path), got, expected, "update hpo_app")])


def _refuse_damage(path: Path, index: int, line: bytes, file: BinaryIO) -> None:
    """Raise if a line that cannot be read was safe once, and is no torn tail.

    Args:
        path: The journal, for the message.
        index: Place of the line, from 0.
        line: The line, or the first part of one that is too long.
        file: Open behind it.
    """
    if index == 0 and line.endswith(b"\n"):
        _refuse(path, index, *_DAMAGE)  # A file that never was a journal has no torn tail.
    while line:
        if known_safe(line) > index:
            _refuse(path, index, *_DAMAGE)
        line = file.readline(LONGEST)


def _refuse(path: Path, index: int, got: str, expected: str) -> NoReturn:
    fix = "restore the file from a copy"
    raise RunFolderError([Problem(f"{path}, line {index + 1}", got, expected, fix)])


def _move_tail(path: Path, start: int, size: int) -> None:
    if not size:
        return
    names = (path.with_name(f"journal.torn-{number}") for number in itertools.count())
    with open_to_read(path) as file:
        file.seek(start)
        # A longer one is no event that was cut off, but what a file system filled up with.
        replace_file(next(name for name in names if not name.exists()), file.read(LONGEST))
    handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW)
    try:
        os.ftruncate(handle, start)
        os.fsync(handle)
    finally:
        os.close(handle)


def _again(path: Path) -> str:
    if not path.exists() or not path.stat().st_size:
        return "start again"  # Nothing is on record that could be gone on with.
    return f"go on with action=resume run={path.parent}"
