"""From a sweep to a file that says which searches it consists of, and back."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from hpo_app.errors import Problem, RunFolderError
from hpo_app.study.files import read_small, replace_file
from hpo_app.study.folder import is_worth_keeping, remove_unused


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILE_NAME = "sweep.json"
LOG_NAME = "sweep.log"
# Beside the record while a sweep is to end: holds the number of the signal.
STOP_NAME = ".stop"
SCHEMA_VERSION = 1


@dataclass(frozen=True)
class SearchEntry:
    """One search of a sweep.

    Attributes:
        number: Its place, from 0.
        overrides: What it was started with, as Hydra's sweeper wrote it.
        folder: Its run folder, relative to that of the sweep.
    """

    number: int
    overrides: tuple[str, ...]
    folder: str


@dataclass(frozen=True)
class SweepRecord:
    """What is remembered of a sweep besides the run folders of its searches.

    Attributes:
        folder: The folder of the sweep.
        arguments: The command line that started it, less the program.
        command: The same as it was typed.
        searches: The searches that were handed to a launcher, by number.
        changes: Overrides that a later start set for all searches on top of their own.
    """

    folder: Path
    arguments: tuple[str, ...]
    command: str
    searches: tuple[SearchEntry, ...] = ()
    changes: tuple[str, ...] = ()

    def with_search(self, search: SearchEntry) -> SweepRecord:
        """Return the record with one more search, or with this one in its place."""
        others = [each for each in self.searches if each.number != search.number]
        ordered = sorted([*others, search], key=lambda each: each.number)
        return replace(self, searches=tuple(ordered))

    def has_begun(self) -> bool:
        """Return whether a search of the sweep has left more than its config."""
        return any(is_worth_keeping(self.folder / search.folder) for search in self.searches)

    def names(self) -> dict[int, str]:
        """Return each search by what tells it apart: its number, and the overrides of its own."""
        return names_of([(search.number, search.overrides) for search in self.searches])

    def write(self) -> None:
        """Write the record into the folder of the sweep, whole or not at all."""
        content = {
            "schema_version": SCHEMA_VERSION,
            "command": self.command,
            "arguments": list(self.arguments),
            "changes": list(self.changes),
            "searches": [asdict(search) for search in self.searches],
        }
        replace_file(self.folder / FILE_NAME, json.dumps(content, indent=2) + "\n")


def names_of(searches: Sequence[tuple[int, Sequence[str]]]) -> dict[int, str]:
    """Return names for searches, given as `(number, overrides)`: `3 seed=2`."""
    common = set(searches[0][1]) if len(searches) > 1 else set()
    for _, overrides in searches:
        common &= set(overrides)
    return {
        number: " ".join([str(number), *(text for text in overrides if text not in common)])
        for number, overrides in searches
    }


def is_inside(folder: str) -> bool:
    """Return whether a folder, relative to that of a sweep, is one inside of it."""
    path = PurePath(folder)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def is_sweep(folder: Path) -> bool:
    """Return whether a folder is that of a sweep."""
    try:
        return (folder / FILE_NAME).is_file()
    except OSError:  # A name that no disk takes.
        return False


def remove_unused_sweep(folder: Path) -> None:
    """Take away what was written for a sweep of which no search began, if there is nothing else."""
    written = {FILE_NAME, ".lock", "multirun.yaml"}
    try:
        there = {path.name for path in folder.iterdir()}
    except FileNotFoundError:
        there = set()
    except OSError:
        return
    if there <= written:
        for name in there - {".lock"}:
            (folder / name).unlink()
        remove_unused(folder)


def read_sweep(folder: Path) -> SweepRecord:
    """Return the record of a sweep; nothing in it is believed before it was looked at.

    Raises:
        RunFolderError: If it cannot be read, or holds what no sweep has written.
    """
    path = folder / FILE_NAME
    try:
        content = json.loads(read_small(path))
        return SweepRecord(
            folder,
            tuple(_texts(content["arguments"])),
            _text(content["command"]),
            _searches(content["searches"]),
            tuple(_texts(content.get("changes", []))),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        expected = "the record of a sweep, as hpo_app writes it"
        fix = "restore the file from a copy, or name its run folders one by one"
        raise RunFolderError(
            [Problem(str(path), f"{type(error).__name__}: {error}", expected, fix)]
        ) from None


def _searches(values: Any) -> tuple[SearchEntry, ...]:
    searches = tuple(map(_search, values))
    if len({search.number for search in searches}) < len(searches):
        raise ValueError("two searches with one number")
    return searches


def _search(fields: Any) -> SearchEntry:
    number, folder = fields["number"], _text(fields["folder"])
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise ValueError(f"number {number!r}")
    if not is_inside(folder):
        raise ValueError(f"folder {folder!r} leads out of the sweep")
    return SearchEntry(number, tuple(_texts(fields["overrides"])), folder)


def _texts(values: Any) -> list[str]:
    if not isinstance(values, list):
        raise TypeError(f"no list: {values!r}")
    return [_text(value) for value in values]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"no text: {value!r}")
    return value
