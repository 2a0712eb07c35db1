"""From one command to its searches: which are there already, which go on, which start."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hpo_app.actions.typed import typed
from hpo_app.analysis.wording import plain
from hpo_app.config.overrides import overrides_in
from hpo_app.config.stored_sweep import decided, lasting, undecided
from hpo_app.errors import PlanError, Problem, RunFolderError
from hpo_app.study.folder import refuse_links
from hpo_app.study.journal import FILE_NAME as JOURNAL
from hpo_app.study.lock import claimed, living_owner
from hpo_app.study.replay import load_study
from hpo_app.study.sweep import (
    STOP_NAME,
    SearchEntry,
    SweepRecord,
    is_inside,
    is_sweep,
    names_of,
    read_sweep,
    remove_unused_sweep,
)
from hpo_app.tuning.search_process import typed_for_search
from hpo_app.tuning.supervisor import Supervisor


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from hpo_app.signals import Signals
    from hpo_app.study.records import Study

# A search needs 14 s to end in order, and then writes its results and its report.
_PATIENCE_S = 40.0
_LOOK_S = 0.2
_CURRENT: ContextVar[Sweep] = ContextVar("sweep")


@dataclass(frozen=True)
class Job:
    """One search that a launcher was handed.

    Attributes:
        entry: What is remembered of it.
        name: By what a person tells it from the others.
        folder: Its run folder.
        overrides: What to start it with, as on a command line: those of the sweeper, or those that
            go on with it.
        is_kept: Whether it is there already, from its first trial to its last.
        goes_on: Whether it began at a start before.
    """

    entry: SearchEntry
    name: str
    folder: Path
    overrides: tuple[str, ...]
    is_kept: bool
    goes_on: bool

    def value(self) -> float:
        """Return what the search came to, on fresh seeds where its winner was confirmed.

        NaN if it came to nothing, which sweepers take for failed.
        """
        # This file is loaded by every start, and the statistics bring numpy: 0.3 s.
        from hpo_app.analysis.verdict import verdict_of  # noqa: PLC0415

        try:
            value = verdict_of(load_study(self.folder)).value
        except RunFolderError:
            return math.nan
        return math.nan if value is None else value


class Sweep:
    """The sweep of this process; it has a folder once Hydra has made its launcher.

    Attributes:
        signals: What this process is told.
        arguments: The command line, less the program, without what only this start was told.
        changes: Overrides that apply to searches that go on.
        codes: What its searches ended with.
        supervisor: Looks after the searches that a launcher starts beside this process.
        at_end: Called once when the sweep is over, however it ended.
    """

    def __init__(
        self,
        signals: Signals,
        arguments: Sequence[str],
        changes: Sequence[str] = (),
        resumed: Path | None = None,
    ) -> None:
        self.signals = signals
        self.arguments = tuple(arguments)
        self.changes = tuple(changes)
        self.codes: list[int] = []
        self.supervisor = Supervisor(signals, patience_s=_PATIENCE_S)
        self.at_end = contextlib.ExitStack()
        self._before = read_sweep(resumed) if resumed is not None else None
        self.record: SweepRecord | None = None

    def open(self, root: Path) -> None:
        """Take a folder for this sweep alone, before Hydra's sweeper writes into it.

        Raises:
            PlanError: If it holds another sweep.
            RunFolderError: If another process has it.
            StorageError: If it cannot be made, or written into.
        """
        self.at_end.callback(self._tidy)  # Last, once nobody holds the folder.
        self.at_end.enter_context(claimed(root))
        (root / STOP_NAME).unlink(missing_ok=True)
        if self._before is not None:
            self.record = replace(self._before, changes=lasting(self.changes))
            return
        if is_sweep(root):
            fix = f"go on with it by action=resume run={root}, or name another folder"
            expected = "a folder that holds no sweep yet"
            raise PlanError([Problem("hydra.sweep.dir", str(root), expected, fix)])
        self.record = SweepRecord(root, self.arguments, typed(self.arguments))

    def jobs(
        self,
        job_overrides: Sequence[Sequence[str]],
        first: int,
        folder_of: Callable[[Sequence[str], int], Path],
    ) -> list[Job]:
        """Return the searches of one batch of the sweeper, and put them on record.

        Args:
            job_overrides: The overrides of each.
            first: Number of the first one.
            folder_of: Gives the run folder of a search by its overrides and number.

        Raises:
            PlanError: If two searches share a folder, or one is outside of the sweep, or the
                sweeper proposes something else than at the start that is gone on with.
            RunFolderError: If a run folder of it cannot be read.
        """
        record = self.record
        assert record is not None
        numbered = list(enumerate(map(tuple, job_overrides), first))
        for number, overrides in numbered:
            folder = os.path.relpath(folder_of(overrides, number), record.folder)
            entry = SearchEntry(number, overrides, folder)
            self._refuse_shared(entry, record)
            record = record.with_search(entry)
        self.record = record
        known = [(entry.number, entry.overrides) for entry in record.searches]
        # Of a long sweep whose sweeper proposes one at a time, all so far tell what varies.
        names = names_of(known)
        entries = {entry.number: entry for entry in record.searches}
        jobs = [self._job(entries[number], names[number]) for number, _ in numbered]
        record.write()
        return jobs

    def wait_for_searches(self) -> None:
        """Wait until no search is left that was started beside this process, for some seconds."""
        assert self.record is not None
        folders = [self.record.folder / search.folder for search in self.record.searches]
        deadline = time.monotonic() + _PATIENCE_S
        while any(map(living_owner, folders)) and time.monotonic() < deadline:
            time.sleep(_LOOK_S)

    @property
    def typed(self) -> tuple[str, ...] | None:
        """What of its searches a person typed at this start; None for all of it.

        What the record of a sweep says of an earlier start may be made up.
        """
        return typed_for_search() if self._before is None else self.changes

    @property
    def typed_again(self) -> tuple[str, ...]:
        """What a person has to type again to go on: no folder may decide it."""
        return decided(self.arguments)

    def _tidy(self) -> None:
        record = self.record if self._before is None else None
        if record is not None and not record.has_begun():
            remove_unused_sweep(record.folder)

    def _refuse_shared(self, entry: SearchEntry, record: SweepRecord) -> None:
        if not is_inside(entry.folder):
            fix = "leave it out, or name a folder without .. and without / before it"
            expected = "a folder inside that of the sweep, for each search"
            raise PlanError([Problem("hydra.sweep.subdir", entry.folder, expected, fix)])
        for other in record.searches:
            if other.folder == entry.folder and other.number != entry.number:
                got = f"{entry.folder} for searches {other.number} and {entry.number}"
                fix = "leave it out, or add ${hydra.job.num} to it"
                expected = "a folder for each search"
                raise PlanError([Problem("hydra.sweep.subdir", got, expected, fix)])
        before = self._before.searches if self._before is not None else ()
        for known in before:
            is_other = undecided(known.overrides) != undecided(entry.overrides)
            if known.number == entry.number and is_other:
                got = f"{' '.join(entry.overrides)} as search {entry.number}"
                expected = f"{' '.join(known.overrides)}, as at its first start"
                fix = "start a new sweep; a sweeper that draws needs hydra.sweeper.sampler.seed"
                raise PlanError([Problem("run", got, expected, fix)])

    def _job(self, entry: SearchEntry, name: str) -> Job:
        assert self.record is not None
        folder = self.record.folder / entry.folder
        if not (folder / JOURNAL).is_file():
            overrides = (*entry.overrides, *self.changes)
            return Job(entry, name, folder, overrides, is_kept=False, goes_on=False)
        if self._before is None:
            fix = "name another folder by hydra.sweep.dir=PATH"
            expected = "a folder that holds no run yet"
            raise PlanError([Problem("hydra.sweep.dir", str(folder), expected, fix)])
        refuse_links(folder)
        self._wait_for_owner(folder, name)
        study = load_study(folder)
        is_kept = study.is_complete and not _asks_more(self.changes, study)
        going_on = ("action=resume", f"run={folder}", *self.changes)
        return Job(entry, name, folder, going_on, is_kept=is_kept, goes_on=True)

    def _wait_for_owner(self, folder: Path, name: str) -> None:
        """Wait for a process that a start before left behind, which ends by itself."""
        deadline, is_said = time.monotonic() + _PATIENCE_S, False
        while living_owner(folder) and time.monotonic() < deadline and self.signals.number is None:
            if not is_said:
                sys.stdout.write(f"{plain(name)} | waiting for its earlier start to end\n")
                is_said = True
            time.sleep(_LOOK_S)


def _asks_more(changes: Sequence[str], study: Study) -> bool:
    """Return whether changes give a search that was complete something to do."""
    return any(
        each.root == "confirm" or (each.key == "num_trials" and each.value != str(study.num_trials))
        for each in overrides_in(changes)
    )


def current_sweep() -> Sweep:
    """Return the sweep of this process.

    Raises:
        LookupError: Outside of one.
    """
    return _CURRENT.get()


@contextlib.contextmanager
def sweeping(sweep: Sweep) -> Iterator[Sweep]:
    """Make a sweep known to launchers and callbacks, which Hydra makes from a config alone."""
    token = _CURRENT.set(sweep)
    try:
        with sweep.at_end:
            yield sweep
    finally:
        _CURRENT.reset(token)
