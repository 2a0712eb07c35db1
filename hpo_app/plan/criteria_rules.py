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
    yield from parts_that_know_one_objective(plan)
    yield from stop_by_one_objective(plan)


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


def parts_that_know_one_objective(plan: RunPlan) -> Iterator[Problem]:
    """Yield a part that would look at the first of several objectives only."""
    if not plan.criteria.has_several:
        return
    several = f"the {len(plan.objectives)} objectives"
    if not plan.searcher.knows_several:
        choice = plan.choices.get("search_alg", plan.searcher.component.target)
        expected = f"one that learns from {several}"
        fix = "set search_alg=optuna_nsga2, optuna, optuna_gp or random"
        yield Problem("search_alg", choice, expected, fix)
    if not plan.scheduler.knows_several:
        choice = plan.choices.get("scheduler", plan.scheduler.component.target)
        expected = f"fifo, because {choice} compares trials by one metric, and not by {several}"
        yield Problem("scheduler", choice, expected, "set scheduler=fifo")


def stop_by_one_objective(plan: RunPlan) -> Iterator[Problem]:
    """Yield a reason to stop that asks for the one best value."""
    if not plan.criteria.has_several:
        return
    for word, value in (("target", plan.stop.target), ("plateau", plan.stop.plateau)):
        if value is not None:
            expected = "null with several objectives, which have no one best value"
            fix = "leave it out; num_trials and time_budget_s bound the run"
            yield Problem(f"stop.{word}", f"{value:g}", expected, fix)
