"""PPO says what it does not read, and every iteration is equally long."""

import pytest


pytest.importorskip("stable_baselines3")

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import render
from hpo_app.training.contract import ConfigurationError
from hpo_app.training.fit_one import fit_one
from hpo_app.training.models.sb3 import train


def reports_of(*overrides, **params):
    plan = parse_plan(
        *compose_config(["training.iterations=2", "data.eval_episodes=1", *overrides])
    )
    rendered = render(plan.template, {**plan.space.defaults, "n_epochs": 1, **params})
    return fit_one(train, *rendered, metric="eval_reward_mean", seed=0)


@pytest.mark.parametrize(
    ("override", "text"),
    [
        ("+model.devce=cuda", "rename it to model.device"),
        (
            "+training.step_per_iteration=3",
            "rename it to training.steps_per_iteration",
        ),
    ],
)
def test_a_key_that_ppo_does_not_read_is_refused_with_the_near_miss(override, text):
    with pytest.raises(ConfigurationError, match=text):
        reports_of(override)


@pytest.mark.parametrize("n_steps", [64, 2048])
def test_iterations_are_equally_long_whatever_the_rollout(n_steps):
    steps = ["training.steps_per_iteration=200", "data.n_envs=3"]
    reports = reports_of(*steps, n_steps=n_steps)
    assert [report["timesteps"] for report in reports] == [198.0, 396.0]


def test_rollouts_of_one_step_are_refused_with_what_to_change():
    with pytest.raises(ConfigurationError, match="with small divisors"):
        reports_of("training.steps_per_iteration=1009", "data.n_envs=1", n_steps=64)
