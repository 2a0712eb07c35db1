"""The name of the trainer in configurations that were stored before there were more than PPO."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpo_app.training.models import sb3


if TYPE_CHECKING:
    from hpo_app.training.contract import Trial


def train(
    model: dict[str, Any], data: dict[str, Any], training: dict[str, Any], trial: Trial
) -> None:
    """Train as `sb3.train` does, by PPO unless `model.algorithm` says otherwise."""
    sb3.train({"algorithm": "ppo", **model}, data, training, trial)
