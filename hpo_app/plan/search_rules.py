"""From search algorithm and scheduler to what is wrong with them, alone and together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from hpo_app.errors import Problem
from hpo_app.plan.grid import MOST_COUNTED, grid_size, grid_values
from hpo_app.plan.wording import key_of, typed


if TYPE_CHECKING:
    from collections.abc import Iterator

    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.plan.search_space import Params

# As in hpo_app.analysis.noise, which is above this room.
FEWEST_REPORTS = 4
# The searchers and schedulers whose arguments are known here.
_KNOWN_TARGETS = ("ray.tune.", "optuna.", "hpo_app.")


class _Range(NamedTuple):
    """Which numbers an argument takes."""

    expected: str
    example: float
    least: float = -math.inf
    above: float = -math.inf
    most: float = math.inf
    is_whole: bool = False

    def holds(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            return False
        if self.is_whole and not isinstance(value, int):
            return False
        return self.above < value <= self.most and value >= self.least


_RANGES = {
    "scheduler": {
        "max_t": _Range("a number of at least 1", 16, least=1),
        "grace_period": _Range("a number of at least 1", 1, least=1),
        "reduction_factor": _Range("a number above 1", 3, above=1),
        "brackets": _Range("a whole number of at least 1", 1, least=1, is_whole=True),
        "perturbation_interval": _Range("a number of at least 1", 2, least=1),
        "quantile_fraction": _Range("a number above 0 and at most 0.5", 0.25, above=0, most=0.5),
        "perturbation": _Range("a number above 0 and at most 1", 0.1, above=0, most=1),
        "resample_probability": _Range("a number from 0 to 1", 0.25, least=0, most=1),
        "min_samples_required": _Range("a whole number of at least 1", 3, least=1, is_whole=True),
    },
    "search_alg": {
        "n_startup_trials": _Range("a whole number of at least 0", 10, least=0, is_whole=True),
        "n_initial_points": _Range("a whole number of at least 1", 10, least=1, is_whole=True),
        "population_size": _Range("a whole number of at least 2", 20, least=2, is_whole=True),
        "n_gp_trials": _Range("a whole number of at least 0", 60, least=0, is_whole=True),
        "points": _Range("a whole number from 2 to 10000", 3, least=2, most=10_000, is_whole=True),
    },
}


def check_search(plan: RunPlan) -> Iterator[Problem]:
    """Yield everything that is wrong with how a plan searches."""
    for rule in _RULES:
        yield from rule(plan)


def population_with_model_based_searcher(plan: RunPlan) -> Iterator[Problem]:
    """Yield PBT with a searcher that learns: members change under the searcher's feet."""
    if plan.scheduler.is_population and plan.searcher.is_model_based:
        yield Problem(
            "search_alg",
            plan.choices.get("search_alg", plan.searcher.component.target),
            "random, optuna_qmc or grid, which look at no results, because population-based "
            "training changes the parameters of running trials",
            "set search_alg=random, or scheduler=asha",
        )


def parts_that_need_each_other(plan: RunPlan) -> Iterator[Problem]:
    """Yield a searcher without the one scheduler that it works with, and the other way round."""
    chosen = {
        "search_alg": plan.choices.get("search_alg", plan.searcher.component.target),
        "scheduler": plan.choices.get("scheduler", plan.scheduler.component.target),
    }
    needs = {"scheduler": plan.searcher.pairs_with, "search_alg": plan.scheduler.pairs_with}
    for part, wanted in needs.items():
        if wanted and chosen[part] != wanted:
            (other,) = set(chosen) - {part}
            expected = f"{wanted}, because {other}={chosen[other]} works with no other"
            fix = f"set {part}={wanted}, or choose another {other}"
            yield Problem(part, chosen[part], expected, fix)


def grid_that_is_cut_off(plan: RunPlan) -> Iterator[Problem]:
    """Yield fewer trials than a grid has configurations: only a corner of it would be tried."""
    points: Any = plan.searcher.component.arguments.get("points")
    is_grid = plan.searcher.component.target == "hpo_app.search.grid.GridSearch"
    if not is_grid or not _RANGES["search_alg"]["points"].holds(points):
        return
    # What comes first may be no part of the grid.
    size = grid_size(plan.space, points)
    if not size:
        expected = "at least one configuration of the grid that keeps the rules"
        fix = "raise search_alg.points, or set search_alg=optuna_qmc"
        yield Problem("search_alg.points", str(points), expected, fix)
        return
    apart = [params for params in plan.first_params if not _is_in_grid(plan, params, points)]
    wanted = size + len(apart)
    if plan.num_trials < wanted:
        is_default = apart[:1] == [plan.space.defaults] and plan.space.has_defaults
        first = " and the default configuration" if is_default else ""
        first += " and baselines" if len(apart) > is_default else ""
        more = " or more" * (size == MOST_COUNTED)
        expected = f"at least {wanted}, for the {size}{more} configurations of the grid{first}"
        fix = f"set num_trials={wanted}, lower search_alg.points, or set search_alg=optuna_qmc"
        yield Problem("num_trials", str(plan.num_trials), expected, fix)


def _is_in_grid(plan: RunPlan, params: Params, points: int) -> bool:
    return all(value in grid_values(plan.space[name], points) for name, value in params.items())


def baselines_beyond_the_trials(plan: RunPlan) -> Iterator[Problem]:
    """Yield fewer trials than there are baselines: some would not be tried."""
    wanted = len(plan.first_params)
    if plan.baselines and plan.num_trials < wanted:
        default = "the default configuration and " if plan.space.has_defaults else ""
        expected = f"at least {wanted}, for {default}the baselines"
        fix = f"set num_trials={max(wanted, 20)}, or name fewer baselines"
        yield Problem("num_trials", str(plan.num_trials), expected, fix)


def prior_of_a_grid(plan: RunPlan) -> Iterator[Problem]:
    """Yield first trials around the default for a grid, which has its own values."""
    is_grid = plan.searcher.component.target == "hpo_app.search.grid.GridSearch"
    if is_grid and plan.space.priors and plan.prior_trials:
        expected = "0, because a grid tries its own values and no others"
        fix = "set prior_trials=0, or search_alg=optuna"
        yield Problem("prior_trials", str(plan.prior_trials), expected, fix)


def warm_start_that_nobody_learns_from(plan: RunPlan) -> Iterator[Problem]:
    """Yield earlier runs for a searcher that never looks at results: they would change nothing."""
    if plan.warm_start and not plan.searcher.is_model_based:
        choice = plan.choices.get("search_alg", plan.searcher.component.target)
        expected = f"no earlier run, because search_alg={choice} draws without a look at results"
        scheduler = " scheduler=asha" if plan.scheduler.is_population else ""
        fix = f"leave it out, or set search_alg=optuna{scheduler}"
        yield Problem("warm_start", f"[{','.join(plan.warm_start)}]", expected, fix)


def population_without_mutable_parameter(plan: RunPlan) -> Iterator[Problem]:
    """Yield PBT over a space in which nothing may change while a trial trains."""
    if plan.scheduler.is_population and len(plan.space) and not plan.space.mutable:
        expected = "at least one parameter that may change while a trial trains"
        fix = "remove mutable: false from one, or set scheduler=asha"
        yield Problem("search_space", "only parameters with mutable: false", expected, fix)


def condition_that_changes_while_a_trial_trains(plan: RunPlan) -> Iterator[Problem]:
    """Yield, under PBT, a parameter that must not change and whose condition may."""
    if not plan.scheduler.is_population:
        return
    mutable = plan.space.mutable
    for name, others in plan.space.conditions.items():
        changing = [other for other in others if other in mutable]
        if name not in mutable and changing:
            expected = "a parameter that may change, because those in its condition do"
            fixed = f"+{key_of('search_space', changing[0])}.mutable=false"
            fix = f"set {typed(fixed)}, or scheduler=asha"
            yield Problem(f"{key_of('search_space', name)}.mutable", "false", expected, fix)


def population_too_small(plan: RunPlan) -> Iterator[Problem]:
    """Yield PBT with one member, who has nobody to copy."""
    if plan.scheduler.is_population and plan.num_trials < 2:
        expected = "at least 2, because members of a population copy each other"
        yield Problem("num_trials", str(plan.num_trials), expected, "set num_trials=8")


def fidelity_beyond_training(plan: RunPlan) -> Iterator[Problem]:
    """Yield scheduler settings that no trial lives to see."""
    for word, at_most in (("max_t", 0), ("grace_period", 0), ("perturbation_interval", -1)):
        value = plan.scheduler.component.arguments.get(word)
        limit = plan.iterations + at_most
        if isinstance(value, (int, float)) and value > limit:
            expected = f"at most {limit}, because a trial has {plan.iterations} iterations"
            fix = f"set scheduler.{word}={limit}, or raise training.iterations"
            fix = fix if limit >= 1 else f"set training.iterations={math.ceil(value) - at_most}"
            yield Problem(f"scheduler.{word}", str(value), expected, fix)


def fidelity_short_of_training(plan: RunPlan) -> Iterator[Problem]:
    """Yield a last milestone that ends every trial before its training does."""
    arguments = plan.scheduler.component.arguments
    goes_on = arguments.get("stop_last_trials") is False
    if goes_on or not plan.scheduler.component.target.startswith(_KNOWN_TARGETS):
        return
    last: Any = arguments.get("max_t")
    first: Any = arguments.get("grace_period", 1)
    ranges = _RANGES["scheduler"]
    if not (ranges["max_t"].holds(last) and ranges["grace_period"].holds(first)):
        return
    if first <= last < plan.iterations:
        expected = f"{plan.iterations}, because a trial ends there, whatever it is worth"
        fix = f"leave it out, or set training.iterations={last:g} for shorter trials"
        yield Problem("scheduler.max_t", f"{last:g}", expected, fix)


def arguments_out_of_range(plan: RunPlan) -> Iterator[Problem]:
    """Yield numbers that a searcher or scheduler of ours would refuse when it is made."""
    components = {"scheduler": plan.scheduler.component, "search_alg": plan.searcher.component}
    for part, component in components.items():
        if not component.target.startswith(_KNOWN_TARGETS):
            continue
        for word, accepted in _RANGES[part].items():
            value = component.arguments.get(word, accepted.example)
            if not accepted.holds(value):
                fix = f"set {part}.{word}={accepted.example:g}"
                yield Problem(f"{part}.{word}", str(value), accepted.expected, fix)


def milestones_out_of_order(plan: RunPlan) -> Iterator[Problem]:
    """Yield a scheduler whose first milestone comes after its last."""
    arguments = plan.scheduler.component.arguments
    last: Any = arguments.get("max_t")
    first: Any = arguments.get("grace_period")
    ranges = _RANGES["scheduler"]
    if not (ranges["max_t"].holds(last) and ranges["grace_period"].holds(first)):
        return
    if last < first <= plan.iterations:
        expected = f"at least {first}, because scheduler.grace_period={first}"
        fix = f"raise it, or set scheduler.grace_period={last}"
        yield Problem("scheduler.max_t", str(last), expected, fix)


def brackets_without_a_milestone(plan: RunPlan) -> Iterator[Problem]:
    """Yield more brackets than milestones to begin at: in the others, no trial is stopped."""
    words = ("brackets", "max_t", "grace_period", "reduction_factor")
    arguments = plan.scheduler.component.arguments
    values: list[Any] = [arguments.get(word) for word in words]
    ranges = _RANGES["scheduler"]
    if not all(ranges[word].holds(value) for word, value in zip(words, values, strict=True)):
        return
    brackets, last, first, factor = values
    # Each begins a milestone later than the one before, and one may let all trials through.
    most = max(math.floor(math.log(last / first) / math.log(factor) + 1e-9), 0) + 2
    if brackets > most:
        expected = f"at most {most}: in any more, no trial would be stopped early"
        fix = f"set scheduler.brackets=1, or {most} at most"
        yield Problem("scheduler.brackets", str(brackets), expected, fix)


def time_that_nobody_reports(plan: RunPlan) -> Iterator[Problem]:
    """Yield a clock that no report has: the scheduler would never act, without a word."""
    clock = plan.scheduler.component.arguments.get("time_attr", "iteration")
    if clock not in ("iteration", "training_iteration"):
        expected = "iteration, which every report has"
        yield Problem(
            "scheduler.time_attr", str(clock), expected, "set scheduler.time_attr=iteration"
        )


def confirmation_of_what_cannot_be_confirmed(plan: RunPlan) -> Iterator[Problem]:
    """Yield a confirmation where no one configuration stands for what the search found."""
    got = plan.choices.get("confirm", str(plan.confirm.contenders))
    if not plan.confirm.is_on:
        return
    if plan.scheduler.is_population:
        expected = (
            "none, because members of a population change their values while they train and go on "
            "from others' states: a training with one of them from the start is something else"
        )
        yield Problem("confirm", got, expected, "set confirm=none, or scheduler=asha")
    if plan.criteria.has_several:
        expected = "none, because with several objectives no one trial is the winner"
        yield Problem("confirm", got, expected, "set confirm=none, or leave one objective")
    if plan.confirm.share >= 1.0:
        expected = "a number above 0 and below 1: what is left is the search's"
        yield Problem("confirm.share", f"{plan.confirm.share:g}", expected, "set confirm.share=0.4")


def end_that_nobody_can_see(plan: RunPlan) -> Iterator[Problem]:
    """Yield a search that is to end when it is done, where that cannot be told."""
    if not plan.stop.when_done:
        return
    got, fix = "true", "leave it out; num_trials, time_budget_s and stop.plateau bound the run"
    if plan.scheduler.is_population:
        expected = "false, because members of a population change their values while they train"
        yield Problem("stop.when_done", got, expected, fix)
    if plan.criteria.has_several:
        expected = "false with several objectives, which have no one best value"
        yield Problem("stop.when_done", got, expected, fix)
    if plan.iterations < FEWEST_REPORTS and not plan.repeats_duplicates:
        expected = f"trainings that tell their noise: of {FEWEST_REPORTS} iterations, or repeated"
        fix = f"set training.iterations={FEWEST_REPORTS}, or repeat_duplicates=true"
        yield Problem("stop.when_done", got, expected, fix)


def average_of_what_is_not_alike(plan: RunPlan) -> Iterator[Problem]:
    """Yield a mean of last reports where there are fewer, or where they are of different things."""
    count = plan.criteria.averaged
    if count > plan.iterations:
        expected = f"at most {plan.iterations}, the reports of a trial"
        fix = f"set average_reports={max(plan.iterations // 3, 1)}"
        yield Problem("average_reports", str(count), expected, fix)
    if count > 1 and plan.scheduler.is_population:
        expected = "1, because members of a population change their values between reports"
        yield Problem("average_reports", str(count), expected, "set average_reports=1")
    if count > 1 and plan.criteria.has_several:
        expected = "1 with several objectives"
        yield Problem("average_reports", str(count), expected, "set average_reports=1")


_RULES = (
    average_of_what_is_not_alike,
    end_that_nobody_can_see,
    confirmation_of_what_cannot_be_confirmed,
    population_with_model_based_searcher,
    parts_that_need_each_other,
    grid_that_is_cut_off,
    baselines_beyond_the_trials,
    prior_of_a_grid,
    warm_start_that_nobody_learns_from,
    population_without_mutable_parameter,
    condition_that_changes_while_a_trial_trains,
    population_too_small,
    fidelity_beyond_training,
    arguments_out_of_range,
    milestones_out_of_order,
    brackets_without_a_milestone,
    time_that_nobody_reports,
)
