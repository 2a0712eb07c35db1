"""From a run that was cut off, or is to be longer, to its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.actions.optimize import search
from hpo_app.report.console import make_console
from hpo_app.study.replay import load_study


if TYPE_CHECKING:
    from hpo_app.actions.command import Command, Outcome


def run(command: Command) -> Outcome:
    """Go on with the run in the run folder: unfinished trials first, then new ones.

    Raises:
        RunFolderError: If the journal cannot be read, or another process writes it.
    """
    study = load_study(command.folder)  # Says what is wrong with it before Ray starts.
    if study.note:
        make_console().print(study.note, markup=False, soft_wrap=True)
    return search(command, changes=command.changes)
