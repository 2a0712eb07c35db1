"""The same 200 one-second trials on 1, 2, 4 and 8 simulated nodes of one slot each.

The nodes are Ray's own for tests, all on this machine, and the trials sleep, so that cores matter
for the start of the workers only. Efficiency is the time that the slots need without any loss over
the time that was measured: whole, and from when the workers are up. Beside it stands what one
result costs the driver, by trials of many reports that do nothing, and from that how many slots one
driver can keep busy.

    python scripts/benchmarks/cluster.py                      all of it, ten minutes
    python scripts/benchmarks/cluster.py --nodes 1 2 --trials 20

Exit code 1 if the efficiency at the most nodes is below 0.9 once the workers are up.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contenders import through_hpo_app
from contenders.work import quadratic

from hpo_app.study.replay import load_study
from hpo_app.tuning.session import SETTINGS


if TYPE_CHECKING:
    from hpo_app.study.records import Study

LEAST = 0.9
# Enough reports that the start and the end of a run weigh nothing.
TRIALS_OF_MANY, REPORTS_OF_MANY = 20, 200


def main() -> int:
    """Measure each number of nodes in a process of its own, and print what came out."""
    options = _options()
    if options.here:
        print(json.dumps(measure(options.here, options.trials, is_many=options.many)))
        return 0
    rows = []
    for count in options.nodes:
        print(f"{count} nodes, {options.trials} one-second trials", flush=True)
        rows.append(in_child(count, options.trials))
    print(f"the cost of a result: {TRIALS_OF_MANY} trials of {REPORTS_OF_MANY} reports", flush=True)
    many = in_child(2, TRIALS_OF_MANY, "--many")
    print("\n".join(["", *_table(rows), "", *_sentences(rows[-1], many)]))
    return 1 if rows[-1]["up"] < LEAST else 0


def in_child(nodes: int, trials: int, *flags: str) -> dict[str, Any]:
    """Measure in a process of its own, which no earlier Ray has touched."""
    command = [sys.executable, __file__, "--here", str(nodes), "--trials", str(trials), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{nodes} nodes failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def measure(nodes: int, trials: int, *, is_many: bool) -> dict[str, Any]:
    """Run the trials on so many nodes of one slot, in this process."""
    os.environ.update(SETTINGS)
    import ray  # noqa: PLC0415 - it reads the settings when it is imported
    from ray.cluster_utils import Cluster  # noqa: PLC0415

    logging.getLogger("ray").setLevel(logging.CRITICAL)
    one = {"num_cpus": 1, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=one)
    for _ in range(nodes - 1):
        cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.CRITICAL)
    work = quadratic("cluster", "", trials, step_time_s=0.0 if is_many else 1.0)
    work.training["iterations"] = REPORTS_OF_MANY if is_many else 1
    with tempfile.TemporaryDirectory() as folder:
        began, cpu = time.monotonic(), time.process_time()
        through_hpo_app.run(work, Path(folder))
        seconds, cpu_s = time.monotonic() - began, time.process_time() - cpu
        study = load_study(Path(folder))
    ray.shutdown()
    cluster.shutdown()
    ideal = math.ceil(trials / nodes)
    return {
        "at_once": _at_once(study),
        "nodes": nodes,
        "trials": trials,
        "seconds": seconds,
        "cpu_s": cpu_s,
        "whole": ideal / seconds,
        "up": ideal / _seconds_up(study),
    }


def _at_once(study: Study) -> list[tuple[float, int]]:
    """Return how many trials trained at once at some moments, in seconds since the start."""
    spans = [(trial.started_s or 0.0, trial.ended_s or 0.0) for trial in study.trials]
    last = max(end for _, end in spans)
    moments = [last * part / 10 for part in range(1, 10)]
    return [(round(at, 1), sum(start <= at < end for start, end in spans)) for at in moments]


def _seconds_up(study: Study) -> float:
    """Return the seconds from when the first trial began to train to the last report."""
    at = [report.at_s for trial in study.trials for report in trial.reports]
    return max(at) - min(at) + 1.0


def _table(rows: list[dict[str, Any]]) -> list[str]:
    text = [
        "| nodes of one slot | seconds | efficiency, the start of the workers included "
        "| efficiency once they are up | driver CPU, ms a trial |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        per_trial = 1000 * row["cpu_s"] / row["trials"]
        text.append(
            f"| {row['nodes']} | {row['seconds']:.1f} | {row['whole']:.2f} | {row['up']:.2f} "
            f"| {per_trial:.1f} |"
        )
    return text


def _sentences(row: dict[str, Any], many: dict[str, Any]) -> list[str]:
    per_trial = row["cpu_s"] / row["trials"]
    per_report = many["cpu_s"] / (TRIALS_OF_MANY * REPORTS_OF_MANY)
    return [
        f"A report costs the driver {1000 * per_report:.1f} ms of CPU where trials report without "
        f"a break ({TRIALS_OF_MANY * REPORTS_OF_MANY / many['seconds']:.0f} reports a second), and "
        f"a whole trial of one report {1000 * per_trial:.1f} ms.",
        f"So one driver keeps up with {1 / per_report:.0f} reports a second: with as many slots "
        f"whose iterations take a second, or {60 / per_report:.0f} whose iterations take a minute; "
        f"and it starts and ends {1 / per_trial:.0f} trials a second.",
    ]


def _options() -> argparse.Namespace:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--nodes", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--many", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--here", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
