"""From a run folder to its report, written anew from the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console

from hpo_app.actions.command import Outcome
from hpo_app.actions.compare import compare
from hpo_app.actions.sweep_results import conclude_sweep
from hpo_app.actions.typed import shown_path, train_command_of
from hpo_app.analysis.summary import summarize
from hpo_app.errors import EXIT_COMPLETE, Problem, RunFolderError
from hpo_app.report.document import REPORT_FOLDER, write_report
from hpo_app.report.format import plain
from hpo_app.report.sentences import ending_sentence, winner_sentence
from hpo_app.study.replay import load_study
from hpo_app.study.sweep import is_sweep, read_sweep


if TYPE_CHECKING:
    from pathlib import Path

    from hpo_app.actions.command import Command


def run(command: Command) -> Outcome:
    """Write the report of `run`, and say where it is; the run may still go on.

    Several runs are set side by side instead, and so are the searches of a sweep.

    Raises:
        RunFolderError: If `run` names no folder that can be read, or nothing can be written.
    """
    reading = command.reading
    if len(reading.runs) > 1:
        return compare(command)
    folder = reading.only_run
    if is_sweep(folder):
        return _of_sweep(command, folder)
    study = load_study(folder)
    target = reading.output or folder / REPORT_FOLDER
    try:
        target.mkdir(parents=True, exist_ok=True)
        path = write_report(
            study,
            target,
            command=str(study.facts.get("command", "")),
            train_command=train_command_of(study, reading.trusted_modules),
        )
    except OSError as error:
        raise RunFolderError([_unwritten(target, error)]) from None
    console, summary = Console(highlight=False), summarize(study)
    for line in (study.note, winner_sentence(summary), ending_sentence(study, summary)):
        if line:
            console.print(plain(line), markup=False, soft_wrap=True)
    console.print(f"Report: {plain(shown_path(path))}", markup=False, soft_wrap=True)
    return Outcome(EXIT_COMPLETE, keeps_folder=False)


def _of_sweep(command: Command, folder: Path) -> Outcome:
    reading = command.reading
    trusted = ",".join(reading.trusted_modules)
    again = [f"trusted_modules=[{trusted}]"] if trusted else []
    try:
        conclude_sweep(read_sweep(folder), command.console, again, reading.output)
    except OSError as error:
        raise RunFolderError([_unwritten(reading.output or folder, error)]) from None
    return Outcome(EXIT_COMPLETE, keeps_folder=False)


def _unwritten(target: Path, error: OSError) -> Problem:
    got = f"{error.filename2 or error.filename or target}: {error.strerror or error}"
    fix = "name another folder by output="
    return Problem("output", got, "a folder that can be written", fix)
