"""From the entry of an event to the line that stands for it, and back, trusting neither."""

from __future__ import annotations

import json
import zlib
from typing import TYPE_CHECKING, Any, NoReturn


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LONGEST = 16 * 2**20  # Bytes. No reader needs more memory for a line, whatever the file.
_DEEPEST = 50
# What the JSON of every line begins with. Inside of a text its quotes would be escaped.
_BEGINS = b'{"seq":'
_CHECKSUM_LENGTH = 9


def line_of(entry: Mapping[str, Any]) -> bytes:
    """Return the line of an entry.

    Raises:
        ValueError: If a number is not finite, or the line is too long to be read again.
    """
    body = json.dumps(entry, allow_nan=False, separators=(",", ":")).encode()
    line = _checksum(body) + body + b"\n"
    if len(line) > LONGEST:
        raise ValueError(f"an event of {len(line)} bytes; a journal takes up to {LONGEST}")
    return line


def is_as_written(line: bytes) -> bool:
    """Return whether a line is complete and has the checksum that it begins with."""
    # The end first: what has none may be the first part of a line without one.
    return line.endswith(b"\n") and line.startswith(_checksum(line[_CHECKSUM_LENGTH:-1]))


def entry_of(line: bytes) -> dict[str, Any]:
    """Return the entry of a line that is as it was written.

    Raises:
        ValueError: If it is no object of JSON, or nested deeper than any reader expects.
    """
    try:
        entry = json.loads(line[_CHECKSUM_LENGTH:-1].decode(), parse_constant=_no_number)
    except RecursionError:
        entry = None
    if not isinstance(entry, dict) or _is_too_deep(entry):
        raise ValueError(f"no object of JSON, or one nested deeper than {_DEEPEST} levels")
    return entry


def known_safe(line: bytes) -> int:
    """Return how many events the disk had when a line was written; 0 if it cannot be read.

    Args:
        line: What stands between two line ends; it may hold the remains of other lines before.
    """
    start = line.rfind(_BEGINS) - _CHECKSUM_LENGTH
    line = line[start:] if start > 0 else line
    try:
        entry = entry_of(line) if is_as_written(line) else {}
    except ValueError:
        return 0
    safe = entry.get("safe", entry.get("seq"))
    return safe if isinstance(safe, int) else 0


def _checksum(body: bytes) -> bytes:
    return b"%08x " % zlib.crc32(body)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word}, which is no number of JSON")


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in _children(node)]
        if not level:
            return False
    return True


def _children(node: object) -> Iterable[object]:
    if isinstance(node, dict):
        return node.values()
    return node if isinstance(node, list) else ()
