"""From a trained configuration to its agent, ready to act."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from hpo_app.training.environments import checked_data, make_evaluation_environment
from hpo_app.training.fit_one import LocalTrial
from hpo_app.training.models.sb3 import checked_model, make_agent


if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from stable_baselines3.common.base_class import BaseAlgorithm


def load_agent(
    model: Mapping[str, Any], data: Mapping[str, Any], checkpoint: Path
) -> BaseAlgorithm:
    """Return the agent of a checkpoint, as Stable-Baselines3 has it.

    Its environment, `agent.get_env()`, is a single one like those that agents are evaluated in:
    rewards are raw, and observations are normalised as in training, by statistics that stay as they
    are. No pickle is executed, which `load` of Stable-Baselines3 would do; `agent.save` writes the
    file for that. A replay buffer is left empty.

    Args:
        model: Settings of the model, plain and resolved, as in best.yaml.
        data: Settings of the environment, likewise.
        checkpoint: The folder `checkpoint` of a training, or one of `trials/NUMBER/` in a run.

    Raises:
        ConfigurationError: If the settings are wrong or not those of the checkpoint, or if this is
            missing or damaged.
    """
    data = checked_data(data)
    model = checked_model({"algorithm": "ppo", **model}, data["n_envs"])
    environment = make_evaluation_environment({**data, "eval_episodes": 1})
    trial = LocalTrial("", seed=0, iterations=0, checkpoint=checkpoint)
    with warnings.catch_warnings():
        # PPO warns of batches that do not divide a rollout: of one environment, they need not.
        warnings.simplefilter("ignore", UserWarning)
        return make_agent(model, data, environment, trial, with_replay=False)
