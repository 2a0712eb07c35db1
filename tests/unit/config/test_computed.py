"""What is computed from sampled values is tried before a search, over all that may be sampled."""

from dataclasses import replace

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.computed import uncomputable
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import render
from hpo_app.config.resolvers import largest_divisor, trying
from hpo_app.errors import PlanError
from hpo_app.plan.read_space import read_space


PPO = ("search_space=ppo", "model=ppo")


def test_a_share_of_an_iteration_without_divisors_is_refused_with_the_values_and_what_to_change():
    with pytest.raises(PlanError) as refused:
        parse_plan(*compose_config([*PPO, "data.n_envs=14"]))
    (problem,) = refused.value.problems
    assert problem.key == "model.hyperparameters.n_steps"
    assert problem.got == (
        "for n_steps of 64 nothing: 64 is cut to a divisor of 292, of which the largest below it "
        "is 4; 256 in the place of 292 has more"
    )
    assert problem.fix.startswith("change training.steps_per_iteration and data.n_envs, or leave")
    assert problem.set_by == "model/ppo.yaml"


def test_a_prime_share_is_refused_for_rollouts_and_for_batches():
    with pytest.raises(PlanError) as refused:
        parse_plan(*compose_config([*PPO, "data.n_envs=10"]))
    keys = [problem.key.rpartition(".")[2] for problem in refused.value.problems]
    assert keys == ["n_steps", "batch_size"]
    assert "n_steps of 64, 128 and 256" in refused.value.problems[0].got


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        ("data.n_envs=3",),
        ("data.n_envs=10", "training.steps_per_iteration=3840"),
    ],
)
def test_what_can_be_computed_for_every_value_is_taken(overrides):
    plan = parse_plan(*compose_config([*PPO, *overrides]))
    assert list(uncomputable(plan.template, plan.space)) == []


@pytest.mark.parametrize(
    ("rules", "values"),
    [
        ({}, "64, 108, 153, 198, 243, 288 and 5 more"),
        ({"require": {"small": "${params.x} < 100"}}, "64"),
    ],
)
def test_the_ends_of_a_range_are_tried_and_what_a_rule_forbids_is_not(rules, values):
    entries = {"x": {"type": "randint", "low": 64, "high": 512, "default": 64}, **rules}
    space, problems = read_space(entries)
    assert problems == []
    model = {"cut": "${hpo.largest_divisor:${params.x},1009}", "plain": "${params.x}"}
    template = {"model": model, "data": {}, "training": {}, "search_space": entries}
    (problem,) = uncomputable(template, space)
    assert problem.key == "model.cut"
    assert f"for x of {values} nothing: 64 is cut to a divisor of 1009" in problem.got


def test_a_divisor_is_found_and_one_far_below_is_refused_where_values_are_tried():
    assert [largest_divisor(64, *of) for of in [(4096,), (409,), (73, 14)]] == [64, 1, 14]
    assert [largest_divisor(100, 66), largest_divisor(64, 10)] == [66, 10]
    with trying():
        assert [largest_divisor(64, 4096), largest_divisor(64, 73, 14)] == [64, 14]
        with pytest.raises(ValueError, match="the largest below it is 1"):
            largest_divisor(64, 409)
    assert largest_divisor(64, 409) == 1


@pytest.mark.parametrize("setting", [("data.n_envs=10",), ("scheduler=asha", "scheduler.max_t=8")])
def test_a_run_that_began_before_it_was_refused_goes_on(setting):
    config, origin = compose_config([*PPO, *setting])
    with pytest.raises(PlanError):
        parse_plan(config, origin)
    plan = parse_plan(config, replace(origin, typed=()))
    assert render(plan.template, {**plan.space.defaults, "n_steps": 64}).model["hyperparameters"]
