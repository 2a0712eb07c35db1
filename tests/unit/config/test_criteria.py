"""What trials are judged by is read, or all that is wrong with it is said."""

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError
from hpo_app.plan.criteria import Constraint


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
