"""What trials are judged by is read, or all that is wrong with it is said."""

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.diagnose import COMPOSITION_ERRORS, diagnose
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError
from hpo_app.plan.criteria import Constraint
from hpo_app.plan.run_plan import Mode, Objective


QUADRATIC = "search_space=quadratic"


def problems_of(*overrides):
    with pytest.raises(PlanError) as caught:
        parse_plan(*compose_config(overrides))
    return {problem.key: problem for problem in caught.value.problems}


BAD = {
    "constraints in a list": (
        "constraints=[cost]",
        "constraints",
        "a mapping of metrics to bounds, or null",
    ),
    "constraint without a bound": (
        "+constraints.cost=20",
        "constraints.cost",
        "a lowest value min, a highest value max, or both",
    ),
    "constraint of nothing": (
        "+constraints.cost.max=null",
        "constraints.cost.max",
        "a number",
    ),
    "constraint in words": ("+constraints.cost.max=low", "constraints.cost.max", "a number"),
    "constraint of another word": (
        "+constraints.cost.maximum=1",
        "constraints.cost.maximum",
        "min or max",
    ),
    "constraint that nothing keeps": (
        "constraints={cost: {min: 2, max: 1}}",
        "constraints.cost.min",
        "at most max=1",
    ),
}


@pytest.mark.parametrize(("override", "key", "expected"), BAD.values(), ids=BAD)
def test_a_wrong_value_is_named_with_what_set_it(override, key, expected):
    problems = problems_of(QUADRATIC, override)
    assert list(problems) == [key]
    assert problems[key].expected == expected
    assert problems[key].set_by == f"command line: {override}"


def test_constraints_are_read_as_they_were_typed():
    typed = ["constraints={eval/ms: {max: 20}, accuracy: {min: 0.9, max: 1}}"]
    plan = parse_plan(*compose_config([QUADRATIC, *typed]))
    assert plan.constraints == (Constraint("eval/ms", max=20.0), Constraint("accuracy", 0.9, 1.0))
    assert plan.criteria.metrics == ("loss", "eval/ms", "accuracy")
    added = parse_plan(*compose_config([QUADRATIC, "+constraints.cost.max=0.1"]))
    assert added.constraints == (Constraint("cost", max=0.1),)
    assert parse_plan(*compose_config([QUADRATIC])).constraints == ()


@pytest.mark.parametrize("name", ["optuna", "optuna_gp", "optuna_nsga2", "random", "grid"])
def test_a_search_that_heeds_constraints_or_learns_nothing_takes_them(name):
    typed = [QUADRATIC, "num_trials=300", "constraints={cost: {max: 1}}", f"search_alg={name}"]
    assert parse_plan(*compose_config(typed)).constraints


@pytest.mark.parametrize("name", ["optuna_cmaes", "hyperopt", "nevergrad"])
def test_a_search_that_learns_past_constraints_is_refused(name):
    problems = problems_of(QUADRATIC, f"search_alg={name}", "constraints={cost: {max: 1}}")
    expected = "one whose model knows of constraints (cost at most 1)"
    assert problems["search_alg"].expected == expected
    assert problems["search_alg"].set_by == f"command line: search_alg={name}"


def test_a_scheduler_with_a_model_of_the_values_takes_no_constraints():
    problems = problems_of(QUADRATIC, "scheduler=pb2", "constraints={cost: {max: 1}}")
    assert problems["scheduler"].fix == "set scheduler=pbt, asha or fifo"


LOSS_AND_COST = "objectives=[{metric: loss, mode: min}, {metric: cost, mode: max}]"


def test_several_objectives_take_the_place_of_the_one_of_the_model():
    plan = parse_plan(*compose_config([QUADRATIC, LOSS_AND_COST]))
    assert plan.objectives == (Objective("loss", Mode.MIN), Objective("cost", Mode.MAX))
    assert plan.objective == plan.objectives[0]
    assert plan.criteria.metrics == ("loss", "cost")
    alone = parse_plan(*compose_config([QUADRATIC, "objectives=[{metric: cost, mode: max}]"]))
    assert alone.objectives == (Objective("cost", Mode.MAX),)
    assert not alone.criteria.has_several


@pytest.mark.parametrize(
    ("typed", "key", "expected"),
    [
        ("objectives=loss", "objectives", "a list of mappings with metric and mode"),
        ("objectives=[loss, cost]", "objectives", "a list of mappings with metric and mode"),
        ("objectives=[{metric: loss}]", "objectives[0].mode", "min or max"),
        ("objectives=[{mode: min}]", "objectives[0].metric", "a name"),
        (
            "objectives=[{metric: loss, mode: min, weight: 2}]",
            "objectives[0].weight",
            "metric or mode",
        ),
        (
            "objectives=[{metric: loss, mode: min}, {metric: loss, mode: max}]",
            "objectives[1].metric",
            "each metric once",
        ),
    ],
    ids=["a word", "words", "no mode", "no metric", "a weight", "one twice"],
)
def test_objectives_that_are_none_are_named_with_what_set_them(typed, key, expected):
    problems = problems_of(QUADRATIC, typed)
    assert list(problems) == [key]
    assert problems[key].expected == expected
    assert problems[key].set_by == f"command line: {typed}"


def test_what_several_objectives_take_the_place_of_is_not_dropped_without_a_word():
    problems = problems_of(QUADRATIC, LOSS_AND_COST, "objective.metric=accuracy")
    assert list(problems) == ["objective.metric"]


@pytest.mark.parametrize("name", ["asha", "hyperband", "median_stopping", "pbt"])
def test_a_scheduler_that_compares_one_metric_says_so_and_names_fifo(name):
    problems = problems_of(QUADRATIC, LOSS_AND_COST, f"scheduler={name}")
    assert list(problems) == ["scheduler"]
    assert problems["scheduler"].expected.startswith(f"fifo, because {name} compares trials by one")
    assert problems["scheduler"].fix == "set scheduler=fifo"


@pytest.mark.parametrize("name", ["optuna_cmaes", "hyperopt", "nevergrad"])
def test_a_search_that_learns_from_one_objective_is_refused(name):
    problems = problems_of(QUADRATIC, LOSS_AND_COST, f"search_alg={name}")
    assert problems["search_alg"].expected == "one that learns from the 2 objectives"


def test_a_run_with_several_objectives_is_not_stopped_by_one():
    problems = problems_of(QUADRATIC, LOSS_AND_COST, "stop={target: 3, plateau: 5}")
    assert set(problems) == {"stop.target", "stop.plateau"}


def test_several_objectives_in_the_place_of_a_group_are_answered_with_what_to_type():
    typed = "objective=[{metric: loss, mode: min}, {metric: cost, mode: min}]"
    with pytest.raises(COMPOSITION_ERRORS) as refused:
        compose_config([QUADRATIC, typed])
    (problem,) = diagnose([QUADRATIC, typed], refused.value).problems
    assert problem.key == "objective"
    assert problem.fix == f"write '{typed.replace('objective', 'objectives', 1)}'"
