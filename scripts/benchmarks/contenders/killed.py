"""Searches that may be killed: how to start one, and what it knows when it is started again."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from contenders.work import CARTPOLE, PPO_COUNTS, PPO_NETWORK, PPO_NUMBERS, make_work

from hpo_app.errors import HpoError
from hpo_app.study.replay import load_study


if TYPE_CHECKING:
    import argparse

HERE = Path(__file__).resolve().parent


class Contender(Protocol):
    """One way to run a search that may be killed."""

    name: str

    def command(self, folder: Path, *, is_new: bool) -> list[str]:
        """Return what starts the search in `folder`, or goes on with it."""

    def told(self, output: str) -> set[str]:
        """Return the trials that an output says have ended."""

    def known(self, folder: Path, output: str) -> set[str]:
        """Return the ended trials that are known of when a start goes on."""

    def needed(self, folder: Path, output: str) -> int:
        """Return the iterations that stand in the results of a run."""


class HpoApp:
    """`python -m hpo_app`, and `action=resume` after a kill."""

    name = "hpo_app"

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options

    def command(self, folder: Path, *, is_new: bool) -> list[str]:
        """Return the command line; a start that was killed before its journal begins anew."""
        options, run = self._options, folder / "run"
        start = [sys.executable, "-m", "hpo_app"]
        if not is_new and (run / "journal.jsonl").is_file():
            return [*start, "action=resume", f"run={run}", "trusted_modules=[contenders]"]
        job = job_of(options)
        return [
            *start,
            *make_work("ppo" if options.work == "ppo" else "noop").overrides,
            f"model.trainer=contenders.fault_work:{job['function']}",
            "trusted_modules=[contenders]",
            "search_alg=optuna",
            "scheduler=asha",
            f"num_trials={options.trials}",
            f"training.iterations={options.iterations}",
            "training.checkpoint_every=1",
            f"ray.num_cpus={options.workers}",
            f"hydra.run.dir={run}",
            *([f"model.step_time_s={options.step_time_s}"] if options.work == "quadratic" else []),
        ]

    def told(self, output: str) -> set[str]:
        """Return the numbers in lines such as `[3/60] trial 7 finished …`."""
        line = r"^\[\d+/\d+\] trial (\d+) (?:finished|stopped)"
        return set(re.findall(line, output, re.MULTILINE))

    def known(self, folder: Path, output: str) -> set[str]:  # noqa: ARG002
        """Return the ended trials of the journal."""
        try:
            trials = load_study(folder / "run").trials
        except HpoError:
            return set()
        return {str(trial.number) for trial in trials if trial.ended_s is not None}

    def needed(self, folder: Path, output: str) -> int:  # noqa: ARG002
        """Return the iterations of the journal, each once."""
        return sum(len(trial.reports) for trial in load_study(folder / "run").trials)


class PlainTune:
    """A Ray Tune script with `Tuner.restore`."""

    name = "Ray Tune"

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options

    def command(self, folder: Path, *, is_new: bool) -> list[str]:  # noqa: ARG002 - it looks itself
        """Return the script's command line."""
        job = folder / "job.json"
        job.write_text(json.dumps(job_of(self._options)), encoding="utf-8")
        return [sys.executable, str(HERE / "fault_tune.py"), str(folder), str(job)]

    def told(self, output: str) -> set[str]:
        """Return the ids in lines `ended ID`."""
        return set(re.findall(r"^ended (\S+)$", output, re.MULTILINE))

    def known(self, folder: Path, output: str) -> set[str]:  # noqa: ARG002
        """Return the ids that the restored run said it knows."""
        (line,) = re.findall(r"^known(.*)$", output, re.MULTILINE) or [""]
        return set(line.split())

    def needed(self, folder: Path, output: str) -> int:  # noqa: ARG002
        """Return the iterations that the script counted in its results."""
        found = re.findall(r"^iterations (\d+)$", output, re.MULTILINE)
        return int(found[-1]) if found else 0


def job_of(options: argparse.Namespace) -> dict[str, Any]:
    """Return what a search is to do, as plain values."""
    common = {"trials": options.trials, "workers": options.workers}
    if options.work == "quadratic":
        return {
            **common,
            "function": "train_quadratic",
            "metric": "loss",
            "mode": "min",
            "model": {"noise": 0.0, "step_time_s": options.step_time_s},
            "data": {},
            "training": {"iterations": options.iterations},
        }
    return {
        **common,
        "function": "train_ppo",
        "metric": "eval_reward_mean",
        "mode": "max",
        "model": {
            "policy": "MlpPolicy",
            "device": "cpu",
            "hyperparameters": {**PPO_NUMBERS, **PPO_COUNTS},
            "network": PPO_NETWORK,
        },
        "data": CARTPOLE,
        "training": {"iterations": options.iterations, "steps_per_iteration": 4096},
    }
