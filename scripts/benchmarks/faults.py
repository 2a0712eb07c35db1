"""What a kill costs: hpo_app and a plain Ray Tune script, killed at the same random moments.

Both search the same space with ASHA, two trials at once. A driver is killed (SIGKILL) at a moment
drawn from a seed, counted from the first new iteration of that start; then it is started again,
`action=resume` here and `Tuner.restore` there, until it has been killed so often as asked. A run
that ends before is followed by a new one.

    python scripts/benchmarks/faults.py                        20 kills of each, about 15 minutes
    python scripts/benchmarks/faults.py --work ppo --kills 3   real PPO
    python scripts/benchmarks/faults.py --workers 1 --skip tune
                           one trial at a time: compared with a run that was never killed

Acknowledged is what the driver had told on its output before it was killed: trials that ended.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contenders.fault_work import EXECUTED
from contenders.killed import HpoApp, PlainTune

from hpo_app.study.replay import load_study


if TYPE_CHECKING:
    from contenders.killed import Contender

HERE = Path(__file__).resolve().parent
_LIMIT_S = 300.0
_SIZES = {"quadratic": (60, 27), "ppo": (4, 4)}


@dataclass
class Tally:
    """What happened to one contender.

    Attributes:
        kills: How often it was killed.
        acknowledged: Ended trials that it had told of before a kill.
        lost: Those of them that the next start did not know.
        continued: Starts after a kill that knew all that was acknowledged.
        runs: Runs trained to their end.
        trained: Iterations trained in all, those trained again included.
        needed: Iterations that stand in the results.
        wall_s: Seconds of all starts together.
        calm_s: Seconds of one run that nobody killed.
        failed: Starts that ended with an error.
        equal: Trials equal to those of a run that nobody killed, of how many; empty if not asked.
    """

    contender: str
    work: str
    kills: int = 0
    acknowledged: int = 0
    lost: int = 0
    continued: int = 0
    runs: int = 0
    trained: int = 0
    needed: int = 0
    wall_s: float = 0.0
    calm_s: float = 0.0
    failed: int = 0
    equal: str = ""
    errors: list[str] = field(default_factory=list)

    @property
    def lost_s_per_kill(self) -> float:
        """Seconds that a kill costs: starting again, and training again what was lost."""
        return (self.wall_s - self.runs * self.calm_s) / max(1, self.kills)


def main() -> int:
    """Kill each contender as often as asked and print the table; 1 if hpo_app lost anything."""
    options = _options()
    contenders: list[Contender] = [HpoApp(options), PlainTune(options)]
    tallies = [
        _torment(contender, options)
        for contender in contenders
        if contender.name.lower().replace("ray ", "") not in options.skip
    ]
    print("", *_table(tallies), sep="\n")
    if options.out:
        rows = [{**asdict(tally), "lost_s_per_kill": tally.lost_s_per_kill} for tally in tallies]
        options.out.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    ours = [tally for tally in tallies if tally.contender == HpoApp.name]
    return int(any(tally.lost or tally.failed for tally in ours))


def _torment(contender: Contender, options: argparse.Namespace) -> Tally:
    tally = Tally(contender.name, options.work)
    generator = random.Random(options.seed)
    with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as root:
        calm = Path(root, "calm")
        tally.calm_s, _ = _start(contender, calm, is_new=True, kill_after_s=None, tally=tally)
        _say(f"{contender.name}: a run that nobody kills takes {tally.calm_s:.0f} s")
        while tally.kills < options.kills:
            folder = Path(root, f"run-{tally.runs}")
            _until_its_end(contender, folder, generator, options, tally)
            tally.runs += 1
            if options.workers == 1 and contender.name == HpoApp.name:
                tally.equal = _equal(calm / "run", folder / "run", tally.equal)
    return tally


def _until_its_end(
    contender: Contender,
    folder: Path,
    generator: random.Random,
    options: argparse.Namespace,
    tally: Tally,
) -> None:
    """Start a run, kill it, start it again, until it ends by itself."""
    told: set[str] = set()
    is_new = True
    while True:
        left = options.kills - tally.kills
        moment = generator.uniform(0.2, options.span_s) if left else None
        known = contender.known(folder, "") if not is_new else set()
        wall_s, output = _start(contender, folder, is_new=is_new, kill_after_s=moment, tally=tally)
        tally.wall_s += wall_s
        if not is_new:
            known = known or contender.known(folder, output)
            tally.lost += len(told - known)
            tally.continued += told <= known
        is_new = False
        told |= contender.told(output)
        tally.acknowledged += len(contender.told(output))
        if (folder / "ended").exists():
            break
    tally.needed += contender.needed(folder, output)
    trained = [path.read_text("utf-8") for path in folder.glob("executed-*.txt")]
    tally.trained += sum(text.count("\n") for text in trained)


def _start(
    contender: Contender,
    folder: Path,
    *,
    is_new: bool,
    kill_after_s: float | None,
    tally: Tally,
) -> tuple[float, str]:
    """Start a contender, kill it if asked, and return its seconds and its output."""
    folder.mkdir(exist_ok=True)
    # A file of its own for each start: workers of a killed driver train on for a moment.
    executed = folder / f"executed-{len(list(folder.glob('executed-*')))}.txt"
    executed.touch()
    environment = {**os.environ, EXECUTED: str(executed), "PYTHONPATH": _python_path()}
    started = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            contender.command(folder, is_new=is_new),
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
        )
        is_killed = _kill_at(process, executed, kill_after_s)
        code = process.wait()
        wall_s = time.monotonic() - started
        output.seek(0)
        text = output.read()
    tally.kills += is_killed
    if not is_killed:
        (folder / "ended").touch()
    if code and not is_killed:
        tally.failed += 1
        tally.errors += text.splitlines()[-5:]
    what = "was killed" if is_killed else f"ended with exit code {code}"
    _say(f"{contender.name}: {what} after {wall_s:.1f} s, kill {tally.kills}")
    return wall_s, text


def _kill_at(process: subprocess.Popen[str], executed: Path, after_s: float | None) -> bool:
    """Kill a process so long after its first iteration; return whether that came to be."""
    started, first = time.monotonic(), 0.0
    while process.poll() is None:
        now = time.monotonic()
        if now - started > _LIMIT_S:
            process.kill()
            return False
        if not first and executed.stat().st_size:
            first = now
        if after_s is not None and first and now - first >= after_s:
            process.send_signal(signal.SIGKILL)
            return True
        time.sleep(0.01)
    return False


def _equal(calm: Path, killed: Path, before: str) -> str:
    """Count the trials of a killed run that equal those of one that was never killed."""
    pairs = zip(_dump(calm), _dump(killed), strict=False)
    same, of = sum(one == other for one, other in pairs), len(_dump(calm))
    old_same, old_of = map(int, before.split(" of ")) if before else (0, 0)
    return f"{same + old_same} of {of + old_of}"


def _dump(folder: Path) -> list[Any]:
    study = load_study(folder)
    metric = study.objective.metric
    return [
        (trial.number, trial.params, trial.seed, trial.state, trial.curve(metric))
        for trial in study.trials
    ]


def _table(tallies: list[Tally]) -> list[str]:
    rows = {
        "kills": lambda t: t.kills,
        "ended trials acknowledged before a kill or the end": lambda t: t.acknowledged,
        "acknowledged and then lost": lambda t: t.lost,
        "starts that went on with all of it": lambda t: f"{t.continued} of {t.kills}",
        "starts that ended in an error": lambda t: t.failed,
        "iterations trained again": lambda t: t.trained - t.needed,
        "the same, per kill": lambda t: f"{(t.trained - t.needed) / max(1, t.kills):.1f}",
        "seconds lost per kill": lambda t: f"{t.lost_s_per_kill:.1f}",
        "trials equal to a run never killed": lambda t: t.equal or "not compared",
    }
    head = " | ".join(["", *(f"{tally.contender}, {tally.work}" for tally in tallies)])
    lines = [f"|{head} |", "|---|" + "---:|" * len(tallies)]
    for title, value in rows.items():
        lines.append(f"| {title} | " + " | ".join(str(value(tally)) for tally in tallies) + " |")
    return lines


def _python_path() -> str:
    return os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])


def _say(text: str) -> None:
    print(text, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--work", choices=_SIZES, default="quadratic")
    parser.add_argument("--kills", type=int, default=20, help="of each (default 20)")
    parser.add_argument("--span-s", type=float, default=12.0, help="latest kill after a start")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument("--workers", type=int, default=2, help="trials at once")
    parser.add_argument("--trials", type=int, help="of one run")
    parser.add_argument("--iterations", type=int, help="of a full trial")
    parser.add_argument("--step-time-s", type=float, default=0.1, help="of a quadratic iteration")
    parser.add_argument("--skip", nargs="*", choices=["hpo_app", "tune"], default=[])
    parser.add_argument("--out", type=Path, metavar="FILE", help="the figures as JSON")
    options = parser.parse_args()
    trials, iterations = _SIZES[options.work]
    options.trials = options.trials or trials
    options.iterations = options.iterations or iterations
    return options


if __name__ == "__main__":
    sys.exit(main())
