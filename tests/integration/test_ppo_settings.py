"""PPO says what it does not read, and every iteration is equally long."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces


pytest.importorskip("stable_baselines3")

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import render
from hpo_app.training.contract import ConfigurationError
from hpo_app.training.fit_one import fit_one
from hpo_app.training.models import sb3
from hpo_app.training.models.sb3 import train


class Odd(gymnasium.Env):
    """Gives what its spaces allow, for as many steps as it is asked; it never ends by itself."""

    def __init__(self, observations, actions):
        self.observation_space, self.action_space = observations, actions

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed, options=options)
        return self.observation_space.sample(), {}

    def step(self, action):
        assert self.action_space.contains(action)
        return self.observation_space.sample(), 1.0, False, False, {}


BOX = spaces.Box(-1.0, 1.0, (2,), np.float32)
TWO = spaces.Discrete(2)
SMALL = ["data.n_envs=2", "training.steps_per_iteration=64"]


@pytest.fixture
def odd():
    """Register an environment of these spaces, and return what asks for it."""

    def registered(observations=BOX, actions=TWO):
        arguments = {"observations": observations, "actions": actions}
        gymnasium.register("Odd-v0", lambda: Odd(**arguments))
        return ["data.env_id=Odd-v0", *SMALL]

    yield registered
    gymnasium.registry.pop("Odd-v0", None)


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
        reports_of("training.steps_per_iteration=1", "data.n_envs=1")


@pytest.mark.parametrize("key", ["observations", "rewards"])
def test_text_for_a_flag_is_refused_since_text_counts_as_true(key):
    with pytest.raises(ConfigurationError, match=f"data.normalize.{key}=false"):
        reports_of(f"data.normalize.{key}=no", *SMALL)


@pytest.mark.parametrize(
    "observations",
    [
        spaces.Tuple([BOX, spaces.Discrete(2)]),
        spaces.Dict({"deep": spaces.Dict({"box": BOX})}),
        spaces.Discrete(3, start=1),
        spaces.MultiDiscrete([2, 3], start=[0, 1]),
        spaces.MultiDiscrete([[2, 3], [4, 5]]),
        spaces.Box(-1.0, 1.0, ()),
        spaces.Text(4),
    ],
)
def test_observations_that_no_agent_reads_are_refused_and_can_be_flattened(odd, observations):
    limited = ["+data.env_kwargs.max_episode_steps=5", *odd(observations)]
    with pytest.raises(ConfigurationError, match="FlattenObservation"):
        reports_of(*limited)
    reports = reports_of(*limited, "data.wrappers=[{name: FlattenObservation}]")
    assert reports[-1]["eval_reward_mean"] == 5.0


@pytest.mark.parametrize(
    "actions",
    [
        spaces.Discrete(3, start=1),
        spaces.MultiDiscrete([2, 3], start=[0, -1]),
        spaces.MultiDiscrete([[2, 3], [4, 5]]),
        spaces.Box(0, 4, (2,), np.int32),
    ],
)
def test_actions_that_no_agent_takes_as_they_are_meant_are_refused(odd, actions):
    # The library would choose 0 to 2 all the same, or a fraction where a whole number is meant.
    with pytest.raises(ConfigurationError, match=r"(?s)with actions of .*counted from 0"):
        reports_of(*odd(BOX, actions))


def test_an_evaluation_that_does_not_end_is_named_and_can_be_limited(odd, monkeypatch):
    monkeypatch.setattr(sb3, "_MOST_STEPS", 200)
    endless = odd()
    with pytest.raises(ConfigurationError, match="has not ended after 200 steps"):
        reports_of(*endless)
    # A limit that somebody set may be as high as they like.
    reports = reports_of(*endless, "+data.env_kwargs.max_episode_steps=300")
    assert reports[-1]["eval_reward_mean"] == 300.0
