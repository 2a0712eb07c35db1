"""From what trials are judged by to what does not go with it: one small function per rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.errors import Problem


if TYPE_CHECKING:
    from collections.abc import Iterator

    from hpo_app.plan.run_plan import RunPlan


def check_criteria(plan: RunPlan) -> Iterator[Problem]:
    """Yield every part of a plan that cannot judge trials as it is asked to."""
    yield from parts_that_know_no_constraints(plan)


def parts_that_know_no_constraints(plan: RunPlan) -> Iterator[Problem]:
    """Yield a part that would be drawn to where the constraints are not kept."""
    if not plan.constraints:
        return
    names = ", ".join(map(str, plan.constraints))
    if not plan.searcher.knows_constraints:
        choice = plan.choices.get("search_alg", plan.searcher.component.target)
        expected = f"one whose model knows of constraints ({names})"
        fix = "set search_alg=optuna, optuna_gp or optuna_nsga2, or random, which learns nothing"
        fix += ", with scheduler=asha" if plan.searcher.pairs_with else ""
        yield Problem("search_alg", choice, expected, fix)
    if not plan.scheduler.knows_constraints:
        choice = plan.choices.get("scheduler", plan.scheduler.component.target)
        expected = f"one that only compares values, because of the constraints ({names})"
        yield Problem("scheduler", choice, expected, "set scheduler=pbt, asha or fifo")
