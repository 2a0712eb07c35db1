"""From TMPDIR to a folder that holds Ray's sockets and logs: Ray's own choice, or a shorter one."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from hpo_app.study.disk import write_refusal


# An address of the kind AF_UNIX holds so many bytes, and Ray puts this below its folder.
_MOST_BYTES = 103 if sys.platform == "darwin" else 107
_BELOW = "/session_2026-01-31_23-59-59_999999_4194304/sockets/plasma_store.1"
LONGEST = _MOST_BYTES - len(_BELOW)


def ray_temp_folder() -> tuple[Path, str]:
    """Return where a Ray of our own keeps its files, and what a person should know of it.

    Returns:
        The folder, which may not be there yet, and a note; the note is empty where Ray would take
        the same folder by itself.
    """
    wanted = _wanted()
    others = (Path("/tmp/ray"), *(Path(place, _own_name()) for place in ("/tmp", "/var/tmp")))
    reason = _refusal(wanted)
    if not reason:
        return wanted, ""
    for folder in others:
        if not _refusal(folder):
            return folder, f"Ray keeps its files in {folder}: {reason}"
    return wanted, ""  # Nothing is better; the preflight says what is wrong with it.


def scratch_folder() -> Path:
    """Return where training functions make their temporary files."""
    return Path(tempfile.gettempdir())


def _wanted() -> Path:
    named = os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp"
    return Path(named, "ray").absolute()


def _own_name() -> str:
    return f"ray-{os.getuid()}"


def _refusal(folder: Path) -> str:
    length = len(os.fsencode(folder))
    if length > LONGEST:
        return f"{folder} has {length} bytes, and sockets in it leave room for {LONGEST}"
    if not str(folder).isascii():
        return f"{folder} has letters that Ray cannot read"
    if folder.name == _own_name() and folder.exists() and folder.stat().st_uid != os.getuid():
        return f"{folder} is of another user"
    return write_refusal(folder)
