"""What one driver can do by its parts: the journal, the search algorithm, the reading of it all.

No Ray and no trials: each part is called as a run calls it, and its time is taken. Beside
`cluster.py`, which measures the whole of it, this says which part binds first.

    python scripts/benchmarks/limits.py [--folder FOLDER]     FOLDER is on the disk to measure
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.search.engine import Outcome
from hpo_app.study.journal import FILE_NAME, Journal, read_events
from hpo_app.study.records import Report, TrialState
from hpo_app.training.checkpoint import checkpoint_checksum, read_iteration, write_iteration
from hpo_app.tuning.engines import make_engine
from hpo_app.tuning.opening import opened_fields


TOGETHER = (1, 10, 100, 1000)
SIZES = (100, 1000, 10_000)
WORKERS = 10_000
_REPEATS, _PROPOSALS = 30, 5


def main() -> None:
    """Measure, and print tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder by itself")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        print("| reports that share an fsync | ms each | of it fsync | reports a second |")
        print("| ---: | ---: | ---: | ---: |")
        for count in TOGETHER:
            written, synced = journal(Path(folder, str(count)), count)
            each = (written + synced) / count
            print(f"| {count} | {1000 * each:.3f} | {synced / count / each:.0%} | {1 / each:.0f} |")
        reading(Path(folder, str(TOGETHER[-1])) / FILE_NAME)
        files(Path(folder))
    print("\n| trials told before | ms to propose by TPE | ms at random |")
    print("| ---: | ---: | ---: |", flush=True)
    learnt, drawn = proposing("optuna"), proposing("random")
    for size in SIZES:
        print(f"| {size} | {1000 * learnt[size]:.1f} | {1000 * drawn[size]:.2f} |")


def journal(folder: Path, count: int) -> tuple[float, float]:
    """Return the seconds to write so many reports, and those to sync them; means of some turns."""
    folder.mkdir()
    book = Journal.create(folder / FILE_NAME)
    plan = parse_plan(*compose_config(["search_space=quadratic"]))
    book.append("opened", **opened_fields(plan, folder, {}, ()))
    for number in range(count):
        params = dict(plan.space.defaults)
        book.append("asked", trial=number, params=params, is_default=not number, seed=number)
        book.append("started", trial=number)
    book.sync()
    written = synced = 0.0
    for turn in range(_REPEATS):
        began = time.perf_counter()
        for number in range(count):
            metrics = {"loss": 0.1 + number, "accuracy": 0.5, "seconds": 1.25}
            book.append("reported", trial=number, iteration=turn + 1, metrics=metrics)
        after = time.perf_counter()
        book.sync()
        written, synced = written + after - began, synced + time.perf_counter() - after
    book.close()
    return written / _REPEATS, synced / _REPEATS


def reading(path: Path) -> None:
    """Say how long a start that goes on takes to read what is there."""
    began = time.perf_counter()
    number = sum(1 for _ in read_events(path))
    seconds = time.perf_counter() - began
    size = path.stat().st_size
    each = f"{1e6 * seconds / number:.0f} µs and {size / number:.0f} bytes an event"
    print(f"\nto read {number} events took {seconds:.2f} s: {each}", flush=True)


def files(folder: Path) -> None:
    """Say what the driver and each starting worker do with files that all nodes share."""
    workers, checkpoint = folder / "workers", folder / "checkpoint"
    workers.mkdir()
    checkpoint.mkdir()
    for number in range(WORKERS):
        (workers / str(number)).touch()
    write_iteration(checkpoint, 1)
    began = time.perf_counter()
    count = len(list(workers.iterdir()))
    listed = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(_REPEATS):
        read_iteration(checkpoint)
        checkpoint_checksum(checkpoint)
    known = (time.perf_counter() - began) / _REPEATS
    print(
        f"to see that {count} workers are up takes each of them {1000 * listed:.0f} ms a look, and "
        f"to take note of a checkpoint takes the driver {1000 * known:.2f} ms, on this disk",
        flush=True,
    )


def proposing(search_alg: str) -> dict[int, float]:
    """Return the seconds of one proposal after so many trials."""
    plan = parse_plan(*compose_config(["search_space=quadratic", f"search_alg={search_alg}"]))
    engine, source = make_engine(plan), random.Random(0)
    found: dict[int, float] = {}
    told = 0
    for size in SIZES:
        for number in range(told, size):
            # Told as those of a journal are, without asking for each: that alone would take hours.
            params = plan.space.draw(source)
            engine.impose(number, params)
            reports = (Report(1, {"loss": source.random()}, 1.0),)
            engine.tell(number, Outcome(TrialState.FINISHED, reports))
        began = time.perf_counter()
        for number in range(size, size + _PROPOSALS):
            engine.propose(number)
            engine.withdraw(number)
        found[size] = (time.perf_counter() - began) / _PROPOSALS
        told = size + _PROPOSALS
    return found


if __name__ == "__main__":
    main()
