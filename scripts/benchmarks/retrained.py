"""What a run claims of its winner, beside what ten further trainings of it come to.

    python scripts/benchmarks/retrained.py RUN [--seeds 10] [--first 900000] [--processes 2]

The winner and the default configuration of a finished run are trained anew outside of it, with
seeds that neither its search nor its confirmation used, and the interquartile mean of each is put
beside the interval that the run claimed. Only the run's folder is read, and nothing is written.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import itertools
import json
import statistics
import sys
import time
from pathlib import Path

from hpo_app import HPOptimizer, TrainingEngine
from hpo_app.analysis.robust import interquartile_mean


def train(run: str, number: int, seed: int) -> float:
    """Return the last value of one training of a trial's configuration."""
    results = HPOptimizer().load_results(run)
    reports = TrainingEngine().fit(**results.config(number), metric=results.metric, seed=seed)
    return reports[-1][results.metric]


def main() -> None:
    """Train, and print what came out beside the claim."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first", type=int, default=900_000, help="the first seed")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    results = HPOptimizer().load_results(options.run)
    claim = results.claim
    if claim is None or results.best_trial is None:
        sys.exit(f"{options.run} has no confirmed winner: go on with it by confirm=standard")
    used = {trial.seed for trial in (*results.study.trials, *results.study.fresh)}
    used |= {trial.typed_seed or 0 for trial in results.study.fresh}
    unused = (seed for seed in itertools.count(options.first) if seed not in used)
    seeds = list(itertools.islice(unused, options.seeds))
    numbers = {claim.winner.trial: claim.winner}
    if claim.default is not None:
        numbers[claim.default.trial] = claim.default
    jobs = [(str(options.run), number, seed) for seed in seeds for number in numbers]
    started, values = time.monotonic(), {number: [] for number in numbers}
    with concurrent.futures.ProcessPoolExecutor(options.processes) as pool:
        for done, (job, value) in enumerate(
            zip(jobs, pool.map(train, *zip(*jobs, strict=True)), strict=True), 1
        ):
            values[job[1]].append(value)
            left = (time.monotonic() - started) / done * (len(jobs) - done)
            print(f"{done} of {len(jobs)}, about {left:.0f} s left", file=sys.stderr, flush=True)
    print(" ".join(claim.sentences))
    for number, worth in numbers.items():
        mean = interquartile_mean(values[number])
        low, high = (worth.interval.low, worth.interval.high) if worth.interval else (None, None)
        print(
            json.dumps(
                {
                    "trial": number,
                    "is_winner": number == claim.winner.trial,
                    "claimed": worth.mean,
                    "low": low,
                    "high": high,
                    "retrained_iqm": mean,
                    "retrained_mean": statistics.fmean(values[number]),
                    "values": values[number],
                    # Of values that are all equal there is no interval.
                    "is_within": mean == worth.mean if low is None else low <= mean <= high,
                }
            )
        )


if __name__ == "__main__":
    main()
