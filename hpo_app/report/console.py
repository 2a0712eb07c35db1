"""From what a run says to a terminal, a file, or a pipe that nobody reads any more."""

from __future__ import annotations

import io
import sys
from typing import TextIO, cast

from rich.console import Console


class _LastingStream(io.TextIOBase):
    """Passes text on, until the other end is closed: a run of days must not end for that."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_open = True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._stream.encoding

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    def write(self, text: str) -> int:
        if self._is_open:
            try:
                self._stream.write(text)
                self._stream.flush()
            except (OSError, ValueError):
                self._is_open = False
        return len(text)

    def flush(self) -> None:
        return None


def make_console() -> Console:
    """Return a console on standard output that survives its closing."""
    return Console(file=cast("TextIO", _LastingStream(sys.stdout)), highlight=False)
