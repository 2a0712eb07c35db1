"""From the folders that `warm_start` names to what a search takes over from each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hpo_app.config.stored import differing_keys
from hpo_app.study.earlier import read_earlier


if TYPE_CHECKING:
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.study.earlier import EarlierRun


def earlier_runs(plan: RunPlan) -> tuple[EarlierRun, ...]:
    """Return the earlier runs, each with the keys of its config that were other than today's.

    Raises:
        RunFolderError: If one of them cannot be read.
        PlanError: If one of them cannot be compared with what the plan describes.
    """
    return tuple(
        replace(run, differing=differing_keys(Path(run.folder), plan.template))
        for run in read_earlier(plan)
    )
