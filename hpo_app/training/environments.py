"""From the data settings to Gymnasium environments: one set to train in, another to judge in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize, unwrap_vec_normalize

from hpo_app.errors import listed, near_miss
from hpo_app.training.contract import refusal
from hpo_app.training.reports import checked_count, checked_flag, checked_settings
from hpo_app.training.wrappers import checked_wrappers, wrapped


if TYPE_CHECKING:
    from collections.abc import Mapping

    from stable_baselines3.common.running_mean_std import RunningMeanStd
    from stable_baselines3.common.vec_env import VecEnv

_REQUIRED = ("env_id", "n_envs", "env_kwargs", "normalize", "eval_episodes")
_OPTIONAL = ("trusted_modules", "wrappers", "step_bytes")
_OBSERVATIONS = (spaces.Box, spaces.Discrete, spaces.MultiDiscrete, spaces.MultiBinary)
# More copies make the slowest episode of a batch the longer wait; ten share one network call.
_MAX_EVALUATION_ENVS = 10


def checked_data(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data settings after checking everything that can be checked without a step.

    Args:
        data: `env_id`; `n_envs`: copies to train in; `env_kwargs`: arguments of the environment;
            `normalize`: `observations` and `rewards`, whether each is divided by its running
            standard deviation; `eval_episodes`; `wrappers`: optional, as `checked_wrappers` takes
            them; `trusted_modules`: optional, the modules that an `env_id` or a wrapper may name
            before a colon; `step_bytes`: optional, read by the plan only.

    Raises:
        ConfigurationError: If a key is missing, unknown or of the wrong kind, or `env_id` is not
            a registered environment or would import a module that is not trusted.
    """
    settings = checked_settings(data, "data", _REQUIRED, _OPTIONAL)
    normalize = checked_settings(
        settings["normalize"], "data.normalize", ("observations", "rewards")
    )
    for key, value in normalize.items():
        checked_flag(value, f"data.normalize.{key}")
    checked_count(settings["n_envs"], "data.n_envs")
    checked_count(settings["eval_episodes"], "data.eval_episodes")
    trusted = settings.get("trusted_modules") or ()
    _check_env_id(settings["env_id"], trusted)
    return {**settings, "wrappers": checked_wrappers(settings.get("wrappers") or [], trusted)}


def make_training_environment(data: Mapping[str, Any], *, gamma: float) -> VecEnv:
    """Return the environments to train in, normalised as `data.normalize` asks.

    Args:
        data: Checked data settings.
        gamma: Discount of the agent; rewards are divided by the deviation of the return that it
            discounts.

    Raises:
        ConfigurationError: If an environment cannot be made, or not be normalised.
    """
    environment = _make(data, data["n_envs"], for_training=True)
    return _normalized(environment, data["normalize"], gamma=gamma)


def make_evaluation_environment(data: Mapping[str, Any]) -> VecEnv:
    """Return environments that share nothing with the training ones, with rewards as they are.

    Observations are normalised where training normalises them, by statistics that stay as they
    are set: `stable_baselines3.common.vec_env.sync_envs_normalization` copies them over.

    Args:
        data: Checked data settings.

    Raises:
        ConfigurationError: If an environment cannot be made, or not be normalised.
    """
    count = min(data["eval_episodes"], _MAX_EVALUATION_ENVS)
    environment = _make(data, count, for_training=False)
    environment = _normalized(environment, data["normalize"])
    normalizer = unwrap_vec_normalize(environment)
    if normalizer is not None:
        normalizer.training = False
        normalizer.norm_reward = False
    return environment


def normalization_state(environment: VecEnv) -> dict[str, dict[str, torch.Tensor]]:
    """Return the running statistics as float64 tensors, `{what: {mean, var, count}}`.

    Empty if nothing is normalised.
    """
    return {
        name: {
            key: torch.tensor(np.asarray(getattr(running, key), dtype=np.float64))
            for key in ("mean", "var", "count")
        }
        for name, running in _running(environment).items()
    }


def load_normalization_state(
    environment: VecEnv, state: Mapping[str, Mapping[str, torch.Tensor]]
) -> None:
    """Set the running statistics to what `normalization_state` returned."""
    for name, running in _running(environment).items():
        running.mean = state[name]["mean"].numpy().copy()
        running.var = state[name]["var"].numpy().copy()
        running.count = float(state[name]["count"])


def _check_env_id(env_id: object, trusted: tuple[str, ...] | list[str]) -> None:
    module, colon, _ = str(env_id).rpartition(":")
    if colon:
        if not any(module == name or module.startswith(f"{name}.") for name in trusted):
            # Gymnasium imports what stands before the colon, so that a config would run code.
            raise refusal(
                "data.env_id",
                repr(env_id),
                f"an environment without a module, or a module among {_named(trusted)}",
                f"trusted_modules=[{module}] on the command line, if you trust its code",
            )
    elif str(env_id) not in gymnasium.registry:
        near = near_miss(str(env_id), gymnasium.registry)
        fix = f"data.env_id={near}" if near else "data.env_id=CartPole-v1"
        raise refusal("data.env_id", repr(env_id), "an environment known to Gymnasium", fix)


def _named(trusted: tuple[str, ...] | list[str]) -> str:
    return f"data.trusted_modules ({listed(trusted) or 'none'})"


def _make(data: Mapping[str, Any], count: int, *, for_training: bool) -> VecEnv:
    def one() -> gymnasium.Env[Any, Any]:
        environment = gymnasium.make(data["env_id"], **data["env_kwargs"])
        environment = wrapped(environment, data.get("wrappers", ()), for_training=for_training)
        _check_spaces(data["env_id"], environment)
        # Monitor counts rewards before normalisation changes them.
        return Monitor(environment)

    try:
        return DummyVecEnv([one] * count)
    # Wrappers refuse in many ways what they are not made for.
    except (
        gymnasium.error.Error,
        AssertionError,
        AttributeError,
        ImportError,
        TypeError,
        ValueError,
    ) as error:
        around = f" in {data['wrappers']}" if data.get("wrappers") else ""
        raise refusal(
            "data.env_id",
            f"{data['env_id']!r} with {data['env_kwargs']}{around}, which fails: {error}",
            "an environment that these data.env_kwargs and data.wrappers fit, with its packages "
            "installed",
            "correct data.env_kwargs or data.wrappers, or install what the message names",
        ) from error


def _check_spaces(env_id: str, environment: gymnasium.Env[Any, Any]) -> None:
    """Refuse observations and actions that Stable-Baselines3 cannot read, or reads wrongly."""
    observations, actions = environment.observation_space, environment.action_space
    parts = observations.values() if isinstance(observations, spaces.Dict) else [observations]
    if not all(_is_readable(part) for part in parts):
        raise refusal(
            "data.env_id",
            f"{env_id!r} with observations of {str(observations)[:200]}",
            "boxes of numbers, flags, or whole numbers that are counted from 0, or a Dict of these",
            "data.wrappers='[{name: FlattenObservation}]'",
        )
    if not _is_doable(actions):
        raise refusal(
            "data.env_id",
            f"{env_id!r} with actions of {str(actions)[:200]}",
            "a box of floating-point numbers, or whole numbers in one row that are counted from 0",
            "turn them into these in the environment, or in a wrapper of your own",
        )


def _is_doable(actions: gymnasium.Space[Any]) -> bool:
    if isinstance(actions, spaces.Box):
        # An agent's are numbers with a fraction, whatever the space says.
        return bool(np.issubdtype(actions.dtype, np.floating))
    if isinstance(actions, spaces.MultiDiscrete) and len(actions.shape) != 1:
        return False
    # An agent's first action is 0, whatever the space says.
    return _counts_from_zero(actions)


def _is_readable(space: gymnasium.Space[Any]) -> bool:
    # MultiBinary may have more dimensions, MultiDiscrete may not; a box needs one.
    dimensions = {spaces.Box: space.shape != (), spaces.MultiDiscrete: len(space.shape or ()) == 1}
    return (
        isinstance(space, _OBSERVATIONS)
        and dimensions.get(type(space), True)
        and _counts_from_zero(space)
    )


def _counts_from_zero(space: gymnasium.Space[Any]) -> bool:
    if isinstance(space, (spaces.Discrete, spaces.MultiDiscrete)):
        return not np.any(space.start)
    return True


def _normalized(
    environment: VecEnv, normalize: Mapping[str, bool], *, gamma: float = 1.0
) -> VecEnv:
    if not normalize["observations"] and not normalize["rewards"]:
        return environment
    try:
        return VecNormalize(
            environment,
            norm_obs=normalize["observations"],
            norm_reward=normalize["rewards"],
            gamma=gamma,
        )
    except ValueError as error:
        environment.close()
        fix = "data.normalize.observations=false"
        expected = "an environment whose observations are boxes of numbers"
        raise refusal("data.normalize.observations", str(error), expected, fix) from error


def _running(environment: VecEnv) -> dict[str, RunningMeanStd]:
    """Return the live statistics by name; a dict of observations has one entry for each key."""
    normalizer = unwrap_vec_normalize(environment)
    if normalizer is None:
        return {}
    running = {"returns": normalizer.ret_rms}
    if normalizer.norm_obs:
        # Annotated as the plain case only.
        observations = cast("RunningMeanStd | dict[str, RunningMeanStd]", normalizer.obs_rms)
        if not isinstance(observations, dict):
            observations = {"": observations}
        running |= {f"observations.{key}": value for key, value in observations.items()}
    return running
