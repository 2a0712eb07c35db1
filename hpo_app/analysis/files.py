"""From text to a file that is either the old one or the new one, never half of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from pathlib import Path


def replace_file(path: Path, content: str | bytes) -> None:
    """Write a file beside `path` and move it there once it is safely on disk.

    Args:
        path: The file; its folder must exist.
        content: Text is written as UTF-8. A lone surrogate, which UTF-8 cannot hold, is written
            as its escape.
    """
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    # Not tempfile: its files are private to the user, and a run folder is often shared.
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
