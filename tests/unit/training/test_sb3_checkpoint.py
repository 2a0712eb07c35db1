"""What an agent takes from a checkpoint, and what from its own settings."""

from contextlib import closing
from pathlib import Path
from typing import Any

from hpo_app.training.environments import make_training_environment
from hpo_app.training.fit_one import LocalTrial, fit_one
from hpo_app.training.models.sb3 import make_agent, train


DATA: dict[str, Any] = {
    "env_id": "CartPole-v1",
    "n_envs": 1,
    "env_kwargs": {},
    "normalize": {"observations": False, "rewards": False},
    "eval_episodes": 1,
}
HYPERPARAMETERS: dict[str, Any] = {
    "learning_rate": 1e-3,
    "n_steps": 8,
    "gamma": 0.99,
    "gae_lambda": 1.0,
    "ent_coef": 0.0,
    "vf_coef": 0.5,
    "max_grad_norm": 0.5,
    "use_rms_prop": True,
    "rms_prop_eps": 1e-5,
    "normalize_advantage": False,
}


def settings(**changes: Any) -> dict[str, Any]:
    network = {"net_arch": [4], "activation": "tanh"}
    hyperparameters = {**HYPERPARAMETERS, **changes}
    names = {"algorithm": "a2c", "policy": "MlpPolicy"}
    return {**names, "hyperparameters": hyperparameters, "network": network}


def test_an_optimizer_has_the_settings_of_now_and_the_moments_of_then(tmp_path: Path) -> None:
    training = {"iterations": 1, "steps_per_iteration": 16}
    folder = tmp_path / "checkpoint"
    fit_one(train, settings(), DATA, training, metric="eval_reward_mean", seed=0, folder=folder)
    with closing(make_training_environment(DATA, gamma=0.99)) as environment:
        trial = LocalTrial("eval_reward_mean", 0, 2, checkpoint=folder)
        changed = settings(learning_rate=0.5, rms_prop_eps=1e-3)
        optimizer = make_agent(
            changed, {**DATA, "wrappers": []}, environment, trial
        ).policy.optimizer
        group = optimizer.param_groups[0]

    assert (group["lr"], group["eps"], group["alpha"]) == (0.5, 1e-3, 0.99)
    assert all(float(state["step"]) == 2.0 for state in optimizer.state.values())
    assert len(optimizer.state) == len(group["params"])
