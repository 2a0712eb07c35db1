"""From runs that were found to a table in the terminal, newest first."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from hpo_app.analysis.best import best_trial
from hpo_app.report.format import NOTHING, counted, objectives_text, plain
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from hpo_app.errors import RunFolderError
    from hpo_app.study.found import FoundRun
    from hpo_app.study.records import Study

# A group that was left out; Hydra writes the word down.
_NONE = (None, "None", "null")
# The config groups whose choices tell runs apart, in the order of the command line.
_GROUPS = ("search_space", "model", "search_alg", "scheduler", "preset")


def print_runs(
    runs: Sequence[FoundRun],
    broken: Sequence[tuple[Path, RunFolderError]],
    console: Console,
    *,
    root: str,
) -> None:
    """Print a row per run, then what is wrong with the folders that cannot be read.

    Args:
        runs: The runs, in the order of the rows.
        broken: Folders with a journal that cannot be read, each with the reason.
        console: Where to.
        root: Where they were looked for, as one would type it.
    """
    if not runs and not broken:
        console.print(Text(f"no run in {plain(root)}"), soft_wrap=True)
    if runs:
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
        for title in ("started", "choices", "trials", "best", "state", "folder"):
            # The path is there to be copied.
            whole = title == "folder"
            table.add_column(title, no_wrap=whole, overflow="fold" if whole else "ellipsis")
        for run in runs:
            table.add_row(*(Text(cell) for cell in _cells(run)))
        console.print(table)
    for folder, error in broken:
        problem = error.problems[0]
        text = f"{folder} cannot be read: {problem.key}: {problem.got}"
        console.print(Text(plain(text), style="red"), soft_wrap=True)


def choices_text(study: Study) -> str:
    """Return what a run was made of: its choices of config groups, without repeating one."""
    choices = study.facts.get("choices")
    if not isinstance(choices, dict):
        return NOTHING
    names = [str(choices[group]) for group in _GROUPS if choices.get(group) not in _NONE]
    return plain(", ".join(dict.fromkeys(names))) or NOTHING


def _cells(run: FoundRun) -> tuple[str, ...]:
    study = run.study
    best = best_trial(study)
    failed = len(study.in_state(TrialState.FAILED))
    return (
        f"{run.started_at.astimezone():%Y-%m-%d %H:%M}",
        choices_text(study),
        f"{study.num_ended} of {study.num_trials}",
        objectives_text(best.last, study.criteria) if best else NOTHING,
        run.state.value + (f", {counted(failed, 'trial')} failed" if failed else ""),
        plain(os.path.relpath(run.folder) if not run.folder.is_absolute() else str(run.folder)),
    )
