"""From a run folder that somebody handed over to one that may be gone on with."""

from __future__ import annotations

import contextlib
import os
import re
import zlib
from pathlib import Path

from hpo_app.errors import Problem, RunFolderError
from hpo_app.study.files import read_small
from hpo_app.study.journal import FILE_NAME, read_events
from hpo_app.study.lock import is_held_by_another


# What is read back of what Hydra wrote, relative to the run folder.
CONFIG_FILES = (".hydra/config.yaml", ".hydra/hydra.yaml")
_MOST_PROBLEMS = 5
# The folder between outputs/ and a run: it is removed with the last run in it.
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def is_worth_keeping(folder: Path) -> bool:
    """Return whether a folder holds a run, a trained configuration, or somebody else's work."""
    if is_held_by_another(folder):
        return True
    return any((folder / name).exists() for name in (FILE_NAME, "checkpoint"))


def remove_unused(folder: Path) -> None:
    """Take away what was written for a run that never began, and nothing else.

    A person may have named any folder: what else is in it is theirs.
    """
    if is_worth_keeping(folder):
        return
    for name in (".hydra/config.yaml", ".hydra/hydra.yaml", ".hydra/overrides.yaml", "run.log"):
        (folder / name).unlink(missing_ok=True)
    for emptied in (folder / ".hydra", folder):
        with contextlib.suppress(OSError):  # It holds something of somebody else's.
            emptied.rmdir()
    if _DATE.fullmatch(folder.parent.name):
        with contextlib.suppress(OSError):  # Other runs are in it.
            folder.parent.rmdir()


def refuse_links(folder: Path) -> None:
    """Raise if a link leads out of a run folder: who goes on with it reads and writes in it.

    Raises:
        RunFolderError: With the links.
    """
    root = os.path.realpath(folder)
    problems = []
    for parent, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = Path(parent, name)
            if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
                got = f"a link to {path.readlink()}"
                expected = "a file or folder, or a link to one inside the run folder"
                fix = "remove the link, or put what it leads to in its place"
                problems.append(Problem(str(path), got, expected, fix))
    if problems:
        raise RunFolderError(problems[:_MOST_PROBLEMS])


def config_checksums(folder: Path) -> dict[str, int]:
    """Return the CRC32 of each file that the config of a run is read back from."""
    present = [name for name in CONFIG_FILES if (folder / name).is_file()]
    return {name: zlib.crc32(read_small(folder / name)) for name in present}


def refuse_altered_config(folder: Path) -> None:
    """Raise if the config of a run is not the one that its journal was started with.

    A digit that changed on the disk makes another search space, and nobody would see it.

    Raises:
        RunFolderError: With the files that differ, or if the journal cannot be read.
    """
    opened = next(read_events(folder / FILE_NAME), None)
    known = opened.fields.get("stored", {}) if opened else {}
    problems = []
    for name in CONFIG_FILES:
        got = _difference(folder / name, known[name]) if name in known else ""
        if got:
            expected = "the file that the run was started with, byte for byte"
            fix = "restore the file from a copy, or start a new run"
            problems.append(Problem(str(folder / name), got, expected, fix))
    if problems:
        raise RunFolderError(problems)


def _difference(path: Path, checksum: object) -> str:
    try:
        found = zlib.crc32(read_small(path))
    except OSError as error:
        return error.strerror or str(error)
    return "" if found == checksum else f"CRC32 {found:08x}"
