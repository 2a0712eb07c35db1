"""From the searches of a sweep to their ends, and to the lines that a person watches meanwhile."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from hpo_app.analysis.summary import summarize
from hpo_app.errors import EXIT_RESOURCES, EXIT_UNEXPECTED, RunFolderError
from hpo_app.report.format import plain
from hpo_app.report.sentences import ending_sentence, winner_sentence
from hpo_app.study.journal import FILE_NAME as JOURNAL
from hpo_app.study.replay import load_study
from hpo_app.study.sweep import LOG_NAME as LINES_NAME
from hpo_app.tuning.reach import refuse_sweep_out_of_reach
from hpo_app.tuning.search_process import LOG_NAME
from hpo_app.tuning.shared_ray import run_searches, share_ray


if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hpo_app.signals import Signals
    from hpo_app.sweeps.sweep import Job
    from hpo_app.tuning.search_process import SearchProcess

__all__ = ["refuse_sweep_out_of_reach", "run_to_the_end", "share_ray"]

_MOST_OF_A_LOG = 4000


def run_to_the_end(
    searches: Mapping[SearchProcess, Job],
    at_once: int,
    remote: Mapping[str, Any],
    signals: Signals,
    root: Path,
) -> list[int]:
    """Run searches on the Ray of this process, and show a line for what happens in each.

    Args:
        searches: What to start, and of which search of the sweep it is.
        at_once: How many run at once.
        remote: Options of the task of Ray that starts one.
        signals: What this process is told.
        root: The folder of the sweep.

    Returns:
        What those ended with that were started.
    """
    lines = _Lines(root / LINES_NAME)
    noun = "search" if len(searches) == 1 else "searches"
    lines.add(f"{len(searches)} {noun}, {at_once} at once")
    before = {search: _Before.of(job.folder) for search, job in searches.items()}
    codes = []
    for search, result in run_searches(list(searches), at_once, remote, signals, lines.show):
        # Of one that was killed the journal tells all: it can be gone on with.
        is_code = isinstance(result, int) and result >= 0
        codes.append(int(result) if is_code else EXIT_RESOURCES)
        lines.add(_ending_line(searches[search], result, before[search]))
    lines.show()
    return codes


class _Lines:
    """Shows what was added to a file since the last look."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = path.stat().st_size if path.exists() else 0

    def add(self, line: str) -> None:
        """Add a line of our own."""
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def show(self) -> None:
        """Print whole lines that are new."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                new = file.read()
        except FileNotFoundError:  # No search has said anything yet.
            return
        whole = new[: new.rfind(b"\n") + 1]
        self._read += len(whole)
        sys.stdout.write(whole.decode("utf-8", errors="replace"))
        sys.stdout.flush()


class _Before(NamedTuple):
    """How many bytes the files of a search had before it was started."""

    journal: int
    log: int

    @classmethod
    def of(cls, folder: Path) -> _Before:
        paths = (folder / JOURNAL, folder / LOG_NAME)
        return cls(*(path.stat().st_size if path.exists() else 0 for path in paths))


def _ending_line(job: Job, result: int | str, before: _Before) -> str:
    """Return how a search ended, as one line.

    Args:
        job: The search.
        result: Its exit code, or why there is none.
        before: What earlier starts of it have left.
    """
    # What began writes that down; what did not has only said why.
    has_begun = _Before.of(job.folder).journal > before.journal
    try:
        study = load_study(job.folder)
    except RunFolderError:
        study = None
    if study is None or result == EXIT_UNEXPECTED or (result != 0 and not has_begun):
        words = _first_words(job.folder, before.log)
        return plain(f"{job.name} | {_how(result)}: {words}")
    summary = summarize(study)
    sentences = f"{winner_sentence(summary)} {ending_sentence(study, summary)}"
    head = f"{_how(result)}: " if result not in (0, 3) else ""
    return plain(f"{job.name} | {head}{sentences}")


def _how(result: int | str) -> str:
    if isinstance(result, str):
        return f"its worker died ({result})"
    if result < 0:
        return f"killed by {signal.Signals(-result).name}"
    return "interrupted" if result in (130, 143) else f"failed with exit code {result}"


def _first_words(folder: Path, said_before: int) -> str:
    """Return what a search said that came to nothing, and where all of it stands."""
    log = folder / LOG_NAME
    try:
        said = log.read_bytes()[said_before:]
        text = said[-_MOST_OF_A_LOG:].decode("utf-8", errors="replace")
    except OSError:
        return "it has not begun"
    return f"{' '.join(text.split())[:600]} (see {log})"
