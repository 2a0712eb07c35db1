"""From what the config names to an engine: whatever library the search algorithm is from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ray.tune.search import Searcher as RaySearcher

from hpo_app.config.build import build
from hpo_app.errors import PlanError, Problem
from hpo_app.search.grid import GridSearch
from hpo_app.search.optuna_engine import OptunaEngine, is_sampler
from hpo_app.search.prior import first_draws
from hpo_app.tuning.ray_engine import RayEngine, can_learn, can_start_with_points, to_point


if TYPE_CHECKING:
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.search.engine import Engine


def make_engine(plan: RunPlan) -> Engine:
    """Return the engine of a run.

    Raises:
        PlanError: If `search_alg` does not take its arguments, or is none of what is known here.
    """
    built: Any = build(plan.searcher.component, "search_alg", plan.trusted_modules)
    if isinstance(built, GridSearch):
        return built.over(plan.space)
    if is_sampler(built):
        return OptunaEngine(plan.space, plan.criteria, built)
    if isinstance(built, RaySearcher):
        return _ray_engine(plan, built)
    expected = "an optuna.samplers.BaseSampler or a ray.tune.search.Searcher"
    target = plan.searcher.component.target
    got = f"{target}, which gives a {type(built).__name__}"
    raise PlanError([Problem("search_alg._target_", got, expected, "name one of these")])


def _ray_engine(plan: RunPlan, built: RaySearcher) -> RayEngine:
    choice = plan.choices.get("search_alg", type(built).__name__)
    if plan.warm_start and not can_learn(built):
        expected = f"no earlier run, because search_alg={choice} takes none"
        fix = "leave it out, or set search_alg=optuna"
        raise PlanError([Problem("warm_start", f"[{','.join(plan.warm_start)}]", expected, fix)])
    baselines = [baseline.params for baseline in plan.baselines]
    first = first_draws(plan.space, plan.seed, baselines, plan.prior_trials)
    first = [plan.space.defaults, *first] if plan.space.has_defaults else first
    if first and can_start_with_points(built):
        points = {"points_to_evaluate": [to_point(plan.space, params) for params in first]}
        built = build(plan.searcher.component, "search_alg", plan.trusted_modules, **points)
    elif baselines and not can_learn(built):
        got = f"[{','.join(baseline.source for baseline in plan.baselines)}]"
        expected = f"none, because search_alg={choice} cannot be told of trials that others chose"
        raise PlanError([Problem("baseline", got, expected, "set search_alg=optuna")])
    elif len(first) > 1 and not can_learn(built):
        expected = f"0, because search_alg={choice} cannot be told of trials around the default"
        fix = "set prior_trials=0, or set search_alg=optuna"
        raise PlanError([Problem("prior_trials", str(plan.prior_trials), expected, fix)])
    else:
        first = []
    return RayEngine(plan.space, plan.objective, built, plan.seed, starts_with=first)
