"""How near Optuna's measures of importance come to the truth, on functions whose truth is known.

    python scripts/benchmarks/importance.py [--seeds 12]

Each function adds up seven squares and one choice, with weights from 1 to 1/128, and some noise.
Its true shares are those of its variance over the whole space. Printed is the share that a measure
gives to the wrong parameters, on average over the functions, and how often it names the most
important one.
"""

from __future__ import annotations

import argparse
import random
import statistics
import warnings
from typing import TYPE_CHECKING

import numpy as np
import optuna
from optuna.importance import (
    FanovaImportanceEvaluator,
    PedAnovaImportanceEvaluator,
    get_param_importances,
)


if TYPE_CHECKING:
    from collections.abc import Callable

NUM_SQUARES = 7
NAMES = [f"p{place}" for place in range(NUM_SQUARES + 1)]
NOISE = 0.02
SAMPLERS = {"random": optuna.samplers.RandomSampler, "TPE": optuna.samplers.TPESampler}
MEASURES: dict[str, Callable[[int], optuna.importance.BaseImportanceEvaluator]] = {
    "PED-ANOVA, best tenth": lambda count: PedAnovaImportanceEvaluator(
        target_quantile=max(0.1, 5 / count)
    ),
    "PED-ANOVA, best quarter": lambda _: PedAnovaImportanceEvaluator(target_quantile=0.25),
    "fANOVA": lambda _: FanovaImportanceEvaluator(seed=0, n_trees=32),
}


class Function:
    """A sum of one term per parameter, drawn by a seed.

    Attributes:
        shares: True share of each parameter in the variance: `(parameters,)`.
    """

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self._weights = [2.0**-place for place in range(NUM_SQUARES + 1)]
        rng.shuffle(self._weights)
        self._best = [rng.random() for _ in range(NUM_SQUARES)]
        self._best_choice = rng.randrange(4)
        self._noise = random.Random(seed)
        draws = np.random.default_rng(0)
        points, choices = draws.random((4000, NUM_SQUARES)), draws.integers(0, 4, 4000)
        terms = [
            4 * weight * (points[:, place] - best) ** 2
            for place, (weight, best) in enumerate(zip(self._weights, self._best, strict=False))
        ]
        terms.append(self._weights[-1] * (choices != self._best_choice))
        variances = np.array([np.var(term) for term in terms])
        self.shares = variances / variances.sum()

    def __call__(self, trial: optuna.Trial) -> float:
        """Return the value at the point that a trial proposes."""
        total = 0.0
        for name, weight, best in zip(NAMES, self._weights, self._best, strict=False):
            total += 4 * weight * (trial.suggest_float(name, 0, 1) - best) ** 2
        choice = trial.suggest_categorical(NAMES[-1], [0, 1, 2, 3])
        total += self._weights[-1] * (choice != self._best_choice)
        return total + self._noise.gauss(0, NOISE)


def measured(sampler: str, count: int, num_seeds: int) -> dict[str, tuple[float, float]]:
    """Return `{measure: (wrong share, how often the first is right)}` after `count` trials."""
    wrong: dict[str, list[float]] = {name: [] for name in MEASURES}
    right: dict[str, list[bool]] = {name: [] for name in MEASURES}
    for seed in range(num_seeds):
        function = Function(seed)
        study = optuna.create_study(sampler=SAMPLERS[sampler](seed=seed))
        study.optimize(function, n_trials=count)
        for name, evaluator in MEASURES.items():
            found = get_param_importances(study, evaluator=evaluator(count), params=NAMES)
            shares = np.array([found[parameter] for parameter in NAMES])
            wrong[name].append(float(np.abs(shares - function.shares).sum() / 2))
            right[name].append(bool(np.argmax(shares) == np.argmax(function.shares)))
    return {name: (statistics.mean(wrong[name]), statistics.mean(right[name])) for name in MEASURES}


def main() -> None:
    """Print a table row per sampler, number of trials and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=12, help="functions, and draws of each")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print("| sampler | trials | measure | wrong share | first is right |")
    print("|---|---:|---|---:|---:|")
    for sampler in SAMPLERS:
        for count in (30, 100):
            for name, (wrong, right) in measured(sampler, count, arguments.seeds).items():
                print(f"| {sampler} | {count} | {name} | {wrong:.2f} | {right:.0%} |", flush=True)


if __name__ == "__main__":
    main()
