"""What a trial costs the driver as trials grow in number: 100, 1 000 and 10 000 that do nothing.

hpo_app and a Ray Tune script with `reuse_actors`, each in a fresh process, random search, two
workers. Reported are seconds and driver CPU per trial, the driver's largest memory, the bytes
that a run leaves on disk, and how the cost of one more trial grows between the sizes.

    python scripts/benchmarks/scale.py                         all of it
    python scripts/benchmarks/scale.py --sizes 100 1000 --skip plain-tune-reuse

Exit code 1 if a trial costs hpo_app's driver more than 1.5 times as much between the two largest
sizes as up to the one before.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from contenders.work import make_work


CONTENDERS = {
    "hpo_app": ("contenders.through_hpo_app", {}),
    "plain-tune-reuse": ("contenders.plain_tune", {"reuse_actors": True}),
}
_MOST_GROWTH = 1.5
_GUESS_S = {"hpo_app": 0.04, "plain-tune-reuse": 0.08}


def main() -> int:
    """Measure every contender at every size, or one of them here."""
    options = _options()
    if options.here:
        print(json.dumps(measure(options.here, options.sizes[0])))
        return 0
    jobs = [
        (size, name) for size in options.sizes for name in CONTENDERS if name not in options.skip
    ]
    rows = []
    for place, (size, name) in enumerate(jobs):
        left = sum(_GUESS_S[who] * count + 10 for count, who in jobs[place:])
        print(
            f"[{place + 1}/{len(jobs)}] {name}, {size} trials; about {left:.0f} s left", flush=True
        )
        rows.append(in_child(name, size, options.limit_s))
    growth = _growth(rows)
    print("\n".join(["", *_table(rows), "", *_sentences(growth)]))
    if options.out:
        found = {"rows": rows, "growth": growth}
        options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 1 if growth.get("hpo_app", 0.0) > _MOST_GROWTH else 0


def measure(name: str, size: int) -> dict[str, Any]:
    """Run one contender in this process."""
    module, settings = CONTENDERS[name]
    contender = importlib.import_module(module)
    work = make_work("noop", size)
    with tempfile.TemporaryDirectory() as folder:
        contender.start()
        began, cpu = time.monotonic(), time.process_time()
        outcome = contender.run(work, Path(folder), **settings)
        seconds, cpu_s = time.monotonic() - began, time.process_time() - cpu
        contender.stop()
        if len(outcome.values) != size:
            raise SystemExit(f"{len(outcome.values)} of {size} trials have a result")
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        journal = sum(path.stat().st_size for path in files if path.name == "journal.jsonl")
        kept = sum(path.stat().st_size for path in files)
    return {
        "contender": name,
        "trials": size,
        "seconds": seconds,
        "cpu_s": cpu_s,
        # Linux counts it in KiB.
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "journal_bytes": journal,
        "kept_bytes": kept,
    }


def in_child(name: str, size: int, limit_s: float) -> dict[str, Any]:
    """Run one contender in a process of its own; one that takes too long has no figures."""
    command = [sys.executable, __file__, "--here", name, "--sizes", str(size)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=True)
    except subprocess.TimeoutExpired:
        return {"contender": name, "trials": size, "over_s": limit_s}
    except subprocess.CalledProcessError as error:
        sys.exit(f"{name} at {size} trials failed:\n{error.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _growth(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return driver CPU of one more trial between the two largest sizes, over that before."""
    found = {}
    for name in CONTENDERS:
        known = [row for row in rows if row["contender"] == name and "cpu_s" in row]
        if len(known) < 3:
            continue
        small, middle, large = known[-3:]
        before = (middle["cpu_s"] - small["cpu_s"]) / (middle["trials"] - small["trials"])
        after = (large["cpu_s"] - middle["cpu_s"]) / (large["trials"] - middle["trials"])
        found[name] = after / before
    return found


def _table(rows: list[dict[str, Any]]) -> list[str]:
    text = [
        "| trials | contender | ms a trial | driver CPU, ms a trial | memory, MB | journal, "
        "bytes a trial | on disk, bytes a trial |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for row in rows:
        count, head = row["trials"], f"| {row['trials']} | {row['contender']} "
        if "over_s" in row:
            text.append(f"{head}| not ended after {row['over_s']:.0f} s | | | | |")
            continue
        text.append(
            f"{head}| {1000 * row['seconds'] / count:.1f} | {1000 * row['cpu_s'] / count:.1f} "
            f"| {row['memory_mb']:.0f} | {row['journal_bytes'] / count:.0f} "
            f"| {row['kept_bytes'] / count:.0f} |"
        )
    return text


def _sentences(growth: dict[str, float]) -> list[str]:
    return [
        f"{name}: one more trial costs the driver {value:.2f} times as much between the two "
        "largest sizes as up to there."
        for name, value in growth.items()
    ]


def _options() -> argparse.Namespace:
    formatter = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=formatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--skip", nargs="*", choices=list(CONTENDERS), default=[])
    parser.add_argument("--limit-s", type=float, default=1800.0, help="for one contender")
    parser.add_argument("--out", type=Path, help="the figures as JSON")
    parser.add_argument("--here", choices=list(CONTENDERS), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
