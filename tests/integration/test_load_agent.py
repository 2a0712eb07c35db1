"""A trained agent is handed back, ready to act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hpo_app.errors import HpoError
from hpo_app.training.fit_one import fit_one
from hpo_app.training.models.sb3 import train
from hpo_app.training.models.sb3_agent import load_agent
from hpo_app.training.seeds import derive_seed


if TYPE_CHECKING:
    from pathlib import Path

CARTPOLE: dict[str, Any] = {
    "env_id": "CartPole-v1",
    "n_envs": 2,
    "env_kwargs": {},
    "normalize": {"observations": False, "rewards": False},
    "eval_episodes": 1,
}
PENDULUM: dict[str, Any] = {
    **CARTPOLE,
    "env_id": "Pendulum-v1",
    "normalize": {"observations": True, "rewards": True},
}
MODEL: dict[str, Any] = {
    "algorithm": "ppo",
    "policy": "MlpPolicy",
    "hyperparameters": {
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
    },
    "network": {"net_arch": [8, 8], "activation": "tanh"},
}
TRAINING = {"iterations": 2, "steps_per_iteration": 64}


@pytest.mark.parametrize("data", [CARTPOLE, PENDULUM], ids=["plain", "normalised"])
def test_a_trained_agent_acts_as_it_did_when_it_was_evaluated(
    tmp_path: Path, data: dict[str, Any]
) -> None:
    newest = tmp_path / "newest"
    reports = fit_one(
        train, MODEL, data, TRAINING, metric="eval_reward_mean", seed=3, folder=newest
    )
    agent = load_agent(MODEL, data, newest)
    environment = agent.get_env()
    assert environment is not None
    environment.seed(derive_seed(3, "evaluate", 2))
    observation, reward_sum, is_over = environment.reset(), 0.0, False
    while not is_over:
        action, _ = agent.predict(observation, deterministic=True)  # type: ignore[arg-type]
        observation, rewards, overs, _ = environment.step(action)
        reward_sum, is_over = reward_sum + float(rewards[0]), bool(overs[0])

    assert reward_sum == pytest.approx(reports[-1]["eval_reward_mean"], rel=1e-6)


def test_an_agent_without_a_checkpoint_is_a_message(tmp_path: Path) -> None:
    with pytest.raises(HpoError, match="nowhere"):
        load_agent(MODEL, CARTPOLE, tmp_path / "nowhere")
