"""From an agent to the state that it goes on from, and back, refusing what is of another agent."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm

from hpo_app.training.checkpoint import unreadable_state
from hpo_app.training.contract import refusal
from hpo_app.training.environments import load_normalization_state, normalization_state
from hpo_app.training.models.replay import load_replay_state, replay_state
from hpo_app.training.models.sb3_state import read_state


if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch
    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.vec_env import VecEnv

    from hpo_app.training.contract import ConfigurationError

# What an algorithm counts besides its steps and decides by; each has some of them.
_COUNTERS = ("_n_calls", "_n_updates", "exploration_rate")
_UNFIT = (AttributeError, KeyError, RuntimeError, TypeError, ValueError)


def agent_state(
    agent: BaseAlgorithm, environment: VecEnv, fixed: Mapping[str, Any]
) -> dict[str, Any]:
    """Return all that lives on between two iterations, as tensors and plain values.

    Args:
        agent: The agent.
        environment: The environment that it trains in, for its running statistics.
        fixed: Settings that must be the same when it goes on, by dotted key.
    """
    return {
        "fixed": fixed,
        "parameters": agent.get_parameters(),
        "log_ent_coef": _entropy_weight(agent),
        "counters": {name: getattr(agent, name) for name in _COUNTERS if hasattr(agent, name)},
        "num_timesteps": agent.num_timesteps,
        "normalization": normalization_state(environment),
        "replay": _of_replay(agent),
    }


def load_agent_state(
    agent: BaseAlgorithm,
    environment: VecEnv,
    path: Path,
    fixed: Mapping[str, Any],
    *,
    with_replay: bool,
) -> None:
    """Put an agent, and the statistics of its environment, where a checkpoint was made.

    Args:
        agent: A fresh agent; its hyperparameters stay as they are.
        environment: Its environment.
        path: File of the state.
        fixed: Settings of this agent that must be those of the state.
        with_replay: Whether its replay buffer is filled too.

    Raises:
        ConfigurationError: If the state is of an agent with other settings.
        RunFolderError: If it cannot be read.
    """
    state = read_state(path)
    for key, value in fixed.items():
        if state["fixed"].get(key) != value:
            raise _other_checkpoint(key, repr(value), repr(state["fixed"].get(key)), path)
    _load_parameters(agent, state["parameters"], path)
    try:
        load_normalization_state(environment, state["normalization"])
        weight = _entropy_weight(agent)
        if weight is not None:
            weight.copy_(state["log_ent_coef"])
        if with_replay and isinstance(agent, OffPolicyAlgorithm) and agent.replay_buffer:
            load_replay_state(agent.replay_buffer, state["replay"])
    except _UNFIT as error:
        raise unreadable_state(path, repr(error)) from error
    for name in _COUNTERS:
        if name in state["counters"]:
            setattr(agent, name, state["counters"][name])
    agent.num_timesteps = state["num_timesteps"]


def _load_parameters(agent: BaseAlgorithm, parameters: Mapping[str, Any], path: Path) -> None:
    try:
        own = {name: _optimizer_settings(agent, name) for name in parameters}
        agent.set_parameters(dict(parameters))
    except RuntimeError as error:
        got = f"spaces of another shape: {error}"
        raise _other_checkpoint("data.env_kwargs", got, "those of its weights", path) from error
    except _UNFIT as error:
        raise unreadable_state(path, repr(error)) from error
    # An optimizer's state brings its former settings along.
    for name, groups in own.items():
        for group, settings in zip(_groups(agent, name), groups, strict=True):
            group.update(settings)


def _optimizer_settings(agent: BaseAlgorithm, name: str) -> list[dict[str, Any]]:
    groups = _groups(agent, name)
    return [{key: group[key] for key in group if key != "params"} for group in groups]


def _groups(agent: BaseAlgorithm, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = getattr(attrgetter(name)(agent), "param_groups", [])
    return found


def _of_replay(agent: BaseAlgorithm) -> dict[str, Any]:
    if not isinstance(agent, OffPolicyAlgorithm) or agent.replay_buffer is None:
        return {}
    return replay_state(agent.replay_buffer)


def _entropy_weight(agent: BaseAlgorithm) -> torch.Tensor | None:
    """Return the logarithm of SAC's entropy weight where that is learnt, as a view; else None."""
    weight = getattr(agent, "log_ent_coef", None)
    return None if weight is None else weight.detach()


def _other_checkpoint(key: str, got: str, before: str, path: Path) -> ConfigurationError:
    expected = (
        f"{before}, with which the checkpoint {path} was trained: algorithm, network, environment "
        "and normalisation cannot change while a trial trains"
    )
    fix = (
        f"set {key} back, or train from the start; for a parameter of the search space, "
        "mutable: false"
    )
    return refusal(key, got, expected, fix)
