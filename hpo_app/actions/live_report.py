"""From the trials of a run that goes on to its report so far."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hpo_app.actions.typed import train_command
from hpo_app.report.document import REPORT_FOLDER, write_report
from hpo_app.study.records import Study


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.study.records import TrialRecord


def live_report(
    plan: RunPlan, folder: Path, facts: Mapping[str, Any]
) -> Callable[[Mapping[int, TrialRecord], float], Path]:
    """Return what writes the report of a run that goes on, from the trials so far."""
    so_far = Study(
        run_id=folder.name,
        folder=folder,
        criteria=plan.criteria,
        space=plan.space_entries,
        trials=(),
        num_trials=plan.num_trials,
        iterations=plan.iterations,
        seed=plan.seed,
        facts={**facts, "choices": dict(plan.choices)},
    )

    def write(trials: Mapping[int, TrialRecord], elapsed_s: float) -> Path:
        target = folder / REPORT_FOLDER
        target.mkdir(exist_ok=True)
        in_order = tuple(trials[number] for number in sorted(trials))
        return write_report(
            replace(so_far, trials=in_order, duration_s=elapsed_s),
            target,
            command=str(facts.get("command", "")),
            train_command=train_command(plan, folder),
            has_images=False,
        )

    return write
