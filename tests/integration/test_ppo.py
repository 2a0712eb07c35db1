from __future__ import annotations

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from stable_baselines3.common.evaluation import evaluate_policy

from hpo_app.errors import RunFolderError
from hpo_app.training.checkpoint import write_iteration
from hpo_app.training.contract import ConfigurationError
from hpo_app.training.environments import (
    checked_data,
    load_normalization_state,
    make_evaluation_environment,
    make_training_environment,
    normalization_state,
)
from hpo_app.training.fit_one import LocalTrial, fit_one
from hpo_app.training.models.sb3 import make_agent, train
from hpo_app.training.models.sb3_state import STATE_FILE, read_state
from hpo_app.training.seeds import derive_seed


if TYPE_CHECKING:
    from pathlib import Path

CARTPOLE: dict[str, Any] = {
    "env_id": "CartPole-v1",
    "n_envs": 2,
    "env_kwargs": {},
    "normalize": {"observations": False, "rewards": False},
    "eval_episodes": 2,
}
# Continuous actions, dividing all there is to divide, and episodes that outlast an iteration.
PENDULUM: dict[str, Any] = {
    **CARTPOLE,
    "env_id": "Pendulum-v1",
    "normalize": {"observations": True, "rewards": True},
}
HYPERPARAMETERS: dict[str, Any] = {
    "learning_rate": 1.0e-3,
    "n_steps": 32,
    "batch_size": 16,
    "n_epochs": 2,
    "gamma": 0.99,
    "gae_lambda": 0.95,
    "clip_range": 0.2,
    "ent_coef": 0.01,
    "vf_coef": 0.5,
    "max_grad_norm": 0.5,
}
STEPS = 64


def settings(*, network: dict[str, Any] | None = None, **hyperparameters: Any) -> dict[str, Any]:
    return {
        "algorithm": "ppo",
        "policy": "MlpPolicy",
        "hyperparameters": {**HYPERPARAMETERS, **hyperparameters},
        "network": {"net_arch": [8, 8], "activation": "tanh", **(network or {})},
    }


def fit(
    data: dict[str, Any],
    iterations: int,
    *,
    model: dict[str, Any] | None = None,
    seed: int = 3,
    **options: Any,
) -> list[dict[str, float]]:
    training = {"iterations": iterations, "steps_per_iteration": STEPS, "checkpoint_every": 1}
    return fit_one(
        train, model or settings(), data, training, metric="eval_reward_mean", seed=seed, **options
    )


def without_speed(reports: list[dict[str, float]]) -> list[dict[str, float]]:
    return [{key: report[key] for key in report if key != "steps_per_s"} for report in reports]


def state(folder: Path) -> dict[str, Any]:
    return read_state(folder / STATE_FILE)


def assert_same_state(one: Any, other: Any) -> None:
    torch.testing.assert_close(one, other, rtol=0.0, atol=0.0)


def state_parts(folder: Path) -> list[Any]:
    loaded = state(folder)
    return [loaded["parameters"], loaded["normalization"]]


def saved(tmp_path: Path, data: dict[str, Any], **hyperparameters: Any) -> Path:
    folder = tmp_path / "saved"
    fit(data, 1, model=settings(**hyperparameters), folder=folder)
    return folder


def test_each_iteration_reports_its_rewards_steps_and_speed() -> None:
    reports = fit(CARTPOLE, 3)

    names = {"eval_reward_mean", "eval_reward_std", "timesteps", "steps_per_s"}
    assert [set(report) for report in reports] == [names] * 3
    assert [report["timesteps"] for report in reports] == [64.0, 128.0, 192.0]
    assert all(1.0 <= report["eval_reward_mean"] <= 500.0 for report in reports)
    assert all(report["eval_reward_std"] >= 0.0 for report in reports)
    assert all(report["steps_per_s"] > 0.0 for report in reports)


def test_rollouts_stay_whole_and_the_steps_follow_the_iterations() -> None:
    # A rollout has 2 * 48 = 96 steps and an iteration asks for 64.
    reports = fit(CARTPOLE, 4, model=settings(n_steps=48))

    assert [report["timesteps"] for report in reports] == [96.0, 192.0, 192.0, 288.0]
    assert reports[2]["steps_per_s"] == 0.0


@pytest.mark.parametrize("data", [CARTPOLE, PENDULUM], ids=["cartpole", "pendulum"])
def test_the_seed_decides_everything(tmp_path: Path, data: dict[str, Any]) -> None:
    first = fit(data, 2, seed=5, folder=tmp_path / "first")
    again = fit(data, 2, seed=5, folder=tmp_path / "again")
    other = fit(data, 2, seed=6, folder=tmp_path / "other")

    assert without_speed(first) == without_speed(again)
    assert_same_state(state_parts(tmp_path / "first"), state_parts(tmp_path / "again"))
    assert without_speed(first) != without_speed(other)


def test_what_the_process_did_before_does_not_matter() -> None:
    first = fit(CARTPOLE, 2)
    torch.manual_seed(99)
    np.random.seed(99)  # noqa: NPY002 - Stable-Baselines3 draws from this generator
    torch.set_num_threads(2)

    assert without_speed(fit(CARTPOLE, 2)) == without_speed(first)


@pytest.mark.parametrize("data", [CARTPOLE, PENDULUM], ids=["cartpole", "pendulum"])
def test_continuing_equals_never_stopping_in_every_bit(
    tmp_path: Path, data: dict[str, Any]
) -> None:
    whole = fit(data, 4, folder=tmp_path / "whole")
    first = fit(data, 2, folder=tmp_path / "parts")
    rest = fit(data, 4, folder=tmp_path / "parts", checkpoint=tmp_path / "parts")

    assert without_speed(first + rest) == without_speed(whole)
    assert_same_state(state_parts(tmp_path / "parts"), state_parts(tmp_path / "whole"))
    assert state(tmp_path / "parts")["num_timesteps"] == 4 * STEPS


def test_new_hyperparameters_win_over_those_of_the_checkpoint(tmp_path: Path) -> None:
    folder = saved(tmp_path, CARTPOLE, learning_rate=1.0e-3, clip_range=0.2, ent_coef=0.01)
    trial = LocalTrial("eval_reward_mean", 3, iterations=2, checkpoint=folder)
    model = settings(
        learning_rate=5.0e-4, clip_range=0.3, ent_coef=0.05, gamma=0.9, n_steps=64, batch_size=32
    )
    with closing(make_training_environment(CARTPOLE, gamma=0.9)) as environment:
        agent = make_agent(model, CARTPOLE, environment, trial)

        groups = agent.policy.optimizer.param_groups
        assert [group["lr"] for group in groups] == [5.0e-4]
        assert agent.lr_schedule(1.0) == 5.0e-4
        assert agent.clip_range(1.0) == 0.3  # type: ignore[operator]
        assert (agent.ent_coef, agent.gamma) == (0.05, 0.9)
        assert (agent.n_steps, agent.batch_size) == (64, 32)

        assert agent.num_timesteps == STEPS
        assert_same_state(
            dict(agent.policy.state_dict()), dict(state(folder)["parameters"]["policy"])
        )
        moments = agent.policy.optimizer.state_dict()["state"]
        assert_same_state(moments, state(folder)["parameters"]["policy.optimizer"]["state"])

        agent.learn(64, reset_num_timesteps=False)
        assert [group["lr"] for group in groups] == [5.0e-4]


@pytest.mark.parametrize(
    ("data", "network", "key"),
    [
        ({}, {"net_arch": [16, 8]}, r"model\.network\.net_arch\n  got       \[16, 8\]"),
        ({}, {"activation": "relu"}, r"model\.network\.activation\n  got       'relu'"),
        ({"env_id": "CartPole-v0"}, {}, r"data\.env_id\n  got       'CartPole-v0'"),
        ({"normalize": PENDULUM["normalize"]}, {}, r"data\.normalize\n"),
    ],
    ids=["net_arch", "activation", "environment", "normalisation"],
)
@pytest.mark.filterwarnings("ignore:.*The environment CartPole-v0 is out of date")
def test_what_shapes_the_weights_cannot_change_while_a_trial_trains(
    tmp_path: Path, data: dict[str, Any], network: dict[str, Any], key: str
) -> None:
    folder = saved(tmp_path, CARTPOLE)
    with pytest.raises(ConfigurationError, match=key) as caught:
        fit({**CARTPOLE, **data}, 2, model=settings(network=network), checkpoint=folder)

    assert "cannot change while a trial trains" in str(caught.value)


def test_a_checkpoint_of_another_shape_is_refused_without_a_pickle_being_run(
    tmp_path: Path,
) -> None:
    folder = saved(tmp_path, CARTPOLE)
    changed = state(folder)
    changed["parameters"]["policy"]["action_net.weight"] = torch.zeros(3, 8)
    torch.save(changed, folder / STATE_FILE)
    with pytest.raises(ConfigurationError, match=r"spaces of another shape.*(.|\n)*cannot change"):
        fit(CARTPOLE, 2, checkpoint=folder)


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return sys.exit, ("a pickle was executed",)


def test_a_hostile_checkpoint_is_refused_and_not_executed(tmp_path: Path) -> None:
    torch.save({"fixed": Bomb()}, tmp_path / STATE_FILE)
    write_iteration(tmp_path, 1)
    with pytest.raises(RunFolderError, match="Weights only load failed"):
        fit(CARTPOLE, 2, checkpoint=tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"batch_size": 24},
            r"batch_size\n  got       24\n.*divisor of 64, .*n_steps=32 times n_envs=2\n.*=16$",
            id="batch-does-not-divide",
        ),
        pytest.param({"batch_size": 128}, r"divisor of 64, (.|\n)*=64$", id="batch-too-large"),
        pytest.param({"batch_size": 1}, r"`batch_size` must be greater than 1", id="batch-of-one"),
        pytest.param({"n_steps": 32.0}, r"n_steps\n  got       32\.0 \(float\)", id="fraction"),
        pytest.param({"learning_rate": "1e-3"}, r"got       '1e-3' \(str\)", id="text"),
        pytest.param({"learning_rate": -1.0}, r"Invalid learning rate", id="negative"),
        pytest.param({"clip_rnge": 0.1}, r"rename it to .*\.clip_range", id="unknown-key"),
    ],
)
def test_a_wrong_hyperparameter_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        fit(CARTPOLE, 1, model=settings(**changes))


def test_a_missing_hyperparameter_is_refused() -> None:
    model = settings()
    del model["hyperparameters"]["gae_lambda"]
    with pytest.raises(
        ConfigurationError, match=r"hyperparameters\.gae_lambda\n  got       nothing"
    ):
        fit(CARTPOLE, 1, model=model)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"policy": "MlpPolcy"}, r"model\.policy\n(.|\n)*model\.policy=MlpPolicy"),
        ({"network": {"net_arch": [8], "activation": "rely"}}, r"activation=relu"),
        ({"network": {"net_arch": [8]}}, r"model\.network\.activation\n  got       nothing"),
    ],
    ids=["policy", "activation", "missing"],
)
def test_a_wrong_network_is_refused(model: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        fit(CARTPOLE, 1, model={**settings(), **model})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"env_id": "os:CartPole-v1"},
            r"data\.env_id\n  got       'os:CartPole-v1'\n.*none(.|\n)*trusted_modules=\[os\]",
            id="module",
        ),
        pytest.param(
            {"env_id": "mine_too:X-v0", "trusted_modules": ["mine"]}, r"\(mine\)", id="prefix"
        ),
        pytest.param({"env_id": "CartPoel-v1"}, r"data\.env_id=CartPole-v1", id="near-miss"),
        pytest.param({"env_id": "CartPole"}, r"known to Gymnasium", id="no-version"),
        pytest.param({"env_id": None}, r"known to Gymnasium", id="null"),
        pytest.param({"env_kwargs": {"gravty": 1}}, r"gravty", id="unknown-argument"),
        pytest.param({"eval_episodes": 0}, r"data\.eval_episodes\n", id="no-episodes"),
        pytest.param({"n_env": 2}, r"rename it to data\.n_envs", id="unknown-key"),
        pytest.param(
            {"env_id": "Taxi-v4", "normalize": {"observations": True, "rewards": False}},
            r"data\.normalize\.observations\n",
            id="nothing-to-normalise",
        ),
    ],
)
def test_a_wrong_environment_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        fit({**CARTPOLE, **changes}, 1)


def test_a_module_is_not_imported_unless_it_is_trusted() -> None:
    fit_with = {**CARTPOLE, "env_id": "antigravity:CartPole-v1"}
    with pytest.raises(ConfigurationError):
        fit(fit_with, 1)

    assert "antigravity" not in sys.modules


def test_an_environment_of_a_trusted_module_is_made() -> None:
    data = {
        **CARTPOLE,
        "env_id": "gymnasium.envs.classic_control:CartPole-v1",
        "trusted_modules": ["gymnasium"],
    }

    assert len(fit(data, 1)) == 1


def test_normalisation_statistics_survive_the_checkpoint(tmp_path: Path) -> None:
    folder = saved(tmp_path, PENDULUM)
    kept = state(folder)["normalization"]
    with (
        closing(make_training_environment(PENDULUM, gamma=0.99)) as environment,
        closing(make_training_environment(PENDULUM, gamma=0.99)) as other,
    ):
        trial = LocalTrial("eval_reward_mean", 3, iterations=2, checkpoint=folder)
        make_agent(settings(), PENDULUM, environment, trial)
        load_normalization_state(other, normalization_state(environment))

        assert set(kept) == {"returns", "observations."}
        # One reset and 32 steps of two environments, and the initial weight of 1e-4.
        assert float(kept["observations."]["count"]) == pytest.approx(66.0001)
        assert_same_state(normalization_state(environment), kept)
        assert_same_state(normalization_state(other), kept)


def test_nothing_is_kept_where_nothing_is_normalised() -> None:
    with closing(make_training_environment(CARTPOLE, gamma=0.99)) as environment:
        assert normalization_state(environment) == {}


@pytest.mark.parametrize("data", [CARTPOLE, PENDULUM], ids=["cartpole", "pendulum"])
def test_evaluation_does_not_touch_training(tmp_path: Path, data: dict[str, Any]) -> None:
    few = fit({**data, "eval_episodes": 1}, 3, folder=tmp_path / "few")
    many = fit({**data, "eval_episodes": 5}, 3, folder=tmp_path / "many")

    assert [report["eval_reward_mean"] for report in few] != [
        report["eval_reward_mean"] for report in many
    ]
    assert_same_state(state_parts(tmp_path / "few"), state_parts(tmp_path / "many"))


def test_a_reported_reward_can_be_measured_again_from_the_checkpoint(tmp_path: Path) -> None:
    reports = fit(PENDULUM, 1, folder=tmp_path / "newest")
    trial = LocalTrial("eval_reward_mean", 3, iterations=1, checkpoint=tmp_path / "newest")
    with (
        closing(make_training_environment(PENDULUM, gamma=0.99)) as environment,
        closing(make_evaluation_environment(PENDULUM)) as evaluation,
    ):
        agent = make_agent(settings(), PENDULUM, environment, trial)
        load_normalization_state(evaluation, normalization_state(environment))
        evaluation.seed(derive_seed(3, "evaluate", 1))
        mean, deviation = evaluate_policy(agent, evaluation, n_eval_episodes=2)

    assert reports[0]["eval_reward_mean"] == mean
    assert reports[0]["eval_reward_std"] == deviation


def test_rewards_are_divided_by_the_return_that_the_agent_discounts(tmp_path: Path) -> None:
    for name, gamma in (("short", 0.1), ("long", 0.99)):
        fit(PENDULUM, 1, model=settings(gamma=gamma), folder=tmp_path / name)

    # The same first rollout, but discounted over all of its 32 steps instead of one.
    short, long = (state(tmp_path / name)["normalization"]["returns"] for name in ("short", "long"))
    assert float(long["var"]) > 10.0 * float(short["var"])


def test_evaluation_leaves_rewards_as_they_are_and_learns_no_statistics() -> None:
    data = checked_data({**PENDULUM, "eval_episodes": 12})
    with closing(make_evaluation_environment(data)) as environment:
        statistics = normalization_state(environment)
        statistics["returns"]["var"] += 99.0
        load_normalization_state(environment, statistics)
        environment.seed(0)
        environment.reset()
        before = normalization_state(environment)
        _, rewards, _, _ = environment.step(np.full((10, 1), 2.0, dtype=np.float32))

        assert environment.num_envs == 10
        # A pendulum that hangs costs about 9.9 a step; these statistics divide that by ten.
        assert rewards.min() < -5.0
        assert_same_state(normalization_state(environment), before)


def test_a_trial_uses_as_many_threads_as_it_has_cpus() -> None:
    fit(CARTPOLE, 1, num_cpus=2)
    assert torch.get_num_threads() == 2

    fit(CARTPOLE, 1, num_cpus=1)
    assert torch.get_num_threads() == 1
