"""From the searches of a sweep to one table: in the terminal, in a file and on a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from rich.table import Table
from rich.text import Text

from hpo_app.analysis.claim import claim_of
from hpo_app.analysis.summary import summarize
from hpo_app.analysis.tables import write_csv
from hpo_app.analysis.verdict import verdict_of
from hpo_app.report.format import NOTHING, duration, number, plain
from hpo_app.report.sentences import result_text
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from hpo_app.study.records import Study

HEADS = ("search", "best", "gain", "trials", "time", "state", "folder")
# A pipe has no width: there, no line is broken.
_WIDTH_OF_A_PIPE = 1000


@dataclass(frozen=True)
class SweepRow:
    """One search of a sweep.

    Attributes:
        number: Its place, from 0.
        name: What tells it apart from the others.
        overrides: What it was started with.
        state: How it stands, in words.
        folder: Its run folder, as one would type it.
        study: What its journal tells; None where there is none that can be read.
    """

    number: int
    name: str
    overrides: tuple[str, ...]
    state: str
    folder: str
    study: Study | None

    def cells(self) -> tuple[str, ...]:
        """Return the texts below `HEADS`."""
        study = self.study
        if study is None:
            return (plain(self.name), *[NOTHING] * 4, self.state, plain(self.folder))
        failed = len(study.in_state(TrialState.FAILED))
        return (
            plain(self.name),
            result_text(study) or NOTHING,
            number(verdict_of(study).gain),
            f"{study.num_ended} of {study.num_trials}" + (f", {failed} failed" if failed else ""),
            duration(study.duration_s),
            self.state,
            plain(self.folder),
        )


def print_sweep(rows: Sequence[SweepRow], console: Console) -> None:
    """Print a row per search; the folder is never broken, so that it can be copied.

    Where there is no room for it beside the rest, it is left to the file.
    """
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_PIPE
    whole = _table(rows, HEADS)
    wide = console.options.update(max_width=_WIDTH_OF_A_PIPE)
    fits = console.measure(whole, options=wide).maximum <= console.width
    console.print(whole if fits else _table(rows, HEADS[:-1]))


def _table(rows: Sequence[SweepRow], heads: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, no_wrap=head == "folder", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row.cells()[: len(heads)]))
    return table


def write_sweep_csv(rows: Sequence[SweepRow], path: Path) -> None:
    """Write a row per search, with numbers as numbers, whole or not at all."""
    write_csv(pd.DataFrame([_fields(row) for row in rows]), path)


def _fields(row: SweepRow) -> dict[str, object]:
    study = row.study
    summary = summarize(study) if study is not None else None
    claim = claim_of(study) if study is not None else None
    return {
        "number": row.number,
        "overrides": " ".join(row.overrides),
        "state": row.state,
        "metric": study.objective.metric if study else None,
        "mode": study.objective.mode.value if study else None,
        "best": summary.best_value if summary else None,
        # On fresh seeds, where the run confirmed its winner.
        "confirmed": claim.winner.mean if claim else None,
        "best_trial": summary.best.number if summary and summary.best else None,
        "default": summary.default_value if summary else None,
        "gain": verdict_of(study).gain if study else None,
        "trials_ended": study.num_ended if study else 0,
        "trials_failed": len(study.in_state(TrialState.FAILED)) if study else 0,
        "num_trials": study.num_trials if study else None,
        "iterations": summary.num_iterations if summary else 0,
        "duration_s": study.duration_s if study else None,
        "folder": row.folder,
    }
