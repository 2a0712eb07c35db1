"""From standard streams that may be closed to ones that a process outlives."""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from typing import TextIO


def outlive_readers() -> None:
    """Let what is printed go nowhere once nobody can read it, instead of ending the process.

    A run of days must not end because a pipe (`| head -1`) or a terminal was closed. A stream that
    was closed before the start is opened on nothing: otherwise the next file that is opened, the
    journal for example, gets its number, and with it all that is printed below Python.
    """
    while True:
        lowest_free = os.open(os.devnull, os.O_RDWR)
        if lowest_free > 2:
            os.close(lowest_free)
            break
    sys.stdout = _lasting(sys.stdout, 1)
    sys.stderr = _lasting(sys.stderr, 2)


def _lasting(stream: TextIO | None, number: int) -> TextIO:
    file = io.BufferedWriter(_LastingFile(number, "w", closefd=False))
    if stream is None:
        return io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace")
    return io.TextIOWrapper(
        file,
        encoding=stream.encoding,
        # What the locale cannot write must not end a run either.
        errors="backslashreplace",
        line_buffering=number == 2 or stream.isatty(),
    )


class _LastingFile(io.FileIO):
    def write(self, content: Any) -> int:
        try:
            return super().write(content)
        except OSError:
            # In its place and not beside it: C code and processes started later write there too.
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, self.fileno())
            os.close(nothing)
            return super().write(content)
