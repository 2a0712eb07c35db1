"""From how trials are judged to the columns that every table of them has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.report.format import NOTHING, number, plain


if TYPE_CHECKING:
    from hpo_app.plan.criteria import Criteria
    from hpo_app.study.records import TrialRecord


def judged_heads(criteria: Criteria) -> list[str]:
    """Return the names of the metrics that trials are judged by, and a word for the constraints."""
    names = [plain(metric) for metric in criteria.metrics]
    return [*names, "constraints"] if criteria.constraints else names


def judged_cells(trial: TrialRecord, criteria: Criteria) -> list[str]:
    """Return what a trial has below `judged_heads`."""
    values = [number(trial.value(metric)) for metric in criteria.metrics]
    if not criteria.constraints:
        return values
    if not criteria.are_in(trial.last):
        return [*values, NOTHING]
    return [*values, "not kept" if trial.unmet(criteria) else "kept"]
