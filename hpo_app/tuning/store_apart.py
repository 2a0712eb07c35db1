"""From trials on nodes that do not see the run folder to states that the next node goes on from."""

from __future__ import annotations

import contextlib
import json
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyarrow import fs
from ray import tune

from hpo_app.study.files import replace_file
from hpo_app.training.checkpoint import ITERATION_FILE
from hpo_app.tuning.store import LOG_NAME, OF_TUNE, TRIALS_FOLDER, Store, folder_of


if TYPE_CHECKING:
    from collections.abc import Iterable

_LARGEST_ACCOUNT = 8 * 2**20
_AT_ONCE = 16
_LONGEST = 300


class StoreApart(Store):
    """States and logs on a file system that all nodes share, or in a bucket."""

    def __init__(self, folder: Path, storage: str, key: str) -> None:
        """Keep what trials write apart from the run folder.

        Args:
            folder: The run folder.
            storage: A folder, or s3://BUCKET/PREFIX.
            key: See `Store`; a new one, unless the run goes on.
        """
        super().__init__(folder)
        self.key = key
        self._files, place = files_at(storage)
        self._root = f"{place}/{key}"
        self._is_seen = isinstance(self._files, fs.LocalFileSystem)

    @property
    def for_tune(self) -> dict[str, Any]:  # noqa: D102 - as above, and so below
        return {"storage_path": self._root, "storage_filesystem": self._files}

    @property
    def is_there(self) -> bool:  # noqa: D102
        return bool(self._files.get_file_info(self._root).type != fs.FileType.NotFound)

    def local(self, kept: str) -> Path:  # noqa: D102
        return self.folder / Path(kept).relative_to(self._root)

    def kept(self, state: Path) -> str:  # noqa: D102
        return f"{self._root}/{state.relative_to(self.folder).as_posix()}"

    def of_ray(self, state: Path) -> Any:  # noqa: D102
        return tune.Checkpoint(self.kept(state), filesystem=self._files)

    def note(self, state: Path) -> None:  # noqa: D102
        with self._files.open_input_stream(f"{self.kept(state)}/{ITERATION_FILE}") as file:
            account = file.read(_LARGEST_ACCOUNT)
        state.mkdir(parents=True, exist_ok=True)
        replace_file(state / ITERATION_FILE, account)

    def size(self, state: Path) -> int:  # noqa: D102
        with contextlib.suppress(OSError):
            return sum(found.size or 0 for found in self._below(self.kept(state)))
        return 0

    def is_whole(self, state: Path) -> bool:  # noqa: D102
        root = self.kept(state)
        try:
            named = json.loads((state / ITERATION_FILE).read_bytes())["crc32"]
            return {f"{root}/{name}" for name in named} <= {f.path for f in self._below(root)}
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return False

    def remove(self, state: Path) -> None:  # noqa: D102
        super().remove(state)
        # Somebody else may have done so, and a store may not answer for a moment.
        with contextlib.suppress(OSError):
            self._files.delete_dir(self.kept(state))

    def bring_home(self, state: Path) -> None:  # noqa: D102
        fs.copy_files(self.kept(state), str(state), source_filesystem=self._files)

    def bring_logs(self, places: Iterable[str]) -> None:  # noqa: D102
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(self._bring_log, places))

    def clear(self) -> None:  # noqa: D102
        with contextlib.suppress(OSError):
            for found in self._below(f"{self._root}/{TRIALS_FOLDER}", is_deep=False):
                if any(Path(found.path).match(pattern) for pattern in OF_TUNE):
                    self._files.delete_file(found.path)

    @property
    def shared_folder(self) -> Path | None:  # noqa: D102
        return Path(self._root) if self._is_seen else None

    def log_path(self, place: str) -> Path:  # noqa: D102
        root = self.shared_folder or Path(tempfile.gettempdir(), f"hpo_app-{self.key}")
        return root / TRIALS_FOLDER / place / LOG_NAME

    def keep_log(self, place: str) -> None:  # noqa: D102
        if self._is_seen:
            return
        path = self.log_path(place)
        # A trial that ended well does not fail for it.
        with contextlib.suppress(OSError), self._files.open_output_stream(self._log(place)) as file:
            file.write(path.read_bytes())

    def _log(self, place: str) -> str:
        return f"{self._root}/{TRIALS_FOLDER}/{place}/{LOG_NAME}"

    def _bring_log(self, place: str) -> None:
        path = self.folder / TRIALS_FOLDER / place / LOG_NAME
        # A trial may have none, and none is worth the end of a run.
        with contextlib.suppress(OSError):
            with self._files.open_input_stream(self._log(place)) as file:
                text = file.read()
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, text)

    def _below(self, path: str, *, is_deep: bool = True) -> list[fs.FileInfo]:
        wanted = fs.FileSelector(path, allow_not_found=True, recursive=is_deep)
        return [found for found in self._files.get_file_info(wanted) if found.is_file]


def files_at(storage: str) -> tuple[fs.FileSystem, str]:
    """Return the file system of a storage, and the place on it."""
    if "://" not in storage:
        return fs.LocalFileSystem(), str(folder_of(storage))
    files, place = fs.FileSystem.from_uri(storage)
    return files, place.rstrip("/")


def mark(storage: str, name: str) -> str:
    """Write a small file to a storage, and return why that failed; empty if it did not."""
    try:
        files, place = files_at(storage)
        if isinstance(files, fs.LocalFileSystem):
            files.create_dir(place)
        with files.open_output_stream(f"{place}/{name}") as file:
            file.write(b"seen")
    except (OSError, ValueError) as error:
        return short(error)
    return ""


def wipe(storage: str, name: str) -> None:
    """Remove the files of a storage whose names begin with `name`, as far as they can be."""
    with contextlib.suppress(OSError, ValueError):
        files, place = files_at(storage)
        for found in files.get_file_info(fs.FileSelector(place)):
            if found.base_name.startswith(name):
                files.delete_file(found.path)


def short(error: BaseException) -> str:
    """Return what went wrong with a storage in one line that is not too long."""
    return " ".join(str(error).split())[:_LONGEST]
