"""From settings to a trained agent of Stable-Baselines3, one report per iteration.

Every iteration starts from freshly seeded random generators and freshly reset environments, both
seeded from the trial's seed and the number of the iteration. Between two iterations nothing else
lives on than weights, optimizers, counters, normalisation statistics and, for algorithms that learn
from one, the replay buffer. These are what a checkpoint holds, and so a trial that continues from
one is *bitwise equal* to one that never stopped, on the same machine and with the same number of
threads. What it costs: the episodes that are under way at the end of an iteration are cut off.

A rollout is `n_steps * n_envs` environment steps, or `train_freq * n_envs` with a replay buffer;
it is never cut. An iteration is `steps_per_iteration` steps, rounded down to whole steps of all
environments; it trains whole rollouts until its end is reached, hence up to one rollout more, and
none at all where an earlier iteration has already gone that far. The YAML of a model keeps rollouts
divisors of an iteration, so that every configuration trains the same number of steps.

Checkpoints are tensors and plain values, read with `weights_only=True`: no pickle is executed,
which `load` of Stable-Baselines3 would do.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import sync_envs_normalization

from hpo_app.errors import listed, near_miss
from hpo_app.training.contract import refusal
from hpo_app.training.environments import (
    checked_data,
    make_evaluation_environment,
    make_training_environment,
)
from hpo_app.training.models.sb3_algorithms import ALGORITHMS, arguments, spread_exploration
from hpo_app.training.models.sb3_checkpoint import agent_state, load_agent_state
from hpo_app.training.models.sb3_state import STATE_FILE, write_state
from hpo_app.training.reports import OF_THE_RUN, checked_count, checked_settings
from hpo_app.training.seeds import derive_seed


if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from stable_baselines3.common.base_class import BaseAlgorithm
    from stable_baselines3.common.vec_env import VecEnv

    from hpo_app.training.contract import Trial

# Of an evaluation episode that no limit of the environment ends; an agent plays them in a minute.
_MOST_STEPS = 100_000
_ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU, "elu": torch.nn.ELU}


def train(
    model: dict[str, Any], data: dict[str, Any], training: dict[str, Any], trial: Trial
) -> None:
    """Train one agent; report `eval_reward_mean`, `eval_reward_std`, `timesteps`, `steps_per_s`.

    The rewards are those of `data.eval_episodes` episodes with the most probable actions, in
    environments of their own; `timesteps` counts training steps of all environments from the
    start of the trial; `steps_per_s` is the training speed, evaluation left out.

    Args:
        model: `algorithm`, one of `ALGORITHMS`; `policy`; `hyperparameters`, all that the
            algorithm has; `network` (`net_arch`, `activation`); and, if it is not to be the CPU,
            `device`.
        data: Settings as `environments.checked_data` takes them.
        training: `iterations` and `steps_per_iteration`.
        trial: Where to report and what to continue from.

    Raises:
        ConfigurationError: If the settings do not describe a training run, or not the one that
            the checkpoint is from.
        FloatingPointError: If training has diverged.
    """
    data = checked_data(data)
    model = checked_model(model, data["n_envs"])
    steps, iterations = _checked_lengths(training, data["n_envs"])
    torch.set_num_threads(trial.num_cpus)
    with (
        closing(make_training_environment(data, gamma=model["hyperparameters"]["gamma"])) as env,
        closing(make_evaluation_environment(data)) as evaluation,
    ):
        agent = make_agent(model, data, env, trial)
        spread_exploration(agent, iterations * steps)
        for iteration in range(trial.iteration + 1, iterations + 1):
            seed = derive_seed(trial.seed, "train", iteration)
            steps_per_s = _learn(agent, env, until=iteration * steps, seed=seed)
            _refuse_diverged(agent)
            sync_envs_normalization(env, evaluation)
            evaluation.seed(derive_seed(trial.seed, "evaluate", iteration))
            rewards = _evaluate(agent, evaluation, data)
            metrics = {
                "eval_reward_mean": float(np.mean(rewards)),
                "eval_reward_std": float(np.std(rewards)),
                "timesteps": float(agent.num_timesteps),
                "steps_per_s": steps_per_s,
            }
            _report(trial, metrics, agent, env, _fixed(model, data))


def _checked_lengths(training: Mapping[str, Any], n_envs: int) -> tuple[int, int]:
    """Return the steps of an iteration, whole ones of all environments, and the iterations."""
    required = ("iterations", "steps_per_iteration")
    checked_settings(training, "training", required, ("checkpoint_every", "checkpoint_mb"))
    steps = checked_count(training["steps_per_iteration"], "training.steps_per_iteration")
    iterations = checked_count(training["iterations"], "training.iterations")
    return max(1, steps // n_envs) * n_envs, iterations


def checked_model(model: Mapping[str, Any], n_envs: int) -> dict[str, Any]:
    """Return the model settings after checking their keys, kinds and the size of a batch.

    Raises:
        ConfigurationError: If a key is missing, unknown or of the wrong kind, or if PPO's batches
            do not divide a rollout of `n_steps * n_envs` steps.
    """
    required = ("algorithm", "policy", "hyperparameters", "network")
    known = (*OF_THE_RUN, "device")
    settings = checked_settings(model, "model", required, known)
    _check_choice(settings["algorithm"], "model.algorithm", ALGORITHMS)
    algorithm = ALGORITHMS[settings["algorithm"]]
    _check_choice(settings["policy"], "model.policy", algorithm.build.policy_aliases)
    network = checked_settings(settings["network"], "model.network", ("net_arch", "activation"))
    _check_choice(network["activation"], "model.network.activation", _ACTIVATIONS)
    where = "model.hyperparameters"
    hyperparameters = checked_settings(settings["hyperparameters"], where, tuple(algorithm.checks))
    for key, check in algorithm.checks.items():
        check(hyperparameters[key], f"{where}.{key}")
    if settings["algorithm"] == "ppo":
        _check_batches(hyperparameters["n_steps"], n_envs, hyperparameters["batch_size"])
    return settings


def make_agent(
    model: Mapping[str, Any],
    data: Mapping[str, Any],
    environment: VecEnv,
    trial: Trial,
    *,
    with_replay: bool = True,
) -> BaseAlgorithm:
    """Return an agent ready to train on: fresh, or from the trial's checkpoint.

    From a checkpoint come weights, optimizer moments, counters, replay buffer and the statistics
    of `environment`; all hyperparameters are those of `model`, so that a scheduler may change them
    while a trial trains.

    Args:
        model: Checked model settings.
        data: Checked data settings.
        environment: Training environment that the agent is for.
        trial: Gives seed and checkpoint.
        with_replay: Whether a replay buffer is filled from the checkpoint too, which takes as many
            environments as it was trained in.

    Raises:
        ConfigurationError: If the algorithm refuses the settings, or network, environment or
            normalisation are not those of the checkpoint.
    """
    network, algorithm = model["network"], ALGORITHMS[model["algorithm"]]
    policy_settings = {
        "net_arch": network["net_arch"],
        "activation_fn": _ACTIVATIONS[network["activation"]],
    }
    if algorithm.optimizer:
        policy_settings["optimizer_kwargs"] = dict(algorithm.optimizer)
    try:
        agent = algorithm.build(
            model["policy"],
            environment,
            **arguments(model["hyperparameters"], environment),
            policy_kwargs=policy_settings,
            seed=derive_seed(trial.seed, "weights"),
            device=model.get("device", "cpu"),
        )
    except (AssertionError, NotImplementedError, ValueError) as error:
        # Arguments are checked by assertions.
        expected = f"settings that {algorithm.build.__name__} takes for this environment"
        fix = "change what the message names"
        if "action spaces" in str(error):
            fix = "choose data with other actions, or a model that takes any: ppo or a2c"
        raise refusal("model", str(error), expected, fix) from error
    # Without a logger of its own, every call of learn() leaves an empty folder in /tmp.
    agent.set_logger(Logger(folder=None, output_formats=[]))
    if trial.checkpoint is not None:
        path = trial.checkpoint / STATE_FILE
        load_agent_state(agent, environment, path, _fixed(model, data), with_replay=with_replay)
    return agent


def _learn(agent: BaseAlgorithm, environment: VecEnv, *, until: int, seed: int) -> float:
    """Train up to a number of steps; return steps per second, 0.0 if that was reached before."""
    agent.set_random_seed(seed)
    # Only a forced reset makes the environments take up their new seeds.
    agent.set_env(environment, force_reset=True)
    before, started = agent.num_timesteps, time.perf_counter()
    if before < until:
        agent.learn(until - before, reset_num_timesteps=False)
    return (agent.num_timesteps - before) / (time.perf_counter() - started)


def _refuse_diverged(agent: BaseAlgorithm) -> None:
    """Refuse a network that says nothing any more.

    What acts by the largest value (DQN) goes on with one and the same action, and its reward would
    be reported as if it had been trained.
    """
    if not all(bool(torch.isfinite(weights).all()) for weights in agent.policy.parameters()):
        text = (
            f"the network's weights are no longer finite after {agent.num_timesteps} steps: the "
            "learning rate is too high, or an observation or a reward was NaN or infinite"
        )
        raise FloatingPointError(text)


def _evaluate(agent: BaseAlgorithm, environment: VecEnv, data: Mapping[str, Any]) -> list[float]:
    has_limit = all(
        spec is not None and spec.max_episode_steps for spec in environment.get_attr("spec")
    )

    def refuse_endless(found: dict[str, Any], _: dict[str, Any]) -> None:
        if found["current_lengths"][found["i"]] >= _MOST_STEPS:
            # A good agent, or one that does nothing, may never end what has no limit.
            raise refusal(
                "data.env_id",
                f"{data['env_id']!r}, an evaluation episode of which has not ended after "
                f"{_MOST_STEPS} steps",
                "episodes that end, or an environment with a limit of steps",
                "+data.env_kwargs.max_episode_steps=1000, or another limit",
            )

    rewards, _ = evaluate_policy(
        agent,
        environment,
        n_eval_episodes=data["eval_episodes"],
        deterministic=True,
        # It is called at each step, which takes time.
        callback=None if has_limit else refuse_endless,
        return_episode_rewards=True,
    )
    return cast("list[float]", rewards)


def _report(
    trial: Trial,
    metrics: dict[str, float],
    agent: BaseAlgorithm,
    environment: VecEnv,
    fixed: Mapping[str, Any],
) -> None:
    if not trial.is_checkpoint_due:
        trial.report(metrics)
        return
    with tempfile.TemporaryDirectory() as folder:
        write_state(agent_state(agent, environment, fixed), Path(folder) / STATE_FILE)
        trial.report(metrics, checkpoint=Path(folder))


def _fixed(model: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that must not change while a trial trains, by dotted key.

    The activation has no weights, so that only a record of it can tell that it is another one.
    """
    hyperparameters = model["hyperparameters"]
    names = ALGORITHMS[model["algorithm"]].fixed
    return {
        "model.algorithm": model["algorithm"],
        "model.policy": model["policy"],
        "model.network.net_arch": model["network"]["net_arch"],
        "model.network.activation": model["network"]["activation"],
        "data.env_id": data["env_id"],
        "data.normalize": dict(data["normalize"]),
        "data.wrappers": list(data.get("wrappers", ())),
        **{f"model.hyperparameters.{name}": hyperparameters[name] for name in names},
    }


def _check_batches(n_steps: int, n_envs: int, batch_size: int) -> None:
    rollout = n_steps * n_envs
    if rollout < 2:
        fix = "training.steps_per_iteration=4096, or another number with small divisors"
        raise refusal("model.hyperparameters.n_steps", "1", "rollouts of 2 steps or more", fix)
    if rollout % batch_size:
        raise refusal(
            "model.hyperparameters.batch_size",
            str(batch_size),
            f"a divisor of {rollout}, the steps of a rollout: n_steps={n_steps} times "
            f"n_envs={n_envs}",
            f"model.hyperparameters.batch_size={_divisor_near(rollout, batch_size)}",
        )


def _divisor_near(rollout: int, batch_size: int) -> int:
    """Return the greatest divisor from 2 to `batch_size`, or else one batch for the rollout."""
    sizes = range(min(rollout, batch_size), 1, -1)
    return next((size for size in sizes if rollout % size == 0), rollout)


def _check_choice(value: object, where: str, choices: Collection[str]) -> None:
    if not isinstance(value, str) or value not in choices:
        near = near_miss(str(value), choices) or next(iter(choices))
        raise refusal(where, repr(value), f"one of {listed(choices)}", f"{where}={near}")
