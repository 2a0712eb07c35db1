"""Can the winner be trusted: searches with and without a confirmation, at equal total budgets.

    python scripts/benchmarks/confirmation.py --data FOLDER [--kept FILE] [--seeds 34]
    python scripts/benchmarks/confirmation.py --data FOLDER --noise-aware [--seeds 8]

Simulated searches over PPO (quality/fresh_seeds.py): our searcher and early stopping, on four
workers, and beside them Ray Tune's and Optuna's own, whose claim is the best value that they saw. A
share of the budget goes to hpo_app's own race (analysis/race.py) and its claim
(analysis/claim.py's numbers), with seeds that the search never saw. Two questions: what is the
returned configuration really worth, and how often does the claimed interval hold that?

Searches are kept in `--kept`, a line each, and not repeated. `FOLDER` holds `arlbench/ppo_*.npz`
from ARLBench's published runs. Needs scikit-learn besides hpo_app.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any


sys.path.insert(0, str(Path(__file__).parent))

from quality.confirmed import METHODS, SHARES, TOTALS, search, tables
from quality.fresh_seeds import load_noisy_tasks
from quality.noise_aware import VARIANTS


if TYPE_CHECKING:
    from collections.abc import Iterator

    from quality.fresh_seeds import NoisyTask

_TASKS: dict[str, NoisyTask] = {}


def main() -> None:
    """Run the searches that are missing, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with arlbench/")
    parser.add_argument("--kept", type=Path, help="file that keeps the searches")
    parser.add_argument("--seeds", type=int, default=34)
    parser.add_argument("--naive-seeds", type=int, default=12, help="of Ray Tune, Optuna, GPs")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument(
        "--noise-aware", action="store_true", help="ours with ways to mind the noise instead"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        kept = arguments.kept or Path(scratch, "searches.jsonl")
        run_missing(arguments, kept)
        tasks = {each.task.name: each for each in load_noisy_tasks(arguments.data)}
        lines = [line for line in read(kept) if line["seed"] < arguments.seeds]
    if arguments.noise_aware:
        print(tables(lines, tasks, TOTALS, (0.0, 0.4), ours=tuple(VARIANTS)))
    else:
        print(tables(lines, tasks, TOTALS, SHARES))


def run_missing(arguments: argparse.Namespace, kept: Path) -> None:
    """Simulate every search that is not in the file yet."""
    names = [each.task.name for each in load_noisy_tasks(arguments.data)]
    known = {(line["task"], line["method"], line["seed"]) for line in read(kept)}
    methods = VARIANTS if arguments.noise_aware else METHODS
    few = ("ray-tune", "optuna", "fifo", "gp", "gp-exact")
    wanted = [
        (name, method, seed)
        for method in methods
        for seed in range(arguments.naive_seeds if method in few else arguments.seeds)
        for name in names
        if (name, method, seed) not in known
    ]
    wanted.sort(key=lambda each: each[2])  # What is cut off has all methods with fewer seeds.
    with (
        concurrent.futures.ProcessPoolExecutor(
            arguments.processes, initializer=_load, initargs=(arguments.data,)
        ) as pool,
        kept.open("a", encoding="utf-8") as file,
    ):
        for line in pool.map(_searched, wanted):
            file.write(json.dumps(line) + "\n")
            file.flush()


def read(kept: Path) -> Iterator[dict[str, Any]]:
    """Yield the searches that are kept."""
    if kept.exists():
        yield from map(json.loads, kept.read_text(encoding="utf-8").splitlines())


def _load(data: Path) -> None:
    warnings.simplefilter("ignore")
    _TASKS.update({each.task.name: each for each in load_noisy_tasks(data)})


def _searched(wanted: tuple[str, str, int]) -> dict[str, Any]:
    name, method, seed = wanted
    found = search(_TASKS[name].task, method, seed, {**METHODS, **VARIANTS})
    return {"task": name, "method": method, "seed": seed, "found": found}


if __name__ == "__main__":
    main()
