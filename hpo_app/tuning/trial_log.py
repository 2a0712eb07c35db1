"""From everything that a trial prints to its log, which stays bounded however much that is."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

from hpo_app.redaction import RedactedStream, redact_file


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A trainer that prints a line per step fills a disk sooner than checkpoints do.
LONGEST = 8_000_000
_KEPT = LONGEST // 2


def log_line(text: str) -> None:
    """Add a line to the log of the trial that trains in this process."""
    sys.stderr.write(f"{text}\n")


def shorten_log(path: Path) -> None:
    """Cut a log down to its newer half if it has grown too long.

    Output goes to the file from below Python too, so that it is cut where it can be, between two
    reports, and not while it is written.
    """
    # Who removed it to make room must not have a trial fail for it.
    size = path.stat().st_size if path.exists() else 0
    if size <= LONGEST:
        return
    with path.open("rb+") as file:
        file.seek(size - _KEPT)
        newer = file.read()
        file.seek(0)
        file.write(f"… {size - _KEPT} bytes were cut off here\n".encode() + newer)
        file.truncate()


@contextlib.contextmanager
def output_to(path: Path) -> Iterator[None]:
    """Send everything this process prints to a file: Python's streams, logging and C code."""
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, force=True)
    saved = {stream: os.dup(stream) for stream in (1, 2)}
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    # Without a buffer: what a full disk did not take would go to whoever has the descriptor next.
    raw: Any = io.FileIO(handle, "a", closefd=False)
    streams = io.TextIOWrapper(raw, encoding="utf-8", errors="replace", write_through=True)
    try:
        for stream in saved:
            os.dup2(handle, stream)
        shown = cast("TextIO", RedactedStream(streams))
        with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
            logging.basicConfig(level=logging.INFO, stream=shown, force=True)
            # What Ray does with the trial is no news of the training.
            logging.getLogger("ray").setLevel(logging.WARNING)
            yield
    finally:
        for stream, original in saved.items():
            os.dup2(original, stream)
            os.close(original)
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, force=True)
        os.close(handle)
        redact_file(path)
