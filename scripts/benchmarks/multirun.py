"""Six quick searches by one command, with ours and with a hand-written script under the plugin.

python scripts/benchmarks/multirun.py [--dying] [--contenders basic ray plain plain-set]

basic and ray are hpo_app with Hydra's basic launcher and with hydra/launcher=ray. plain is
hydra-ray-launcher as it comes, around contenders/plain_sweep.py; plain-set is the same with
num_cpus=0 and max_retries=0. With --dying, the second of the six searches kills its process.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path


HERE = Path(__file__).resolve().parent
SEEDS = "seed=1,2,3,4,5,6"
DYING = 2
OURS = [
    "-m",
    "hpo_app",
    "-m",
    "search_space=quadratic",
    "preset=quick_test",
    "search_alg._target_=contenders.dying_search.Sampler",
    "+search_alg.search=${seed}",
    "trusted_modules=[contenders]",
    "ray.num_cpus=2",
]
PLAIN = [
    str(HERE / "contenders" / "plain_sweep.py"),
    "-m",
    "hydra/launcher=ray",
    "+hydra.launcher.ray.init.num_cpus=2",
    "hydra.launcher.ray.init.address=local",
]
CONTENDERS = {
    "basic": OURS,
    "ray": [*OURS, "hydra/launcher=ray"],
    "plain": PLAIN,
    "plain-set": [
        *PLAIN,
        "+hydra.launcher.ray.remote.num_cpus=0",
        "+hydra.launcher.ray.remote.max_retries=0",
    ],
}


def measure(arguments: list[str], *, dying: bool, limit_s: float) -> dict[str, object]:
    """Run a sweep in a folder of its own, and return what is to be known of it."""
    with tempfile.TemporaryDirectory() as place:
        starts = Path(place, "starts")
        starts.touch()
        path = os.pathsep.join([str(HERE), str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")])
        environment = {**os.environ, "PYTHONPATH": path, "DYING_STARTS": str(starts)}
        environment |= {"DYING_SEED": str(DYING)} if dying else {}
        began = time.monotonic()
        with (Path(place, "out")).open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, *arguments, SEEDS, "hydra.sweep.dir=sweep"],
                cwd=place,
                env=environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            code = ended(process, limit_s)
        return {
            "seconds": time.monotonic() - began,
            "code": code,
            "ended": sum(is_whole(folder) for folder in Path(place, "sweep").glob("[0-9]")),
            "starts": Counter(starts.read_text().split())[str(DYING)],
            "lines": len(Path(place, "out").read_bytes().splitlines()),
        }


def ended(process: subprocess.Popen[bytes], limit_s: float) -> str:
    """Return the exit code of a process, or that it hung."""
    try:
        return str(process.wait(limit_s))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        time.sleep(5)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return "hung"


def is_whole(folder: Path) -> bool:
    """Return whether a search has five results of three iterations."""
    journal = folder / "journal.jsonl"
    if journal.exists():
        return journal.read_text().count('"state":"finished"') == 5
    results = [path.read_text().splitlines() for path in folder.rglob("result.json")]
    return sum(len(lines) >= 3 for lines in results) == 5


def main() -> None:
    """Measure each contender once, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    parser.add_argument("--dying", action="store_true", help="let one of the six die")
    parser.add_argument("--limit-s", type=float, default=300.0, help="after which one has hung")
    options = parser.parse_args()
    print("| sweep | seconds | searches whole, of 6 | starts of search 2 | lines | exit code |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |", flush=True)
    for name in options.contenders:
        got = measure(CONTENDERS[name], dying=options.dying, limit_s=options.limit_s)
        row = [name, f"{got['seconds']:.0f}", got["ended"], got["starts"], got["lines"]]
        print(f"| {' | '.join(map(str, [*row, got['code']]))} |", flush=True)


if __name__ == "__main__":
    main()
