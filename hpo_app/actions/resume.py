"""From a run that was cut off, or is to be longer, to its end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hpo_app.actions.optimize import conclude, search
from hpo_app.errors import PlanError, Problem
from hpo_app.study.journal import FILE_NAME, Journal
from hpo_app.study.lock import run_lock
from hpo_app.study.replay import load_study


if TYPE_CHECKING:
    from hpo_app.actions.command import Command, Outcome
    from hpo_app.study.records import Study


def run(command: Command) -> Outcome:
    """Go on with the run in the run folder: unfinished trials first, then new ones.

    Where nothing is left to run, only results and report are written anew: the run may have been
    cut off before it wrote them.

    Raises:
        RunFolderError: If the journal cannot be read, or another process writes it.
        PlanError: If the run is to have fewer trials than it has.
    """
    # Says what is wrong with it before Ray starts.
    study = load_study(command.folder)
    if study.note:
        command.console.print(study.note, markup=False, soft_wrap=True)
    _refuse_fewer(study, command.plan.num_trials)
    # The run may be longer than it was, or shorter.
    confirm = command.plan.confirm
    # A winner that was found by other settings is not the one that is asked for.
    stands = study.race is not None and study.race.is_by(confirm)
    wanted = replace(
        study,
        num_trials=command.plan.num_trials,
        is_to_confirm=confirm.is_on,
        winner=study.winner if stands else None,
    )
    if not wanted.is_complete:
        return search(command, changes=command.changes)
    with command.signals.noted(), run_lock(command.folder):
        return conclude(command, _closed(command, study, wanted))


def _refuse_fewer(study: Study, num_trials: int) -> None:
    begun = len(study.trials)
    if num_trials < begun:
        expected = f"at least {begun}, the trials that this run has begun"
        fix = f"set num_trials={begun} to end it with these"
        raise PlanError([Problem("num_trials", str(num_trials), expected, fix)])


def _closed(command: Command, study: Study, wanted: Study) -> Study:
    """Return the study of a run whose trials have all ended, once its journal says so too."""
    reason = f"all {wanted.num_trials} trials ended"
    if study.stop_reason != reason:
        journal, _ = Journal.reopen(command.folder / FILE_NAME)
        changes = list(command.changes)
        confirms = {"confirms": wanted.is_to_confirm}
        journal.append(
            "resumed", num_trials=wanted.num_trials, changes=changes, facts={}, **confirms
        )
        journal.append("closed", reason=reason)
        journal.close()
    return replace(wanted, stop_reason=reason)
