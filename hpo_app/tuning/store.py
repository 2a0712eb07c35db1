"""From the training states of a run's trials to where they are kept: beside its journal, or apart.

The run folder is the index in both cases. Where the states themselves are kept apart, it holds
what each says of itself (`trial.json`), so that whoever goes through a run finds the same folders.
"""

from __future__ import annotations

import re
import shutil
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_app.study.disk import size_of
from hpo_app.training.checkpoint import is_whole


if TYPE_CHECKING:
    from collections.abc import Iterable

TRIALS_FOLDER = "trials"
LOG_NAME = "log.txt"
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")
# What Tune leaves: pickles of its own state, which is never read, because the journal says it all.
OF_TUNE = (
    ".validate_storage_marker",
    "experiment_state-*.json",
    "*.pkl",
    "*/error.pkl",
    "search_gen_state-*",
    "basic-variant-*",
)


class Store:
    """States and logs in the run folder, which every node sees that trains for the run.

    Attributes:
        folder: The run folder.
        key: By what the run is known where states of several runs are kept; empty here.
    """

    key = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    # For the driver.

    @property
    def for_tune(self) -> dict[str, Any]:
        """Where Tune is to copy states to, as arguments of `tune.run`."""
        return {"storage_path": str(self.folder)}

    @property
    def is_there(self) -> bool:
        """Whether anything of the run is kept where it should be."""
        return True

    def local(self, kept: str) -> Path:
        """Return the folder in the run folder that stands for a state."""
        return Path(kept)

    def kept(self, state: Path) -> str:
        """Return where a state is kept, as Ray names it."""
        return str(state)

    def of_ray(self, state: Path) -> Any:
        """Return a state as Ray hands it to a worker."""
        # Not above: a plan is made without Ray, which takes a second to import.
        from ray import tune  # noqa: PLC0415

        return tune.Checkpoint.from_directory(str(state))

    def note(self, state: Path) -> None:
        """Take down what a new state says of itself."""

    def size(self, state: Path) -> int:
        """Return the bytes of a state."""
        return size_of(state)

    def is_whole(self, state: Path) -> bool:
        """Return whether a state is there, with every byte that can be checked."""
        return is_whole(state)

    def remove(self, state: Path) -> None:
        """Remove a state."""
        shutil.rmtree(state, ignore_errors=True)

    def bring_home(self, state: Path) -> None:
        """Copy a state into the run folder.

        Raises:
            OSError: If it cannot be read or written.
        """

    def bring_logs(self, places: Iterable[str]) -> None:
        """Copy the logs of trials into the run folder; one that is nowhere is left out."""

    def clear(self) -> None:
        """Remove what Tune has left of itself."""
        trials = self.folder / TRIALS_FOLDER
        for pattern in OF_TUNE:
            for path in trials.glob(pattern):
                path.unlink(missing_ok=True)

    # For workers.

    @property
    def shared_folder(self) -> Path | None:
        """A folder that all workers of the run see, or None."""
        return self.folder

    def log_path(self, place: str) -> Path:
        """Return the file that takes what a trial prints."""
        return self.folder / TRIALS_FOLDER / place / LOG_NAME

    def keep_log(self, place: str) -> None:
        """Put the log of an attempt that ended where others find it."""


def new_key(folder: Path) -> str:
    """Return a name for what a run keeps that no other has: that of its folder may come again."""
    return f"{_NOT_IN_A_NAME.sub('-', folder.name)[:60]}-{uuid.uuid4().hex[:8]}"


def folder_of(storage: str) -> Path:
    """Return the folder that a storage is, from where this process stands."""
    return Path(storage).expanduser().absolute()


def store_of(folder: Path, storage: str, key: str) -> Store:
    """Return where a run keeps its states.

    Args:
        folder: The run folder.
        storage: Empty for there; else see `StoreApart`.
        key: See `Store`.
    """
    if not storage:
        return Store(folder)
    # Not above: it brings PyArrow, which a run without one does without.
    from hpo_app.tuning.store_apart import StoreApart  # noqa: PLC0415

    return StoreApart(folder, storage, key)
