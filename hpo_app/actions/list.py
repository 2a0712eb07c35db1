"""From a folder of runs to a table: what there is, how it stands, and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from hpo_app.actions.command import Outcome
from hpo_app.actions.typed import shown_path
from hpo_app.errors import EXIT_COMPLETE, Problem, RunFolderError
from hpo_app.report.runs_table import print_runs
from hpo_app.study.found import read_runs


if TYPE_CHECKING:
    from hpo_app.actions.command import Command

_USUAL = Path("outputs")
# A pipe has no width: there, no line is broken.
_WIDTH_OF_A_PIPE = 1000


def run(command: Command) -> Outcome:
    """Print the runs below a folder, newest first; those that cannot be read are named below.

    Raises:
        RunFolderError: If `run` names no folder that can be read.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH_OF_A_PIPE
    for root in command.reading.runs or (_USUAL,):
        if not root.is_dir() and root != _USUAL:
            expected = "a folder with runs below it"
            raise RunFolderError([Problem("run", str(root), expected, "name another folder")])
        try:
            runs, broken = read_runs(root)
        except OSError as error:
            raise RunFolderError([_unreadable(error)]) from None
        print_runs(runs, broken, console, root=shown_path(root))
    return Outcome(EXIT_COMPLETE, keeps_folder=False)


def _unreadable(error: OSError) -> Problem:
    expected = "folders that you may read"
    return Problem(str(error.filename), error.strerror or str(error), expected, "ask who owns it")
