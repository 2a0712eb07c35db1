"""From a folder of training state to a checkpoint: whole or absent, and it knows its iteration."""

from __future__ import annotations

import json
import shutil
import zlib
from typing import TYPE_CHECKING

from hpo_app.errors import Problem, RunFolderError
from hpo_app.study.files import open_to_read, read_small


if TYPE_CHECKING:
    from pathlib import Path

# Written beside the trainer's own files, which must not use this name.
ITERATION_FILE = "trial.json"


def save_checkpoint(source: Path, target: Path, iteration: int) -> None:
    """Copy a folder of training state to `target`, in place of what was there.

    Nobody who reads `target` finds half a checkpoint: the copy grows beside it and is renamed.
    A process that dies between the two renames leaves the former checkpoint as `.<name>.former`.

    Args:
        source: Folder with the training state; it is left as it is.
        target: Folder that becomes the checkpoint; its parents are made.
        iteration: Number of reports made so far, the one of this checkpoint included.
    """
    partial = target.with_name(f".{target.name}.partial")
    former = target.with_name(f".{target.name}.former")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source, partial)
    write_iteration(partial, iteration)
    # A folder cannot be renamed onto one that is not empty.
    shutil.rmtree(former, ignore_errors=True)
    if target.exists():
        target.rename(former)
    partial.rename(target)
    shutil.rmtree(former, ignore_errors=True)


def write_iteration(folder: Path, iteration: int) -> None:
    """Note in a folder of training state how many reports were made before, and its checksums."""
    # The trainer's own links are followed, as Tune does when it copies what they lead to.
    content = {"iteration": iteration, "crc32": _checksums(folder, follow=True)}
    (folder / ITERATION_FILE).write_text(json.dumps(content), encoding="utf-8")


def checkpoint_checksum(folder: Path) -> int:
    """Return the CRC32 of a checkpoint's own account of itself.

    Raises:
        OSError: If that cannot be read.
    """
    return zlib.crc32(read_small(folder / ITERATION_FILE))


def is_whole(folder: Path) -> bool:
    """Return whether a checkpoint is there with every byte that it was written with."""
    try:
        content = json.loads(read_small(folder / ITERATION_FILE))
        return bool(content["crc32"] == _checksums(folder))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _checksums(folder: Path, *, follow: bool = False) -> dict[str, int]:
    paths = (path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    files = (path for path in paths if path.name != ITERATION_FILE)
    return {
        str(path.relative_to(folder)): _checksum(path.resolve() if follow else path)
        for path in files
    }


def _checksum(path: Path) -> int:
    checksum = 0
    with open_to_read(path) as file:
        while part := file.read(2**20):
            checksum = zlib.crc32(part, checksum)
    return checksum


def read_iteration(folder: Path) -> int:
    """Return how many reports were made before this checkpoint was saved.

    Raises:
        RunFolderError: If the folder does not say so.
    """
    path = folder / ITERATION_FILE
    try:
        iteration = json.loads(read_small(path))["iteration"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunFolderError([_problem(path, repr(error))]) from error
    if not isinstance(iteration, int) or isinstance(iteration, bool) or iteration < 0:
        raise RunFolderError([_problem(path, repr(iteration))])
    return iteration


def unreadable_state(path: Path, got: str) -> RunFolderError:
    """Return the error of a file with training state that cannot be continued from."""
    expected = "the training state that this trainer wrote"
    fix = "restore the file from a copy, or remove the folder, to go on from an earlier state"
    return RunFolderError([Problem(str(path), " ".join(got.split())[:500], expected, fix)])


def _problem(path: Path, got: str) -> Problem:
    return Problem(
        key=str(path),
        got=got,
        expected='{"iteration": n}, with n the number of reports before the checkpoint',
        fix="name the folder of a checkpoint, or train from the start without one",
    )
