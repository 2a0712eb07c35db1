"""From events to a file that survives: one JSON line per event, in order, checked and synced.

Format, version 1. Each line is `CRC32 JSON`, where the CRC is eight hexadecimal digits over the
bytes of the JSON, and the JSON is an object with `seq` (from 0, without gaps), `t` (seconds since
the run started, by a monotonic clock) and `event`; the first is always `opened` and carries the
schema version. An event counts as done once `sync` has returned. Nothing here is a pickle.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hpo_app.errors import Problem, RunFolderError, StorageError
from hpo_app.redaction import redacted
from hpo_app.study.files import append, replace_file, sync_folder


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SCHEMA_VERSION = 1
FILE_NAME = "journal.jsonl"
# Values of a search, and words that are read back: none is a secret, even if one is spelt like it.
_EXACT = ("params", "space", "learned", "metrics", "metric", "mode", "run_id", "state", "told")


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
        """
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        sync_folder(path.parent)
        return cls(path, file)

    @classmethod
    def reopen(cls, path: Path) -> tuple[Journal, list[Event]]:
        """Go on with a journal, and return the events in it.

        A torn last line is moved to a file beside it first, so that the next event does not grow
        onto it.

        Raises:
            RunFolderError: If the file cannot be read, or is damaged before its end.
        """
        events = list(read_events(path))
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            _move_tail(path, content[whole:], whole)
        file = os.open(path, os.O_WRONLY | os.O_APPEND)
        offset_s = events[-1].at_s if events else 0.0
        return cls(path, file, len(events), offset_s), events

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
        entry = {"seq": self._next_seq, "t": at_s, "event": event, **told}
        body = json.dumps(entry, allow_nan=False, separators=(",", ":")).encode()
        self._pending.append(_checksum(body) + body + b"\n")
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
            raise StorageError([_unwritable(self._path, error)]) from error
        self._pending.clear()

    def close(self) -> None:
        """Write what is pending and close the file."""
        try:
            self.sync()
        finally:
            os.close(self._file)


def read_events(path: Path) -> Iterator[Event]:
    """Yield the events of a journal in order; a torn last line is left out.

    Raises:
        RunFolderError: If the file is missing, of a newer schema, or damaged before its end.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        fix = "name a folder that a run of hpo_app wrote"
        raise RunFolderError([Problem(str(path), str(error), "a journal", fix)]) from error
    tail = len(lines) - 1
    for index, line in enumerate(lines):
        if index == tail:
            return  # Empty after a whole line; otherwise cut off in mid-write, never acknowledged.
        event = _parse(line, index)
        if event is None:
            raise RunFolderError([_damage(path, index)])
        if index == 0:
            _check_schema(path, event)
        yield event


def _parse(line: bytes, index: int) -> Event | None:
    body = line[9:]
    if line[:9] != _checksum(body):
        return None
    try:
        entry = json.loads(body)
    except ValueError:
        return None
    if not isinstance(entry, dict) or entry.pop("seq", None) != index:
        return None
    return Event(index, entry.pop("t"), entry.pop("event"), entry)


def _checksum(body: bytes) -> bytes:
    return b"%08x " % zlib.crc32(body)


def _check_schema(path: Path, event: Event) -> None:
    version = event.fields.get("schema")
    if event.name != "opened" or not isinstance(version, int) or version > SCHEMA_VERSION:
        expected = f"a journal of schema {SCHEMA_VERSION} or lower"
        got = f"first event {event.name!r}, schema {version!r}"
        raise RunFolderError([Problem(str(path), got, expected, "update hpo_app")])


def _damage(path: Path, index: int) -> Problem:
    return Problem(
        f"{path}, line {index + 1}",
        "a damaged line",
        "eight hexadecimal digits of CRC32 that agree with the JSON behind them",
        "restore the file from a copy",
    )


def _move_tail(path: Path, tail: bytes, whole: int) -> None:
    number = len(list(path.parent.glob("journal.torn-*")))
    replace_file(path.with_name(f"journal.torn-{number}"), tail)
    with path.open("rb+") as file:
        file.truncate(whole)
        os.fsync(file.fileno())


def _unwritable(path: Path, error: OSError) -> Problem:
    expected = "a disk with room for it"
    fix = f"free some space, then type: python -m hpo_app action=resume run={path.parent}"
    return Problem(f"disk of {path}", error.strerror or str(error), expected, fix)
