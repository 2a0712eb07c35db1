"""From the folder of a sweep to its table, `sweep.csv` and the page that compares its searches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.actions.typed import shown_path, typed
from hpo_app.config.stored import settings_of
from hpo_app.errors import RunFolderError
from hpo_app.report.comparison import write_sweep_page
from hpo_app.report.document import REPORT_FOLDER
from hpo_app.report.format import plain
from hpo_app.report.sweep_table import SweepRow, print_sweep, write_sweep_csv
from hpo_app.study.found import RunState, read_run
from hpo_app.study.journal import FILE_NAME


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from hpo_app.study.sweep import SearchEntry, SweepRecord

CSV_NAME = "sweep.csv"


def conclude_sweep(
    record: SweepRecord, console: Console, typed_again: Sequence[str], output: Path | None = None
) -> None:
    """Write the results of a sweep as it stands, print its table, and say how to go on.

    Args:
        record: The sweep.
        console: Where to.
        typed_again: What no folder may decide, for the command that goes on.
        output: Folder for what is written; None for that of the sweep.

    Raises:
        OSError: If nothing can be written there.
    """
    names = record.names()
    rows = [_row(record.folder, entry, names[entry.number]) for entry in record.searches]
    print_sweep(rows, console)
    target = output or record.folder / REPORT_FOLDER
    target.mkdir(parents=True, exist_ok=True)
    table = (output or record.folder) / CSV_NAME
    write_sweep_csv(rows, table)
    page = write_sweep_page(rows, {row.name: _settings(record, row) for row in rows}, target)
    for line in (f"Table: {shown_path(table)}", f"Comparison: {shown_path(page)}"):
        console.print(plain(line), markup=False, soft_wrap=True)
    if any(row.state != RunState.COMPLETE.value for row in rows):
        again = typed(["action=resume", f"run={shown_path(record.folder)}", *typed_again])
        console.print(f"Go on with this sweep:\n{plain(again)}", markup=False, soft_wrap=True)


def _row(root: Path, entry: SearchEntry, name: str) -> SweepRow:
    folder = root / entry.folder
    study, state = None, "not begun"
    if (folder / FILE_NAME).exists():
        try:
            run = read_run(folder)
            study, state = run.study, run.state.value
        except RunFolderError as error:
            state = f"cannot be read: {error.problems[0].got}"
    return SweepRow(entry.number, name, entry.overrides, state, shown_path(folder), study)


def _settings(record: SweepRecord, row: SweepRow) -> dict[str, str]:
    entry = next(entry for entry in record.searches if entry.number == row.number)
    return settings_of(record.folder / entry.folder)
