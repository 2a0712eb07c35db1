"""The algorithms of Stable-Baselines3 that a model may name, and what each is told.

Every argument that can be sampled is named, so that a configuration holds all of what it was
trained with, and a new default of the library changes no result. Sources:

    ppo    Schulman et al. (2017), arXiv:1707.06347
    a2c    Mnih et al. (2016), arXiv:1602.01783, its synchronous form
    dqn    Mnih et al. (2015), doi:10.1038/nature14236
    sac    Haarnoja et al. (2018), arXiv:1812.05905
    td3    Fujimoto et al. (2018), arXiv:1802.09477
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from stable_baselines3 import A2C, DQN, PPO, SAC, TD3
from stable_baselines3.common.noise import NormalActionNoise

from hpo_app.training.reports import checked_count, checked_flag, checked_number


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.vec_env import VecEnv

    Check = Callable[[object, str], object]


def _steps_or_none(value: object, where: str) -> object:
    return value if value == 0 and not isinstance(value, bool) else checked_count(value, where)


def _updates(value: object, where: str) -> object:
    # -1 is Stable-Baselines3's word for as many updates as steps were taken.
    return value if value == -1 else checked_count(value, where)


def _entropy(value: object, where: str) -> object:
    return value if value == "auto" else checked_number(value, where)


@dataclass(frozen=True)
class Algorithm:
    """One algorithm, and what a configuration has to say of it.

    Attributes:
        build: Its class.
        checks: Each hyperparameter's check, all of them required.
        optimizer: Arguments of its optimiser.
        fixed: Hyperparameters that cannot change while a trial trains.
    """

    build: type[BaseAlgorithm]
    checks: Mapping[str, Check]
    optimizer: Mapping[str, Any] = field(default_factory=dict)
    fixed: tuple[str, ...] = ()


_ON_POLICY: dict[str, Check] = {
    "n_steps": checked_count,
    **dict.fromkeys(
        ("learning_rate", "gamma", "gae_lambda", "ent_coef", "vf_coef", "max_grad_norm"),
        checked_number,
    ),
}
_OFF_POLICY: dict[str, Check] = {
    **dict.fromkeys(("buffer_size", "batch_size", "train_freq"), checked_count),
    **dict.fromkeys(("learning_rate", "tau", "gamma"), checked_number),
    "learning_starts": _steps_or_none,
    "gradient_steps": _updates,
}
# The fused step makes training of a small network about 15% faster.
_FUSED = {"fused": True}

ALGORITHMS: dict[str, Algorithm] = {
    "ppo": Algorithm(
        PPO,
        _ON_POLICY
        | {"batch_size": checked_count, "n_epochs": checked_count, "clip_range": checked_number},
        # eps is Stable-Baselines3's own, which naming any argument would drop.
        {"eps": 1.0e-5, **_FUSED},
    ),
    "a2c": Algorithm(
        A2C,
        _ON_POLICY
        | {
            "rms_prop_eps": checked_number,
            "use_rms_prop": checked_flag,
            "normalize_advantage": checked_flag,
        },
        fixed=("use_rms_prop",),
    ),
    "dqn": Algorithm(
        DQN,
        _OFF_POLICY
        | {"target_update_interval": checked_count}
        | dict.fromkeys(
            (
                "exploration_fraction",
                "exploration_initial_eps",
                "exploration_final_eps",
                "max_grad_norm",
            ),
            checked_number,
        ),
        _FUSED,
        fixed=("buffer_size",),
    ),
    "sac": Algorithm(
        SAC,
        _OFF_POLICY | {"target_update_interval": checked_count, "ent_coef": _entropy},
        _FUSED,
        fixed=("buffer_size", "ent_coef"),
    ),
    "td3": Algorithm(
        TD3,
        _OFF_POLICY
        | {"policy_delay": checked_count}
        | dict.fromkeys(
            ("action_noise", "target_policy_noise", "target_noise_clip"), checked_number
        ),
        _FUSED,
        fixed=("buffer_size",),
    ),
}


def arguments(hyperparameters: Mapping[str, Any], environment: VecEnv) -> dict[str, Any]:
    """Return hyperparameters as the library takes them.

    `action_noise` is the standard deviation of what is added to each action once its range is
    scaled to -1 to 1; the library takes an object.
    """
    found = dict(hyperparameters)
    if "action_noise" in found:
        shape = environment.action_space.shape or (1,)
        deviation = np.full(shape, float(found.pop("action_noise")))
        found["action_noise"] = NormalActionNoise(np.zeros(shape), deviation)
    return found


def spread_exploration(agent: BaseAlgorithm, full_steps: int) -> None:
    """Let a DQN's exploration fall over all steps of a trial, not anew in each iteration.

    The library counts the steps of one call of `learn`, and a trial makes one for each iteration.
    """
    if not isinstance(agent, DQN):
        return
    until = max(1.0, agent.exploration_fraction * full_steps)
    first, last = agent.exploration_initial_eps, agent.exploration_final_eps

    def exploration(_progress_remaining: float) -> float:
        return first + (last - first) * min(1.0, agent.num_timesteps / until)

    agent.exploration_schedule = exploration
