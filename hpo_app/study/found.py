"""From a folder to the runs below it, each with how it stands."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from hpo_app.errors import RunFolderError
from hpo_app.study.journal import FILE_NAME
from hpo_app.study.lock import living_owner
from hpo_app.study.replay import load_study


if TYPE_CHECKING:
    from collections.abc import Iterator

    from hpo_app.study.records import Study

# outputs/DATE/TIME, and multirun/DATE/TIME/NUMBER, wherever between the two one stands.
_DEEPEST = 4


class RunState(str, Enum):
    """How a run stands.

    Attributes:
        RUNNING: A process writes it now.
        COMPLETE: All its trials ended.
        RESUMABLE: It was cut off, or ended by its budget, and can be gone on with.
    """

    RUNNING = "running now"
    COMPLETE = "complete"
    RESUMABLE = "can be resumed"


@dataclass(frozen=True)
class FoundRun:
    """A run folder that was read.

    Attributes:
        folder: Where it is.
        study: What its journal tells.
        state: How it stands.
        started_at: When it started, in UTC; as its journal was last written if it does not say.
    """

    folder: Path
    study: Study
    state: RunState
    started_at: datetime


def run_folders(root: Path) -> Iterator[Path]:
    """Yield `root` and the folders below it that hold a journal; links are not followed.

    Raises:
        OSError: If a folder on the way cannot be read.
    """
    if (root / FILE_NAME).is_file():
        yield root
        return
    for parent, folders, files in os.walk(root, onerror=_raise):
        if FILE_NAME in files:
            yield Path(parent)
        is_deep = len(Path(parent).relative_to(root).parts) >= _DEEPEST
        if is_deep or FILE_NAME in files:
            folders.clear()
        folders[:] = sorted(name for name in folders if not name.startswith("."))


def read_run(folder: Path) -> FoundRun:
    """Return a run folder as it stands.

    Raises:
        RunFolderError: If its journal cannot be read.
    """
    study = load_study(folder)
    state = RunState.COMPLETE if study.is_complete else RunState.RESUMABLE
    if living_owner(folder) is not None:
        state = RunState.RUNNING
    return FoundRun(folder, study, state, _started_at(study))


def read_runs(root: Path) -> tuple[list[FoundRun], list[tuple[Path, RunFolderError]]]:
    """Return the runs in and below a folder, newest first, and those that cannot be read.

    Raises:
        OSError: If a folder on the way cannot be read.
    """
    read = [(folder, _read_or_error(folder)) for folder in run_folders(root)]
    runs = [run for _, run in read if isinstance(run, FoundRun)]
    broken = [(folder, error) for folder, error in read if isinstance(error, RunFolderError)]
    return sorted(runs, key=lambda run: run.started_at, reverse=True), broken


def _read_or_error(folder: Path) -> FoundRun | RunFolderError:
    try:
        return read_run(folder)
    except RunFolderError as error:
        return error


def _started_at(study: Study) -> datetime:
    try:
        told = datetime.fromisoformat(str(study.facts.get("started_at")))
    except ValueError:
        written = (study.folder / FILE_NAME).stat().st_mtime
        return datetime.fromtimestamp(written, timezone.utc)
    return told if told.tzinfo else told.replace(tzinfo=timezone.utc)


def _raise(error: OSError) -> None:
    raise error
