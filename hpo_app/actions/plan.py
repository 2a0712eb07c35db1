"""From a plan to a page that says what would run."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hpo_app.actions.beforehand import refuse_untrainable
from hpo_app.actions.command import Outcome
from hpo_app.actions.plan_rows import node_rows, plan_rows
from hpo_app.actions.plan_time import time_rows
from hpo_app.actions.warm_start import earlier_runs
from hpo_app.errors import EXIT_COMPLETE, Problem, ResourceError
from hpo_app.plan.capacity import this_machine
from hpo_app.plan.rules import check_capacity
from hpo_app.tuning.preflight import disk_row
from hpo_app.tuning.supervisor import StuckError, Supervisor


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hpo_app.actions.command import Command
    from hpo_app.plan.capacity import Capacity
    from hpo_app.study.earlier import EarlierRun


def run(command: Command) -> Outcome:
    """Print what would run; start nothing but what a probe or a look at a cluster takes.

    Raises:
        ResourceError: If no trial can ever fit.
        RunFolderError: If an earlier run to learn from cannot be read.
        PlanError: If one cannot be compared with this, or a person's own app or table is not what
            the config says.
        TrainingError: If a probe was asked for, and comes to no report.
        Interrupted: At a signal.
    """
    plan = command.plan
    refuse_untrainable(command)
    earlier = earlier_runs(plan)
    if not plan.cluster.is_local:
        _with_cluster(command, earlier)
        return Outcome(EXIT_COMPLETE, keeps_folder=False)
    capacity = this_machine(plan.cluster)
    problems = list(check_capacity(plan, capacity))
    if problems:
        raise ResourceError(problems)
    _show(command, capacity, "this machine", earlier)
    if plan.probes:
        _in_ray(command, lambda _capacity, _name: None)  # It is shown already.
    return Outcome(EXIT_COMPLETE, keeps_folder=False)


def _with_cluster(command: Command, earlier: Sequence[EarlierRun]) -> None:
    """Print the plan for a cluster, which has to be joined to know what there is."""
    shown: list[Capacity] = []

    def show(capacity: Capacity, name: str) -> None:
        shown.append(capacity)
        _show(command, capacity, name, earlier)

    try:
        _in_ray(command, show)
    except ResourceError as error:
        is_there = shown or not all(item.key.startswith("ray") for item in error.problems)
        if is_there or command.plan.probes:
            raise
        _show(command, None, error.problems[0].got, earlier)


def _show(
    command: Command, capacity: Capacity | None, name: str, earlier: Sequence[EarlierRun]
) -> None:
    plan = command.plan
    slots = None if capacity is None else capacity.slots(plan.resources)
    trials, *others = plan_rows(plan, slots, earlier)
    at_most = plan.num_trials if slots is None else slots
    disk = ("disk", disk_row(plan, command.folder, at_most))
    _print_rows([trials, *node_rows(plan, capacity, name), *others, disk])


def _in_ray(command: Command, show: Callable[[Capacity, str], None]) -> None:
    """Start or join the plan's Ray, show what there is, and probe the plan if it asks for it."""
    # Not above: Ray takes a second to import, and most plans are shown without it.
    probing = importlib.import_module("hpo_app.tuning.probe")
    plan, signals = command.plan, command.signals
    supervisor = Supervisor(signals, patience_s=0.0)  # There is nothing to put in order.
    if plan.probes:
        text = "\ntraining the default configuration up to its first report, in a worker of Ray"
        command.console.print(text, markup=False, soft_wrap=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, signals.noted():
        try:
            found = supervisor.run(
                lambda: probing.in_ray(plan, Path(folder), supervisor, show), lambda _: None
            )
        except StuckError as stuck:
            signals.must_leave = True
            supervisor.processes.end()
            signals.check()
            expected = "a Ray that lasts"
            problem = Problem("ray", stuck.reason, expected, "type the command again")
            raise ResourceError([problem]) from None
    if found is not None:
        capacity, probe = found
        _print_rows(time_rows(plan, capacity.slots(plan.resources), probe))


def _print_rows(rows: Iterable[tuple[str, str]]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for name, text in rows:
        table.add_row(name, Text(text))
    Console(soft_wrap=False).print(table)
