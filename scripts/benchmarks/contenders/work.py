"""What the contenders do: the same trials, described once for all of them."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hpo_app.training.fit_one import LocalTrial
from hpo_app.training.seeds import derive_seed


if TYPE_CHECKING:
    from collections.abc import Callable

SLOTS = 2
SEED = 0

# As in conf/search_space/quadratic.yaml; the upper end of `randint` is left out, as in Tune.
QUADRATIC_SPACE: dict[str, tuple[str, tuple[Any, ...]]] = {
    "x": ("uniform", (-5.0, 5.0)),
    "rate": ("loguniform", (1.0e-5, 1.0)),
    "depth": ("randint", (1, 11)),
    "kind": ("choice", (["smooth", "rough", "flat"],)),
}
# The defaults of conf/search_space/ppo.yaml. Should they ever differ, hpo_app refuses the plan.
PPO_NUMBERS = {
    "learning_rate": 3.0e-4,
    "n_epochs": 10,
    "gamma": 0.99,
    "gae_lambda": 0.95,
    "clip_range": 0.2,
    "ent_coef": 0.0,
    "vf_coef": 0.5,
    "max_grad_norm": 0.5,
}
PPO_COUNTS = {"n_steps": 2048, "batch_size": 64}
PPO_NETWORK = {"net_arch": [64, 64], "activation": "tanh"}
CARTPOLE = {
    "env_id": "CartPole-v1",
    "env_kwargs": {},
    "n_envs": 2,
    "normalize": {"observations": False, "rewards": False},
    "eval_episodes": 10,
}


@dataclass(frozen=True)
class Work:
    """Some trials to get done.

    Attributes:
        name: What it is called on the command line.
        title: What it is, for a table.
        trainer: Import path of the training function.
        metric: What the training function reports.
        mode: `min` or `max`.
        num_trials: How many trials.
        model: Settings of the model, without sampled ones.
        data: Settings of the data.
        training: Settings of the training.
        overrides: The same for hpo_app, as it is typed.
        space: What is sampled, `{name: (distribution of Tune, its arguments)}`.
    """

    name: str
    title: str
    trainer: str
    metric: str
    mode: str
    num_trials: int
    model: dict[str, Any]
    data: dict[str, Any]
    training: dict[str, Any]
    overrides: tuple[str, ...]
    space: dict[str, tuple[str, tuple[Any, ...]]] = field(default_factory=dict)

    @property
    def seeds(self) -> list[int]:
        """The seeds that hpo_app gives its trials, by number."""
        return [derive_seed(SEED, "trial", number) for number in range(self.num_trials)]


def quadratic(name: str, title: str, num_trials: int, step_time_s: float) -> Work:
    """Return trials of one iteration that sleep for a time and compute next to nothing."""
    return Work(
        name=name,
        title=title,
        trainer="hpo_app.training.models.quadratic:train",
        metric="loss",
        mode="min",
        num_trials=num_trials,
        model={"noise": 0.0, "step_time_s": step_time_s},
        data={},
        training={"iterations": 1},
        overrides=("search_space=quadratic", f"model.step_time_s={step_time_s}"),
        space=QUADRATIC_SPACE,
    )


def ppo(num_trials: int, iterations: int) -> Work:
    """Return trials of PPO on CartPole that differ in nothing but their seeds."""
    bounds = [f"search_space.{key}.{end}={value}" for key, value in PPO_NUMBERS.items()
              for end in ("low", "high")]  # fmt: skip
    values = [f"search_space.{key}.values=[{value}]".replace(" ", "")
              for key, value in {**PPO_COUNTS, **PPO_NETWORK}.items()]  # fmt: skip
    return Work(
        name="ppo",
        title=f"{num_trials} PPO trials of {4096 * iterations} steps",
        trainer="hpo_app.training.models.ppo:train",
        metric="eval_reward_mean",
        mode="max",
        num_trials=num_trials,
        model={
            "policy": "MlpPolicy",
            "device": "cpu",
            "hyperparameters": {**PPO_NUMBERS, **PPO_COUNTS},
            "network": PPO_NETWORK,
        },
        data=CARTPOLE,
        training={"iterations": iterations, "steps_per_iteration": 4096},
        overrides=("search_space=ppo", *bounds, *values),
    )


def make_work(name: str, num_trials: int | None = None, ppo_iterations: int = 5) -> Work:
    """Return one of the three works by name, at its usual or another number of trials."""
    if name == "noop":
        count = num_trials or 200
        return quadratic(name, f"{count} no-op trials", count, step_time_s=0.0)
    if name == "seconds":
        count = num_trials or 40
        return quadratic(name, f"{count} one-second trials", count, step_time_s=1.0)
    return ppo(num_trials or 10, ppo_iterations)


def train_trial(
    work: Work,
    seed: int,
    params: dict[str, Any],
    on_report: Callable[[int, dict[str, float]], None] | None = None,
) -> float:
    """Train one trial in this process and return what it reported last."""
    module, function = work.trainer.split(":")
    train = getattr(importlib.import_module(module), function)
    iterations = work.training["iterations"]
    trial = LocalTrial(work.metric, seed, iterations, params=params, on_report=on_report)
    train({**work.model, **params}, work.data, work.training, trial)
    return trial.reports[-1][work.metric]


@dataclass(frozen=True)
class Outcome:
    """What a contender has in hand when the last trial is done.

    Attributes:
        values: The last report of every trial, in any order.
        first_at: When the first report was in hand, seconds since the epoch.
    """

    values: list[float]
    first_at: float
