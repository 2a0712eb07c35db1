"""What a plan refuses of search algorithms and schedulers, and of the two together."""

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError


QUADRATIC = "search_space=quadratic"


def problems_of(*overrides):
    with pytest.raises(PlanError) as caught:
        parse_plan(*compose_config(overrides))
    return {problem.key: problem for problem in caught.value.problems}


def test_population_training_refuses_a_searcher_that_learns():
    problems = problems_of(QUADRATIC, "scheduler=pbt", "search_alg=optuna")
    assert list(problems) == ["search_alg"]
    assert problems["search_alg"].fix == "set search_alg=random, or scheduler=asha"


def test_population_training_needs_something_to_change():
    frozen = [f"+search_space.{name}.mutable=false" for name in ("x", "rate", "depth", "kind")]
    problems = problems_of(QUADRATIC, "scheduler=pbt", "num_trials=1", *frozen)
    assert set(problems) == {"search_space", "num_trials"}


@pytest.mark.parametrize(
    ("scheduler", "key"),
    [("asha", "grace_period"), ("asha", "max_t"), ("pbt", "perturbation_interval")],
)
def test_a_scheduler_cannot_wait_for_more_iterations_than_a_trial_has(scheduler, key):
    problems = problems_of(QUADRATIC, f"scheduler={scheduler}", f"scheduler.{key}=28")
    assert list(problems) == [f"scheduler.{key}"]
    assert "because a trial has 27 iterations" in problems[f"scheduler.{key}"].expected


def test_a_training_too_short_for_a_population_is_told_how_long_it_has_to_be():
    problems = problems_of(QUADRATIC, "scheduler=pbt", "training.iterations=1")
    assert problems["scheduler.perturbation_interval"].fix == "set training.iterations=3"
    parse_plan(*compose_config([QUADRATIC, "scheduler=pbt", "training.iterations=3"]))


def test_a_bracket_needs_a_milestone_to_begin_at():
    # From 2 to 27 by thirds: milestones at 2, 6 and 18, and a bracket that stops nobody.
    parse_plan(*compose_config([QUADRATIC, "scheduler=asha", "scheduler.brackets=4"]))
    problems = problems_of(QUADRATIC, "scheduler=asha", "scheduler.brackets=5")
    assert problems["scheduler.brackets"].expected.startswith("at most 4")


def test_numbers_of_a_search_algorithm_are_checked_too():
    assert set(problems_of(QUADRATIC, "search_alg=auto", "search_alg.n_gp_trials=a")) == {
        "search_alg.n_gp_trials"
    }
    points = "search_alg.points=1000000000"  # Its values would be written out before they count.
    assert set(problems_of(QUADRATIC, "search_alg=grid", points)) == {"search_alg.points"}


def test_what_to_type_for_a_condition_under_a_population_works():
    typed = [*["search_space=branches", "scheduler=pbt"], "+search_space.depth.mutable=false"]
    fix = problems_of(*typed)["search_space.depth.mutable"].fix
    parse_plan(*compose_config([*typed, fix.removeprefix("set ").partition(",")[0]]))


SCHEDULER_NUMBERS = {
    "asha": ("grace_period=0", "reduction_factor=1", "brackets=0", "max_t=0"),
    "pbt": (
        "perturbation_interval=0",
        "quantile_fraction=0.6",
        "perturbation=0",
        "resample_probability=1.5",
    ),
}


@pytest.mark.parametrize("scheduler", SCHEDULER_NUMBERS)
def test_all_numbers_that_a_scheduler_would_refuse_are_said_together(scheduler):
    settings = [f"scheduler.{setting}" for setting in SCHEDULER_NUMBERS[scheduler]]
    problems = problems_of(QUADRATIC, f"scheduler={scheduler}", *settings, "num_trials=0")
    keys = {setting.partition("=")[0] for setting in settings}
    assert set(problems) - {"num_trials"} == keys
    assert "num_trials" in problems
    for setting in settings:
        assert problems[setting.partition("=")[0]].set_by == f"command line: {setting}"


def test_a_number_of_a_sampler_is_checked():
    problems = problems_of(QUADRATIC, "search_alg=optuna", "search_alg.n_startup_trials=-1")
    assert problems["search_alg.n_startup_trials"].expected == "a whole number of at least 0"


def test_the_last_milestone_comes_after_the_first():
    problems = problems_of(QUADRATIC, "scheduler=asha", "scheduler.max_t=1")
    assert problems["scheduler.max_t"].expected == "at least 2, because scheduler.grace_period=2"
    assert problems["scheduler.max_t"].set_by == "command line: scheduler.max_t=1"


@pytest.mark.parametrize("scheduler", ["asha", "hyperband"])
def test_a_last_milestone_that_ends_every_trial_early_is_a_problem(scheduler):
    short = (f"scheduler={scheduler}", "training.iterations=16", "scheduler.max_t=8")
    problem = problems_of(QUADRATIC, *short)["scheduler.max_t"]
    assert problem.expected == "16, because a trial ends there, whatever it is worth"
    assert problem.fix == "leave it out, or set training.iterations=8 for shorter trials"
    on = problems_of(QUADRATIC, *short, "+scheduler.stop_last_trials=false", "num_trials=0")
    assert "scheduler.max_t" not in on


@pytest.mark.parametrize("scheduler", ["asha", "pbt"])
def test_a_clock_that_no_report_has_is_a_problem(scheduler):
    problems = problems_of(QUADRATIC, f"scheduler={scheduler}", "scheduler.time_attr=nope")
    assert list(problems) == ["scheduler.time_attr"]
    assert problems["scheduler.time_attr"].fix == "set scheduler.time_attr=iteration"
