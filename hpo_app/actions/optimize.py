"""From a plan to a run folder: the search, its results and its report."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from hpo_app.actions.app_command import training_command
from hpo_app.actions.beforehand import refuse_untrainable
from hpo_app.actions.command import Outcome
from hpo_app.actions.environment import environment_facts
from hpo_app.actions.live_report import live_report
from hpo_app.actions.results import write_results, write_winner
from hpo_app.actions.typed import resume_command, shown_path
from hpo_app.actions.warm_start import earlier_runs
from hpo_app.analysis.best import best_trial
from hpo_app.analysis.verdict import verdict_of
from hpo_app.config.secrets import secret_variables
from hpo_app.errors import (
    EXIT_COMPLETE,
    EXIT_FAILED_TRIALS,
    EXIT_RESOURCES,
    Problem,
    ResourceError,
    RunFolderError,
)
from hpo_app.report.document import REPORT_FOLDER, write_report
from hpo_app.report.live import Progress, make_view
from hpo_app.report.logged import LoggedView
from hpo_app.report.refreshed import RefreshedReport
from hpo_app.report.sentences import earlier_sentence
from hpo_app.report.terminal import print_summary
from hpo_app.study.disk import is_for_want_of_room
from hpo_app.study.journal import FILE_NAME
from hpo_app.study.lock import run_lock
from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study
from hpo_app.tuning.own_ray import shared_address, starts_ray_here
from hpo_app.tuning.preflight import refuse_at_start
from hpo_app.tuning.runner import run_search
from hpo_app.tuning.supervisor import StuckError, Supervisor
from hpo_app.tuning.temp_folder import ray_temp_folder
from hpo_app.tuning.watchdog import LOST, STALLED


if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from hpo_app.actions.command import Command
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.study.records import Study


def run(command: Command) -> Outcome:
    """Run the search, write its folder, and print what came out.

    Raises:
        PlanError: If a person's own app or table is not what the config says.
    """
    refuse_untrainable(command)
    return search(command)


def search(command: Command, changes: Sequence[str] | None = None) -> Outcome:
    """Run or continue a search; `changes` is None for a new one.

    The first signal ends the search, and what came out is written and printed all the same.

    Raises:
        ResourceError: If no trial can ever fit, or Ray broke off.
        Interrupted: If a signal came before the first trial.
    """
    plan, folder = command.plan, command.folder
    console = command.console
    # A run that goes on has what it took over in its journal, and needs no other folder.
    earlier = earlier_runs(plan) if changes is None else ()
    if secret_variables(plan.template):
        # None is written to it by us, but a training function writes there too.
        with contextlib.suppress(PermissionError):  # Whose folder it is decides.
            folder.chmod(0o700)
    facts = environment_facts(command.started_by)
    progress = Progress(
        plan.criteria, plan.num_trials, plan.iterations, is_confirmed=plan.confirm.is_on
    )
    supervisor = Supervisor(command.signals)
    with command.signals.noted(), run_lock(folder) as note:
        refuse_at_start(plan, folder)
        _say(console, f"run folder {shown_path(folder)}")
        learned = [f"warm start: {earlier_sentence(run_before)}" for run_before in earlier]
        for line in filter(None, (note, *learned, *_where(plan))):
            _say(console, line)
        try:
            with make_view(progress, command.events or console) as shown:
                view = RefreshedReport(
                    LoggedView(shown), plan.report_every_s, live_report(plan, folder, facts)
                )
                study = supervisor.run(
                    lambda: run_search(
                        plan,
                        folder,
                        view,
                        facts,
                        changes=changes,
                        earlier=earlier,
                        supervisor=supervisor,
                        train=command.train,
                        write_best=lambda study: write_winner(plan, study),
                    ),
                    view.notice,
                )
        except StuckError as stuck:
            return _after_stuck(command, stuck)
        return conclude(command, study)


def _where(plan: RunPlan) -> tuple[str, str]:
    if shared_address():
        return "", "using the Ray of the sweep"
    if not plan.cluster.is_local:
        return "", f"connecting to the Ray cluster at {plan.cluster.address}"
    if not starts_ray_here(plan.cluster):
        return "", "using the Ray that this process has started"
    return ray_temp_folder()[1], "starting Ray, which takes some seconds"


def conclude(command: Command, study: Study) -> Outcome:
    """Write results and report of a study, and print what came out."""
    plan, folder = command.plan, command.folder
    console = command.console
    best = best_trial(study)
    again = training_command(plan, study, best)
    try:
        write_results(plan, study)
        (folder / REPORT_FOLDER).mkdir(exist_ok=True)
        report = write_report(
            study, folder / REPORT_FOLDER, command=command.started_by, train_command=again
        )
    except (FileExistsError, IsADirectoryError, NotADirectoryError) as error:
        raise _occupied(error, f"type {_resume(command)}") from None
    print_summary(study, console, run_folder=folder, report_path=report, train_command=again)
    if not study.is_complete:
        if study.in_state(TrialState.FAILED):
            _say(console, "Failed trials are not tried again: to repeat them, start a new run.")
        first = "Make room, then go" if is_for_want_of_room(study.stop_reason) else "Go"
        _say(console, f"{first} on with this run:")
        _say(console, _resume(command))
        for line in _on_time(plan, study):
            _say(console, line)
    return Outcome(command.signals.exit_code or exit_code(study), verdict_of(study).value)


def _on_time(plan: RunPlan, study: Study) -> list[str]:
    """Return what a run that has used up its time needs beside the command that goes on."""
    budget_s = plan.time_budget_s
    if budget_s is None or study.duration_s < budget_s:
        return []
    more = f"time_budget_s={2 * budget_s:g}, or time_budget_s=null for no limit"
    return [f"add {more}: the run has used up its time"]


def _resume(command: Command) -> str:
    return command.again or resume_command(command.folder, command.plan)


def _occupied(error: OSError, again: str) -> RunFolderError:
    got = f"{error.filename2 or error.filename}: {error.strerror}"
    expected = "a place where the results can be written"
    return RunFolderError([Problem("run folder", got, expected, f"move it away, then {again}")])


def _after_stuck(command: Command, stuck: StuckError) -> Outcome:
    """Conclude a run that nobody can end in order any more, from its journal."""
    command.signals.must_leave = True
    folder = command.folder
    if not (folder / FILE_NAME).exists():
        command.signals.check()
        raise ResourceError([_broken_ray(stuck, "type the command again")])
    if not stuck.has_time:
        fix = f"type {_resume(command)}"
        sys.stderr.write(f"{ResourceError([_broken_ray(stuck, fix)])}\n")
        sys.stderr.flush()
        command.signals.leave(EXIT_RESOURCES)
    outcome = conclude(command, load_study(folder).cut_off(stuck.reason))
    is_said = command.signals.number is not None or stuck.reason.startswith((STALLED, LOST))
    if not is_said:
        raise ResourceError([_broken_ray(stuck, f"type {_resume(command)}")])
    return outcome


def _broken_ray(stuck: StuckError, fix: str) -> Problem:
    expected = "a Ray that lasts as long as the run"
    cause = "look for what ended it, out of memory for example, then "
    return Problem("ray", stuck.reason, expected, cause + fix)


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


def exit_code(study: Study) -> int:
    """Return what the process ends with where no signal ended it."""
    reason = study.stop_reason
    if is_for_want_of_room(reason) or reason.startswith((STALLED, LOST)):
        return EXIT_RESOURCES
    return EXIT_FAILED_TRIALS if study.in_state(TrialState.FAILED) else EXIT_COMPLETE
