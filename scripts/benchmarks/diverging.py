"""What a sampler finds where a part of the space diverges, as too high a learning rate does.

    python scripts/benchmarks/diverging.py [--trials 30] [--seeds 10]

A bowl over three parameters, at its least 0; where the first one is above 0.7, the loss is 10 to
1e9 instead. Each sampler searches the same seeds; the best loss of each search counts.
"""

from __future__ import annotations

import argparse
import functools
import statistics
import sys
import time

import optuna
import torch

from hpo_app.search.gaussian import GaussianProcess


SAMPLERS = {
    "random": lambda seed: optuna.samplers.RandomSampler(seed=seed),
    "TPE": lambda seed: optuna.samplers.TPESampler(seed=seed),
    "Optuna's Gaussian process": lambda seed: optuna.samplers.GPSampler(seed=seed),
    "the same, fenced": lambda seed: GaussianProcess(seed=seed),
}
BEST = (0.3, 0.6, 0.2)
EDGE = 0.7


def loss(trial: optuna.Trial, *, diverges: bool) -> float:
    """Return the loss of one training."""
    place = [trial.suggest_float(f"x{axis}", 0.0, 1.0) for axis in range(len(BEST))]
    if diverges and place[0] > EDGE:
        return 10.0 ** (1.0 + 8.0 * (place[0] - EDGE) / (1.0 - EDGE))
    return sum((at - best) ** 2 for at, best in zip(place, BEST, strict=True))


def main() -> None:
    """Search with each sampler, with and without the part that diverges, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    print(f"best loss after {options.trials} trials, median (worst) of {options.seeds} seeds\n")
    print("| sampler | a part diverges | nothing does |\n| --- | ---: | ---: |")
    for name, sampler in SAMPLERS.items():
        cells = []
        for diverges in (True, False):
            found, started = [], time.monotonic()
            for seed in range(options.seeds):
                study = optuna.create_study(sampler=sampler(seed))
                study.optimize(functools.partial(loss, diverges=diverges), options.trials)
                found.append(study.best_value)
                left = (time.monotonic() - started) / (seed + 1) * (options.seeds - seed - 1)
                print(f"{name}: {seed + 1} of {options.seeds}, {left:.0f} s", file=sys.stderr)
            cells.append(f"{statistics.median(found):.5f} ({max(found):.5f})")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
