"""Forty evaluations of one Hydra app on a few workers, by Hydra's own sweepers and by ours.

    python scripts/benchmarks/hydra_app.py [--seeds 1 2 3] [--contenders NAME …] [--python PATH]
                                           [--slower FACTOR] [--workers 2]

An evaluation takes 0.5, 1, 2 or 4 seconds, by one of the three parameters, or FACTOR times as long:
what a sweep costs by itself counts for less then, and what its batches cost for as much. `basic` is
Hydra's basic launcher over a grid, one job at a time; `optuna-ray` and `optuna-joblib` are
hydra-optuna-sweeper with as many jobs a batch as there are workers. `hpo` is `hydra/sweeper=hpo` on
the same app, unedited; `hpo-asha` has it report after each epoch, so that a scheduler can stop it,
and `hpo-auto` takes a Gaussian process besides, in the place of TPE.
What lacks its packages is named and left out; `--python` names an interpreter that has them.
hypersweeper 0.2.3 is not among them: it writes into a config that Hydra 1.4 has made read-only, and
ends with a ReadonlyConfigError.

Utilisation is the time that the app trained, on all workers together, by the wall time from the
command's start to its end, times the workers. `as good` is when, from the command's start, an
evaluation had ended that is as good as the best one of the first contender with the same seed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import math
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path


HERE = Path(__file__).resolve().parent
APP = HERE / "contenders" / "hydra_app" / "train.py"
REPORTING = APP.with_name("train_reporting.py")
SPACE = [
    "lr=tag(log, interval(1e-4, 1.0))",
    "width=choice(0, 1, 2, 3)",
    "dropout=interval(0.0, 0.8)",
]
GRID = ["lr=1e-4,1e-3,1e-2,1e-1,1.0", "width=0,1,2,3", "dropout=0.2,0.5"]
NUM = 40
LIMIT_S = 600.0
EPOCH_S = 0.05


@dataclass(frozen=True)
class Contender:
    """One way to sweep the app.

    Attributes:
        app: The script.
        arguments: Behind `-m`; `{seed}` stands for the seed, `{workers}` for their number.
        needs: A package that may be missing.
    """

    app: Path
    arguments: tuple[str, ...]
    needs: str = "hydra"


OPTUNA = (
    "hydra/sweeper=optuna",
    f"hydra.sweeper.n_trials={NUM}",
    "hydra.sweeper.n_jobs={workers}",
    "hydra.sweeper.sampler.seed={seed}",
    *SPACE,
)
OURS = (
    "hydra/sweeper=hpo",
    f"hydra.sweeper.num_trials={NUM}",
    "hydra.sweeper.seed={seed}",
    "hydra.sweeper.ray.num_cpus={workers}",
    *SPACE,
)
FIFO = "hydra.sweeper.scheduler=fifo"
ASHA = ("hydra.sweeper.scheduler=asha", "hydra.sweeper.iterations=10")
CONTENDERS = {
    "basic": Contender(APP, tuple(GRID)),
    "optuna-ray": Contender(
        APP,
        (
            *OPTUNA,
            "hydra/launcher=ray",
            "+hydra.launcher.ray.init.num_cpus={workers}",
            "hydra.launcher.ray.init.address=local",
        ),
        "hydra_plugins.hydra_ray_launcher",
    ),
    "optuna-joblib": Contender(
        APP,
        (*OPTUNA, "hydra/launcher=joblib", "hydra.launcher.n_jobs={workers}"),
        "hydra_plugins.hydra_joblib_launcher",
    ),
    "hpo": Contender(APP, (*OURS, "hydra.sweeper.search_alg=optuna", FIFO)),
    "hpo-asha": Contender(REPORTING, (*OURS, "hydra.sweeper.search_alg=optuna", *ASHA)),
    "hpo-auto": Contender(REPORTING, (*OURS, "hydra.sweeper.search_alg=auto", *ASHA)),
}


def measure(
    contender: Contender, seed: int, options: argparse.Namespace
) -> tuple[dict[str, float], list[tuple[float, float]]]:
    """Run one sweep in a folder of its own; return what came out, and when which values had."""
    with tempfile.TemporaryDirectory() as place:
        evaluations = Path(place, "evaluations.jsonl")
        evaluations.touch()
        paths = [str(HERE.parents[1]), str(APP.parent), os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "EVALUATIONS": str(evaluations),
        }
        names = {"seed": seed, "workers": options.workers}
        arguments = [text.format(**names) for text in contender.arguments]
        arguments += [f"epoch_s={EPOCH_S * options.slower}"]
        out = Path(place, "out")
        began = time.time()
        with out.open("wb") as file:
            process = subprocess.Popen(
                [
                    *(options.python, str(contender.app), "-m", *arguments),
                    f"hydra.sweep.dir={place}/sweep",
                ],
                cwd=place,
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(LIMIT_S * options.slower)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                code = process.wait()
        seconds = time.time() - began
        if code:
            sys.stderr.write(out.read_text(errors="replace")[-2000:])
        lines = [json.loads(line) for line in evaluations.read_text().splitlines()]
    busy = sum(line["ended"] - line["started"] for line in lines)
    told = {
        "seconds": seconds,
        "code": code,
        "evaluations": len(lines),
        "trained": busy,
        "utilisation": busy / (options.workers * seconds),
        "best": min((line["value"] for line in lines), default=math.nan),
    }
    return told, sorted((line["ended"] - began, line["value"]) for line in lines)


def _as_good(ends: list[tuple[float, float]], value: float) -> float:
    """Return when an evaluation that is as good as a value had ended."""
    return next((seconds for seconds, found in ends if found <= value), math.inf)


def _is_there(package: str, python: str) -> bool:
    if python == sys.executable:
        try:
            return importlib.util.find_spec(package) is not None
        except ModuleNotFoundError:
            return False
    return not subprocess.run([python, "-c", f"import {package}"], check=False).returncode


def main() -> None:
    """Measure each contender once per seed, in turns, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--slower", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    chosen = []
    for name in options.contenders:
        if _is_there(CONTENDERS[name].needs, options.python):
            chosen.append(name)
        else:
            print(f"left out: {name}, there is no {CONTENDERS[name].needs}", flush=True)
    got: dict[str, list[dict[str, float]]] = {name: [] for name in chosen}
    # In turns: what else the machine does meets all alike.
    for seed in options.seeds:
        goal = math.nan
        for name in chosen:
            result, ends = measure(CONTENDERS[name], seed, options)
            goal = result["best"] if name == chosen[0] else goal
            result["as good"] = _as_good(ends, goal)
            got[name].append(result)
            print(f"seed {seed}, {name}: {result}", file=sys.stderr, flush=True)
    columns = ["seconds", "as good", "trained s", "utilisation", "best value", "evaluations"]
    print(f"| sweep | {' | '.join(columns)} | exit codes |")
    print(f"| --- |{' ---: |' * 7}")
    for name, results in got.items():
        middle = {
            key: statistics.median(result[key] for result in results)
            for key in ("seconds", "as good", "trained", "utilisation", "best", "evaluations")
        }
        codes = sorted({int(result["code"]) for result in results})
        print(
            f"| {name} | {middle['seconds']:.1f} | {middle['as good']:.1f} | "
            f"{middle['trained']:.1f} | "
            f"{middle['utilisation']:.0%} | {middle['best']:.3f} | {middle['evaluations']:.0f} | "
            f"{', '.join(map(str, codes))} |"
        )


if __name__ == "__main__":
    main()
