"""From a plan to a run folder: the search, its results and its report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hpo_app.actions.command import Outcome
from hpo_app.actions.environment import environment_facts
from hpo_app.actions.typed import resume_command, shown_path, train_command
from hpo_app.analysis.best import best_trial
from hpo_app.analysis.tables import write_trials_csv
from hpo_app.config.best import BestConfig, write_best
from hpo_app.config.render import render
from hpo_app.errors import EXIT_COMPLETE, EXIT_FAILED_TRIALS, EXIT_RESOURCES
from hpo_app.plan.capacity import this_machine
from hpo_app.report.console import make_console
from hpo_app.report.document import write_report
from hpo_app.report.live import Progress, make_view
from hpo_app.report.summary_json import write_summary
from hpo_app.report.terminal import print_summary
from hpo_app.study.files import replace_file
from hpo_app.study.lock import run_lock
from hpo_app.study.records import TrialState
from hpo_app.tuning.runner import run_search
from hpo_app.tuning.session import refuse_misfit
from hpo_app.tuning.signals import HANDLED, exit_code_of
from hpo_app.tuning.watchdog import LOST, STALLED


if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from hpo_app.actions.command import Command
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.study.records import Study, TrialRecord

_SIGNAL_CODES = {f"signal {number.name}": exit_code_of(number) for number in HANDLED}


def run(command: Command) -> Outcome:
    """Run the search, write its folder, and print what came out."""
    return search(command)


def search(command: Command, changes: Sequence[str] | None = None) -> Outcome:
    """Run or continue a search; `changes` is None for a new one."""
    plan, folder = command.plan, command.folder
    if plan.cluster.is_local:
        refuse_misfit(plan, this_machine(plan.cluster))
    console = make_console()
    _say(console, f"run folder {shown_path(folder)}")
    _say(console, "starting Ray, which takes some seconds")
    facts = environment_facts()
    replace_file(folder / "environment.json", json.dumps(facts, indent=2))
    progress = Progress(plan.objective, plan.num_trials, plan.iterations)
    with run_lock(folder), make_view(progress, console) as view:
        study = run_search(plan, folder, view, facts, changes=changes)
    best = best_trial(study)
    again = train_command(plan, folder)
    write_results(plan, study, best, again)
    report = write_report(study, folder, command=str(facts["command"]), train_command=again)
    print_summary(study, console, run_folder=folder, report_path=report, train_command=again)
    if study.in_state(TrialState.INTERRUPTED):
        _say(console, "Go on with this run:")
        _say(console, resume_command(folder))
    value = best.value(plan.objective.metric) if best else None
    return Outcome(exit_code(study), value)


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


def write_results(plan: RunPlan, study: Study, best: TrialRecord | None, again: str) -> None:
    """Write trials.csv, summary.json and, where there is a winner, best.yaml.

    Args:
        plan: The plan of the run.
        study: What came out.
        best: The winner, if there is one.
        again: The command that trains it.
    """
    write_trials_csv(study, study.folder / "trials.csv")
    write_summary(study, study.folder / "summary.json")
    if best is None:
        return
    value = best.value(plan.objective.metric)
    provenance: dict[str, Any] = {
        "run_id": study.run_id,
        "trial": best.number,
        "trial_seed": best.seed,
        "iterations": best.iterations,
        plan.objective.metric: value,
    }
    head = [
        f"Best configuration of run {study.run_id}: trial {best.number}, "
        f"{plan.objective.metric} {value:.6g} after {best.iterations} iterations.",
        again,
    ]
    rendered = render(plan.template, best.params)
    config = BestConfig(rendered, plan.objective, best.params, provenance)
    write_best(study.folder / "best.yaml", config, head)


def exit_code(study: Study) -> int:
    """Return what the process ends with."""
    if study.stop_reason in _SIGNAL_CODES:
        return _SIGNAL_CODES[study.stop_reason]
    if study.stop_reason.startswith((STALLED, LOST)):
        return EXIT_RESOURCES
    return EXIT_FAILED_TRIALS if study.in_state(TrialState.FAILED) else EXIT_COMPLETE
