"""Each algorithm trains on its default data, goes on exactly, and takes new hyperparameters."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest


pytest.importorskip("stable_baselines3")

import gymnasium
import numpy as np
import torch
from stopping import StopsAfter

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import render
from hpo_app.errors import RunFolderError
from hpo_app.training.contract import ConfigurationError, TrialOver
from hpo_app.training.environments import (
    checked_data,
    make_evaluation_environment,
    make_training_environment,
)
from hpo_app.training.fit_one import LocalTrial, fit_one
from hpo_app.training.models.sb3 import make_agent, train
from hpo_app.training.models.sb3_agent import load_agent
from hpo_app.training.models.sb3_state import STATE_FILE, read_state, write_state


if TYPE_CHECKING:
    from pathlib import Path

FAMILY = ("a2c", "dqn", "sac", "td3")


def stopped(settings: tuple[dict[str, Any], ...], after: int, folder: Path) -> Any:
    trial = StopsAfter("eval_reward_mean", 3, 4, checkpoint_every=1, folder=folder, most=after)
    with pytest.raises(TrialOver):
        train(*settings, trial)
    return trial.reports


SMALL = {"learning_starts": 16, "batch_size": 16, "net_arch": [8, 8]}


def rendered(name: str, *overrides: str, **params: Any) -> tuple[dict[str, Any], ...]:
    short = ["training.iterations=4", "training.steps_per_iteration=64", "data.eval_episodes=1"]
    plan = parse_plan(*compose_config([f"search_space={name}", *short, *overrides]))
    known = plan.space.defaults
    small = {key: value for key, value in SMALL.items() if key in known}
    return render(plan.template, {**known, **small, **params})


def fit(settings: tuple[dict[str, Any], ...], iterations: int = 4, **options: Any) -> Any:
    model, data, training = settings
    training = {**training, "iterations": iterations}
    return fit_one(train, model, data, training, metric="eval_reward_mean", seed=3, **options)


def measured(reports: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{key: value for key, value in each.items() if key != "steps_per_s"} for each in reports]


def assert_equal(one: Any, other: Any) -> None:
    torch.testing.assert_close(one, other, rtol=0.0, atol=0.0)


@pytest.mark.parametrize("name", FAMILY)
def test_continuing_equals_never_stopping_in_every_bit(name: str, tmp_path: Path) -> None:
    settings = rendered(name)
    whole = fit(settings, folder=tmp_path / "whole")
    first = stopped(settings, 2, tmp_path / "parts")
    rest = fit(settings, folder=tmp_path / "parts", checkpoint=tmp_path / "parts")

    assert [each["timesteps"] for each in whole] == [64.0, 128.0, 192.0, 256.0]
    assert measured(first + rest) == measured(whole)
    one, other = (read_state(tmp_path / each / STATE_FILE) for each in ("parts", "whole"))
    for part in ("parameters", "counters", "normalization", "replay", "log_ent_coef"):
        assert_equal(one[part], other[part])


def test_a_buffer_that_ran_over_goes_on_where_it_was(tmp_path: Path) -> None:
    settings = rendered("dqn", "model.hyperparameters.buffer_size=96")
    whole = fit(settings, folder=tmp_path / "whole")
    first = stopped(settings, 2, tmp_path / "parts")
    rest = fit(settings, folder=tmp_path / "parts", checkpoint=tmp_path / "parts")

    assert measured(first + rest) == measured(whole)
    state = read_state(tmp_path / "whole" / STATE_FILE)["replay"]
    assert state["is_full"]
    assert state["steps"]["observations"].shape == (48, 2, 4)


class BreaksOff(gymnasium.Wrapper):
    """An environment that measures nothing from its 20th step on."""

    num_steps = 0

    def step(self, action: Any) -> Any:
        observation, *others = super().step(action)
        self.num_steps += 1
        return observation if self.num_steps < 20 else np.full_like(observation, np.nan), *others


@pytest.mark.parametrize("name", ["dqn", "td3"])
def test_a_network_that_has_diverged_reports_no_reward(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = gymnasium.make
    monkeypatch.setattr(gymnasium, "make", lambda *given, **named: BreaksOff(make(*given, **named)))
    with pytest.raises(FloatingPointError, match="no longer finite after 64 steps"):
        fit(rendered(name))


@pytest.mark.parametrize("name", FAMILY)
def test_new_hyperparameters_win_over_those_of_the_checkpoint(name: str, tmp_path: Path) -> None:
    fit(rendered(name, learning_rate=1.0e-3), 1, folder=tmp_path / "saved")
    model, data, _ = rendered(name, learning_rate=2.0e-3, gamma=0.9)
    trial = LocalTrial("eval_reward_mean", 3, iterations=2, checkpoint=tmp_path / "saved")
    with closing(make_training_environment(data, gamma=0.9)) as environment:
        agent = make_agent(model, data, environment, trial)

    assert (agent.num_timesteps, agent.gamma) == (64, 0.9)
    optimizers = [name for name in agent.get_parameters() if name.endswith("optimizer")]
    assert optimizers
    for each in optimizers:
        groups = agent.get_parameters()[each]["param_groups"]
        assert [group["lr"] for group in groups] == [2.0e-3]


@pytest.mark.parametrize(
    ("name", "changes", "key"),
    [
        ("dqn", ["model.hyperparameters.buffer_size=99"], "model.hyperparameters.buffer_size"),
        ("sac", ["model.hyperparameters.ent_coef=0.1"], "model.hyperparameters.ent_coef"),
        ("a2c", ["data.wrappers=[{name: ClipReward, max_reward: 0.5}]"], "data.wrappers"),
    ],
)
def test_what_the_state_depends_on_cannot_change(
    name: str, changes: list[str], key: str, tmp_path: Path
) -> None:
    fit(rendered(name), 1, folder=tmp_path / "saved")
    with pytest.raises(ConfigurationError, match=key):
        fit(rendered(name, *changes), 2, checkpoint=tmp_path / "saved")


@pytest.mark.parametrize("name", ["dqn", "td3"])
def test_an_agent_is_handed_back_without_its_buffer(name: str, tmp_path: Path) -> None:
    model, data, _ = settings = rendered(name)
    fit(settings, 1, folder=tmp_path / "saved")
    agent = load_agent(model, data, tmp_path / "saved")
    environment = agent.get_env()
    assert environment is not None
    action, _ = agent.predict(environment.reset(), deterministic=True)  # type: ignore[arg-type]
    assert action.shape[0] == 1


@pytest.mark.parametrize(
    "damage",
    [
        {},
        {"steps": {}, "place": 3, "is_full": False},
        {"steps": {}, "place": 10**9, "is_full": False},
        {"steps": {}, "place": "x", "is_full": True},
    ],
)
def test_a_damaged_buffer_is_a_message(damage: dict[str, Any], tmp_path: Path) -> None:
    fit(rendered("dqn"), 1, folder=tmp_path)
    state = read_state(tmp_path / STATE_FILE)
    write_state({**state, "replay": damage}, tmp_path / STATE_FILE)
    with pytest.raises(RunFolderError, match="training state that this trainer wrote"):
        fit(rendered("dqn"), 2, checkpoint=tmp_path)


def test_exploration_falls_over_the_whole_trial_and_not_in_each_iteration(tmp_path: Path) -> None:
    # Over the first half of 4 times 64 steps: after 64 it is half way, then at its end.
    settings = rendered("dqn", exploration_fraction=0.5)
    rates = []
    for after in (1, 2, 4):
        stopped(settings, after, tmp_path)
        rates.append(read_state(tmp_path / STATE_FILE)["counters"]["exploration_rate"])

    assert rates == pytest.approx([0.525, 0.05, 0.05])


@pytest.mark.parametrize(
    ("name", "overrides", "text"),
    [
        ("sac", ["data=cartpole"], r"SAC takes for this environment"),
        ("dqn", ["data=pendulum"], r"DQN takes for this environment"),
        ("dqn", ["model.algorithm=dqm"], r"model\.algorithm=dqn"),
        (
            "dqn",
            ["search_space.gradient_steps.values=[0,-1]", "search_space.gradient_steps.default=0"],
            r"gradient_steps",
        ),
        (
            "a2c",
            [
                "model.hyperparameters.use_rms_prop='${params.n_steps}'",
                "~search_space.use_rms_prop",
            ],
            r"true or false",
        ),
        ("td3", ["+model.hyperparameters.action_nois=1"], r"action_noise"),
        ("dqn", ["data.wrappers=[{name: FrameStack}]"], r"name=FrameStackObservation"),
        ("dqn", ["data.wrappers=[{name: 'os:system'}]"], r"trusted_modules=\[os\]"),
        (
            "dqn",
            ["data.wrappers=[{name: 'os:system'}]", "trusted_modules=[os]"],
            r"gymnasium\.Wrapper",
        ),
        (
            "dqn",
            ["data.wrappers=[{name: 'os:sistem'}]", "trusted_modules=[os]"],
            r"has no attribute",
        ),
        ("dqn", ["data.wrappers=[{name: ClipReward, most: 3}]"], r"data\.wrappers fit"),
        ("dqn", ["data.wrappers=[{name: GrayscaleObservation}]"], r"data\.wrappers fit"),
    ],
)
def test_what_cannot_be_is_refused(name: str, overrides: list[str], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        fit(rendered(name, *overrides), 1)


def test_wrappers_shape_what_is_seen_and_leave_the_judged_reward_alone() -> None:
    _, data, _ = rendered(
        "a2c",
        "data.wrappers=[{name: ClipReward, max_reward: 0.25}, "
        "{name: FrameStackObservation, stack_size: 3}]",
    )
    data = checked_data(data)
    training, judging = (
        make_training_environment(data, gamma=0.9),
        make_evaluation_environment(data),
    )
    for made, reward in ((training, 0.25), (judging, 1.0)):
        with closing(made) as environment:
            assert environment.reset().shape[1:] == (3, 4)
            _, rewards, _, _ = environment.step(np.zeros(environment.num_envs, dtype=np.int64))
            assert set(rewards.tolist()) == {reward}
