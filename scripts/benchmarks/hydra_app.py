"""Forty evaluations of one Hydra app on two workers, by Hydra's own sweepers and by ours.

    python scripts/benchmarks/hydra_app.py [--seeds 1 2 3] [--contenders NAME …] [--python PATH]

An evaluation takes 0.5, 1, 2 or 4 seconds, by one of the three parameters. `basic` is Hydra's basic
launcher over a grid, one job at a time; `optuna-ray` and `optuna-joblib` are hydra-optuna-sweeper
with two jobs a batch. `hpo` is `hydra/sweeper=hpo` on the same app, unedited; `hpo-asha` has it
report after each epoch, so that a scheduler can stop it. What lacks its packages is named and left
out; `--python` names an interpreter that has them. hypersweeper 0.2.3 is not among them: it writes
into a config that Hydra 1.4 has made read-only, and ends with a ReadonlyConfigError.

Utilisation is the time that the app trained, on both workers together, by twice the wall time from
the command's start to its end. The best value is what the app's formula gives for the best
configuration after a whole training.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
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
WORKERS = 2
LIMIT_S = 600.0


@dataclass(frozen=True)
class Contender:
    """One way to sweep the app.

    Attributes:
        app: The script.
        arguments: Behind `-m`; `{seed}` stands for the seed.
        needs: A package that may be missing.
    """

    app: Path
    arguments: tuple[str, ...]
    needs: str = "hydra"


OPTUNA = (
    "hydra/sweeper=optuna",
    f"hydra.sweeper.n_trials={NUM}",
    f"hydra.sweeper.n_jobs={WORKERS}",
    "hydra.sweeper.sampler.seed={seed}",
    *SPACE,
)
OURS = (
    "hydra/sweeper=hpo",
    f"hydra.sweeper.num_trials={NUM}",
    "hydra.sweeper.seed={seed}",
    f"hydra.sweeper.ray.num_cpus={WORKERS}",
    "hydra.sweeper.search_alg=optuna",
    *SPACE,
)
CONTENDERS = {
    "basic": Contender(APP, tuple(GRID)),
    "optuna-ray": Contender(
        APP,
        (
            *OPTUNA,
            "hydra/launcher=ray",
            f"+hydra.launcher.ray.init.num_cpus={WORKERS}",
            "hydra.launcher.ray.init.address=local",
        ),
        "hydra_plugins.hydra_ray_launcher",
    ),
    "optuna-joblib": Contender(
        APP,
        (*OPTUNA, "hydra/launcher=joblib", f"hydra.launcher.n_jobs={WORKERS}"),
        "hydra_plugins.hydra_joblib_launcher",
    ),
    "hpo": Contender(APP, (*OURS, "hydra.sweeper.scheduler=fifo")),
    "hpo-asha": Contender(
        REPORTING, (*OURS, "hydra.sweeper.scheduler=asha", "hydra.sweeper.iterations=10")
    ),
}


def measure(contender: Contender, seed: int, python: str) -> dict[str, float | str]:
    """Run one sweep in a folder of its own and return what came out."""
    with tempfile.TemporaryDirectory() as place:
        evaluations = Path(place, "evaluations.jsonl")
        evaluations.touch()
        paths = [str(HERE.parents[1]), str(APP.parent), os.environ.get("PYTHONPATH", "")]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "EVALUATIONS": str(evaluations),
        }
        arguments = [text.format(seed=seed) for text in contender.arguments]
        out = Path(place, "out")
        began = time.time()
        with out.open("wb") as file:
            process = subprocess.Popen(
                [python, str(contender.app), "-m", *arguments, f"hydra.sweep.dir={place}/sweep"],
                cwd=place,
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                code = process.wait(LIMIT_S)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                code = process.wait()
        seconds = time.time() - began
        if code:
            sys.stderr.write(out.read_text(errors="replace")[-2000:])
        return {"seconds": seconds, "code": code, **_told(evaluations, seconds)}


def _told(evaluations: Path, seconds: float) -> dict[str, float]:
    lines = [json.loads(line) for line in evaluations.read_text().splitlines()]
    busy = sum(line["ended"] - line["started"] for line in lines)
    return {
        "evaluations": len(lines),
        "trained": busy,
        "utilisation": busy / (WORKERS * seconds),
        "best": min((line["value"] for line in lines), default=float("nan")),
    }


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
    options = parser.parse_args()
    chosen = []
    for name in options.contenders:
        if _is_there(CONTENDERS[name].needs, options.python):
            chosen.append(name)
        else:
            print(f"left out: {name}, there is no {CONTENDERS[name].needs}", flush=True)
    got: dict[str, list[dict[str, float | str]]] = {name: [] for name in chosen}
    # In turns: what else the machine does meets all alike.
    for seed in options.seeds:
        for name in chosen:
            result = measure(CONTENDERS[name], seed, options.python)
            got[name].append(result)
            print(f"seed {seed}, {name}: {result}", file=sys.stderr, flush=True)
    print("| sweep | seconds | trained s | utilisation | best value | evaluations | exit codes |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, results in got.items():
        middle = {
            key: statistics.median(float(result[key]) for result in results)
            for key in ("seconds", "trained", "utilisation", "best", "evaluations")
        }
        codes = sorted({int(result["code"]) for result in results})
        print(
            f"| {name} | {middle['seconds']:.1f} | {middle['trained']:.1f} | "
            f"{middle['utilisation']:.0%} | {middle['best']:.3f} | {middle['evaluations']:.0f} | "
            f"{', '.join(map(str, codes))} |"
        )


if __name__ == "__main__":
    main()
