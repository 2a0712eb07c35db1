"""What a trial costs beside its training: hpo_app, plain Ray Tune and a bare process pool.

The same trials are run by four contenders, each in a fresh process, one after the other:

    hpo_app           compose, plan, search, journal and callbacks; no report
    plain-tune        a Ray Tune script with all defaults: every trial starts a worker
    plain-tune-reuse  the same with reuse_actors=True
    pool              concurrent.futures.ProcessPoolExecutor: the limit

    python scripts/benchmarks/overhead.py                          all of it
    python scripts/benchmarks/overhead.py --work noop --skip plain-tune --repeats 1
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.metadata
import json
import math
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contenders.work import SLOTS, make_work
from overhead_table import Measurement, as_markdown, as_text, notes, rows, scaled_work_s


if TYPE_CHECKING:
    from collections.abc import Sequence

    from contenders.work import Work

# Module and options of each, and a guess of its seconds: to start and to prepare, and per trial.
CONTENDERS: dict[str, tuple[str, dict[str, Any], float, float]] = {
    "hpo_app": ("contenders.through_hpo_app", {}, 8.0, 0.03),
    "plain-tune": ("contenders.plain_tune", {"reuse_actors": False}, 8.0, 1.2),
    "plain-tune-reuse": ("contenders.plain_tune", {"reuse_actors": True}, 8.0, 0.1),
    "pool": ("contenders.process_pool", {}, 1.5, 0.001),
}
WORKS = ("noop", "seconds", "ppo")
TRAINING_S = {"noop": 0.0, "seconds": 1.0, "ppo": 12.0}  # a guess, for the time left
SLOW = ("noop", "plain-tune")
SLOW_TRIALS = 40
PACKAGES = ("hpo_app", "ray", "hydra-core", "optuna", "torch", "stable-baselines3", "tensorboardX")
Job = tuple[str, str, int]


def main() -> int:
    """Measure what was asked for; return 1 if a contender failed."""
    options = _options()
    if options.contender:
        print(json.dumps(asdict(measure_here(options))))
        return 0
    facts = machine_facts()
    measurements = measure_all(options)
    facts["load_at_end"] = _load()
    table = rows(measurements)
    print(f"\n{as_text(table)}\n", *notes(measurements), sep="\n")
    if options.markdown:
        print(f"\n{as_markdown(table)}\n", *(f"- {note}" for note in notes(measurements)), sep="\n")
    if options.out:
        found = {"machine": facts, "measurements": [asdict(item) for item in measurements]}
        options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 1 if any(item.error for item in measurements) else 0


def measure_here(options: argparse.Namespace) -> Measurement:
    """Run one contender in this process, with two clocks."""
    launched = options.launched_at or time.time()
    module, settings, *_ = CONTENDERS[options.contender]
    contender = importlib.import_module(module)
    work = _work(options.work[0], options)
    count = _measured_trials(options.contender, work, options)
    part = make_work(work.name, count, options.ppo_iterations)
    # The folder is the parent's, which removes it even if this process is killed.
    with _folder() if options.folder is None else contextlib.nullcontext(options.folder) as folder:
        contender.start()
        ready = time.time()
        outcome = contender.run(part, Path(folder), **settings)
        done = time.time()
        contender.stop()
    if len(outcome.values) != part.num_trials:
        raise SystemExit(f"{len(outcome.values)} of {part.num_trials} trials have a result")
    first_s = outcome.first_at - ready
    return Measurement(
        work=work.name,
        title=work.title,
        contender=options.contender,
        trials=work.num_trials,
        measured_trials=part.num_trials,
        start_s=ready - launched,
        work_s=scaled_work_s(first_s, done - ready, part.num_trials, work.num_trials),
        first_result_s=first_s,
        values_sum=math.fsum(outcome.values),
    )


def measure_all(options: argparse.Namespace) -> list[Measurement]:
    """Run all contenders one after the other, the repeats interleaved."""
    jobs = _jobs(options)
    guesses = {job[:2]: _guess_s(job, options) for job in jobs}
    measurements = []
    for index, job in enumerate(jobs):
        left = sum(guesses[later[:2]] for later in jobs[index:])
        name, contender, repeat = job
        print(
            f"[{index + 1}/{len(jobs)}] {name}: {contender}, repeat {repeat + 1} of "
            f"{options.repeats}; about {_duration(left)} left",
            flush=True,
        )
        started = time.monotonic()
        measurements.append(_in_child(name, contender, options))
        guesses[job[:2]] = time.monotonic() - started
    order = {work: place for place, work in enumerate(WORKS)}
    return sorted(measurements, key=lambda item: order[item.work])


def machine_facts() -> dict[str, Any]:
    """Return what the times depend on besides the code."""
    return {
        "measured_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "platform": platform.platform(),
        "cpu": _cpu_model(),
        "cpus": os.cpu_count(),
        "slots": SLOTS,
        "load_at_start": _load(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", type=_names(WORKS), default=list(WORKS), help=", ".join(WORKS))
    parser.add_argument(
        "--skip", type=_names(CONTENDERS), default=[], metavar="CONTENDER,…", help="leave these out"
    )
    parser.add_argument("--repeats", type=int, default=3, help="runs of each (default 3)")
    parser.add_argument(
        "--full",
        action="store_true",
        help=f"all no-op trials of plain-tune, in every repeat, instead of {SLOW_TRIALS} once",
    )
    parser.add_argument("--trials", type=int, help="another number of trials, for a first look")
    parser.add_argument("--ppo-iterations", type=int, default=5, help="of 4096 steps (default 5)")
    parser.add_argument("--limit-s", type=float, default=900.0, help="for one run of a contender")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown too")
    parser.add_argument("--out", type=Path, metavar="FILE", help="all measurements as JSON")
    child = parser.add_argument_group("one contender in this process, printed as JSON")
    child.add_argument("--contender", choices=CONTENDERS)
    child.add_argument("--json", action="store_true", help="understood; it is what is printed")
    child.add_argument("--folder", help=argparse.SUPPRESS)
    child.add_argument("--launched-at", type=float, help=argparse.SUPPRESS)
    return parser.parse_args()


def _names(known: Sequence[str] | dict[str, Any]) -> Any:
    def names(text: str) -> list[str]:
        found = text.split(",")
        wrong = [name for name in found if name not in known]
        if wrong:
            raise argparse.ArgumentTypeError(f"{', '.join(wrong)}: none of {', '.join(known)}")
        return found

    return names


def _work(name: str, options: argparse.Namespace) -> Work:
    return make_work(name, options.trials, options.ppo_iterations)


def _jobs(options: argparse.Namespace) -> list[Job]:
    """Return `(work, contender, repeat)` in the order in which they run."""
    contenders = [name for name in CONTENDERS if name not in options.skip]
    return [
        (work, contender, repeat)
        for work in options.work
        for repeat in range(options.repeats)
        for contender in contenders
        if repeat == 0 or options.full or (work, contender) != SLOW
    ]


def _measured_trials(contender: str, work: Work, options: argparse.Namespace) -> int:
    is_cut = (work.name, contender) == SLOW and not options.full
    return min(work.num_trials, SLOW_TRIALS) if is_cut else work.num_trials


def _guess_s(job: Job, options: argparse.Namespace) -> float:
    name, contender, _ = job
    work = _work(name, options)
    *_, start_s, trial_s = CONTENDERS[contender]
    trials = _measured_trials(contender, work, options)
    training_s = TRAINING_S[name] * (options.ppo_iterations / 5 if name == "ppo" else 1)
    return start_s + trials * (trial_s + training_s / SLOTS)


def _in_child(name: str, contender: str, options: argparse.Namespace) -> Measurement:
    """Run one contender in a process of its own, so that nothing is warm from another."""
    arguments = [
        *(sys.executable, str(Path(__file__).resolve()), "--json"),
        *("--work", name, "--contender", contender),
        *("--ppo-iterations", str(options.ppo_iterations)),
        *(["--trials", str(options.trials)] if options.trials else []),
        *(["--full"] if options.full else []),
    ]
    # Files, not pipes: what Ray leaves running for a moment would keep a pipe open.
    with (
        _folder() as folder,
        tempfile.TemporaryFile("w+") as output,
        tempfile.TemporaryFile("w+") as errors,
    ):
        process = subprocess.Popen(
            [*arguments, "--folder", folder, "--launched-at", repr(time.time())],
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        problem = _wait(process, options.limit_s)
        output.seek(0)
        errors.seek(0)
        if not problem:
            return Measurement(**json.loads(output.read().splitlines()[-1]))
        print(f"  {contender} {problem}", *errors.read().splitlines()[-15:], sep="\n  ")
    work = _work(name, options)
    return Measurement(work.name, work.title, contender, work.num_trials, error=problem)


def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="overhead-", ignore_cleanup_errors=True)


def _wait(process: subprocess.Popen[bytes], limit_s: float) -> str:
    """Wait for a child and return what went wrong; leave nothing of it running."""
    try:
        code = process.wait(limit_s)
    except subprocess.TimeoutExpired:
        return f"was stopped after the limit of {limit_s:g} s (--limit-s)"
    finally:
        if process.poll() is None:
            _end(process)
    return f"ended with exit code {code}" if code else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(20)
    # Those that it started, the workers of a pool for example, outlive it.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _load() -> list[float]:
    return [round(value, 2) for value in os.getloadavg()]


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _cpu_model() -> str:
    described = Path("/proc/cpuinfo")
    lines = described.read_text(encoding="utf-8").splitlines() if described.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    sys.exit(main())
