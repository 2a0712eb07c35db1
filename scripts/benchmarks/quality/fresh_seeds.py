"""PPO with as much luck as it has: what the seeds of real runs did, as noise upon a smooth surface.

A forest over single seeds averages their luck away. Here a forest over the mean of some seeds
gives the level, and runs differ from it as those of the configuration's neighbours did: each tree
names one of them. 3 of 10 seeds are for searches; what a configuration is worth, and
what fresh trainings of it come to, is told by the 7 that were held back.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hpo_app.analysis.robust import interquartile_mean
from quality.tasks import ARLBENCH, SCORE_SEEDS, TUNE_SEEDS, Task, arlbench_entry


if TYPE_CHECKING:
    from pathlib import Path

    from hpo_app.plan.search_space import Params

_TREES = 60


@dataclass(frozen=True)
class NoisyTask:
    """A task whose trials are lucky or not.

    Attributes:
        task: What a search sees; `final` is the true loss, the interquartile mean over seeds.
        population: The losses at full length that fresh seeds lead to, each as likely.
    """

    task: Task
    population: Any

    def fresh(self, params: Params, seed: int) -> float:
        """Return the loss of a full training with a seed that no search saw."""
        losses = self.population(params)
        key = [seed, *np.array(list(params.values()), np.float64).view(np.uint32).tolist()]
        return float(losses[np.random.default_rng(key).integers(len(losses))])


def load_noisy_tasks(data: Path) -> list[NoisyTask]:
    """Return the six tasks over PPO of ARLBench."""
    return [_make(data / "arlbench", name) for name in ARLBENCH]


class _Forest:
    """A smooth level over configurations, and runs around it that are as lucky as real ones.

    Args:
        inputs: `[configuration, hyperparameter]`.
        returns: `[configuration, seed, iteration]`, of the seeds in question.
    """

    def __init__(self, inputs: np.ndarray, returns: np.ndarray) -> None:
        from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415 - optional

        level, count = returns.mean(axis=1), returns.shape[1]
        # So few seeds lie nearer to their own mean than to the true one.
        self._luck = (returns - level[:, None, :]) * (count / (count - 1)) ** 0.5
        self._bounds = float(returns.min()), float(returns.max())
        forest = RandomForestRegressor(_TREES, max_features=0.5, random_state=0)
        forest.fit(inputs, level)
        self._trees = [each.tree_ for each in forest.estimators_]
        leaves = forest.apply(inputs.astype(np.float32))
        # Of each tree, a configuration that stands in a leaf.
        self._in_leaf = [dict(zip(column, range(len(inputs)), strict=True)) for column in leaves.T]

    def losses(self, row: tuple[float, ...]) -> np.ndarray:
        """Return every run that might be, each as likely: `[tree and seed, iteration]`."""
        place = np.array([row], np.float32)
        level = np.mean([tree.predict(place).reshape(-1) for tree in self._trees], axis=0)
        donors = [
            in_leaf[tree.apply(place)[0]]
            for in_leaf, tree in zip(self._in_leaf, self._trees, strict=True)
        ]
        runs = level + self._luck[donors].reshape(-1, self._luck.shape[2])
        return -np.clip(runs, *self._bounds)


def _make(folder: Path, name: str) -> NoisyTask:
    table = np.load(folder / f"ppo_{name}.npz", allow_pickle=False)
    names = [str(each) for each in table["hp"]]
    space = json.loads(str(table["space"]))
    inputs, returns = table["X"], np.nan_to_num(table["Y"], nan=float(np.nanmin(table["Y"])))
    forests = {
        seeds: functools.cache(lambda seeds=seeds: _Forest(inputs, returns[:, list(seeds), :]))
        for seeds in (TUNE_SEEDS, SCORE_SEEDS)
    }

    @functools.lru_cache(maxsize=100_000)
    def losses(seeds: tuple[int, ...], row: tuple[float, ...]) -> np.ndarray:
        return forests[seeds]().losses(row)

    def row_of(params: Params) -> tuple[float, ...]:
        return tuple(float(params[each]) for each in names)  # type: ignore[arg-type]

    def curve(params: Params, seed: int) -> list[float]:
        runs = losses(TUNE_SEEDS, row_of(params))
        return [float(value) for value in runs[np.random.default_rng(seed).integers(len(runs))]]

    def population(params: Params) -> np.ndarray:
        return losses(SCORE_SEEDS, row_of(params))[:, -1]

    def final(params: Params) -> float:
        return interquartile_mean(list(population(params)))

    entries = {each: arlbench_entry(space[each]) for each in names}
    return NoisyTask(Task(f"ppo/{name}", entries, returns.shape[2], curve, final), population)
