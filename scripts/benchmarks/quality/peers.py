"""From a tuner that lives in another Python to a method of the simulator: one JSON line each way.

Tuners whose dependencies contradict ours, or each other's, are installed in environments of their
own. The simulator starts the environment's Python on an adapter (`peers/through_*.py`), asks it on
standard input, and reads the answer from standard output:

    {"ask": "start", "method", "space", "iterations", "full_trials", "seed"}    {}
    {"ask": "next"}                           {"trial": 7, "params": {…}} to start,
                                              {"trial": 7} to go on with a paused one, {} to wait
    {"ask": "report", "trial", "iteration", "loss"}    {"decision": CONTINUE, PAUSE or STOP}
    {"ask": "end", "trial", "is_whole"}       {}
    {"ask": "incumbent"}                      {"trial": 7}, or {} while there is none

Values of a choice travel as their index. A tuner that fails answers nothing and ends.
"""
# ruff: noqa: D102 - described in simulator.Method

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import weakref
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hpo_app.plan.search_space import Choice
from quality.methods import best_of
from quality.simulator import SimulatedTrial


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hpo_app.plan.search_space import Params
    from quality.simulator import Method
    from quality.tasks import Task

ADAPTERS = Path(__file__).parents[1] / "peers"
# Method, environment, and how its Python is filled.
_SYNE_TUNE = ("syne-tune", "'syne-tune[gpsearchers]==0.14.2' 'numpy<2' 'pandas<3'")
_SMAC = ("smac", "'smac==2.4.1'")
PEERS = {"mobster": _SYNE_TUNE, "dyhpo": _SYNE_TUNE, "smac": _SMAC}


class PeerError(Exception):
    """A tuner in another Python ended before it was told to."""


def peers(environments: Path, full_trials: int) -> dict[str, Callable[[Task, int], Method]]:
    """Return the methods that live in `environments`, by name, for runs that pay so many trials."""

    def make(name: str, folder: str) -> Callable[[Task, int], Method]:
        adapter = ADAPTERS / f"through_{folder.replace('-', '_')}.py"
        command = [str(_python(environments / folder)), str(adapter)]
        return lambda task, seed: Peer(name, command, task, seed, full_trials)

    return {name: make(name, folder) for name, (folder, _) in PEERS.items()}


def absent(environments: Path | None, names: Iterable[str]) -> str:
    """Return which of these methods have no environment, and how to make it; empty if all have."""
    parent = environments or Path("peers")
    wanted = sorted({PEERS[name] for name in names})
    lacking = [each for each in wanted if not (environments and _python(parent / each[0]).exists())]
    return "\n\n".join(
        f"{folder}\n"
        f"  got       no Python at {_python(parent / folder)}\n"
        f"  expected  an environment that holds it\n"
        f"  set by    {f'--peers {environments}' if environments else 'no --peers FOLDER'}\n"
        f"  fix       python3.11 -m venv {parent / folder} && "
        f"{parent / folder}/bin/pip install {packages}; then --peers {parent}"
        for folder, packages in lacking
    )


def _python(environment: Path) -> Path:
    # Not resolved: the link's own place tells Python which environment it is in.
    return environment.absolute() / "bin" / "python"


class Peer:
    """A tuner behind a pipe; its process ends with this object.

    Attributes:
        trials: By number.
        by_our_rule: What hpo_app would have handed back of these trials, each time that the tuner
            was asked; it tells a better search from a better choice.

    Args:
        name: Method, as the adapter knows it.
        command: What starts the adapter.
        task: What is searched.
        seed: Of the run.
        full_trials: What the run can pay in all; some divide it before they start.
    """

    def __init__(
        self, name: str, command: list[str], task: Task, seed: int, full_trials: int
    ) -> None:
        self._name, self._space = name, task.space
        # A file, because nobody reads a second pipe while the first is waited for.
        self._complaints = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - see _end
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            # The order of a set decides in some, and threads would fight over the cores.
            env={**os.environ, "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1"},
        )
        weakref.finalize(self, _end, self._process, self._complaints)
        self.trials: dict[int, SimulatedTrial] = {}
        self.by_our_rule: list[Params | None] = []
        about = {"space": task.entries, "iterations": task.iterations, "seed": seed}
        self._ask("start", method=name, full_trials=full_trials, **about)

    def next_trial(self) -> SimulatedTrial | None:
        answer = self._ask("next")
        number = answer.get("trial")
        if number is not None and "params" in answer:
            self.trials[number] = SimulatedTrial(number, self._read(answer["params"]))
        return None if number is None else self.trials[number]

    def on_report(self, trial: SimulatedTrial, iteration: int, loss: float) -> str:
        answer = self._ask("report", trial=trial.number, iteration=iteration, loss=loss)
        return str(answer["decision"])

    def on_end(self, trial: SimulatedTrial, *, is_whole: bool) -> None:
        self._ask("end", trial=trial.number, is_whole=is_whole)

    def incumbent(self) -> Params | None:
        ours = best_of(list(self.trials.values()))
        self.by_our_rule.append(ours.params if ours else None)
        number = self._ask("incumbent").get("trial")
        return None if number is None else self.trials[number].params

    def _read(self, sent: dict[str, Any]) -> Params:
        """Return params in the order of the space, and choices by their values."""
        params: Params = {}
        for name in self._space:
            parameter = self._space[name]
            is_choice = isinstance(parameter, Choice)
            params[name] = parameter.values[sent[name]] if is_choice else sent[name]
        return params

    def _ask(self, what: str, **details: Any) -> dict[str, Any]:
        process = self._process
        try:
            process.stdin.write(json.dumps({"ask": what, **details}) + "\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            line = process.stdout.readline()  # type: ignore[union-attr]
        except BrokenPipeError:
            line = ""
        if not line:
            process.wait()
            self._complaints.seek(0)
            last = self._complaints.read()[-2000:]
            message = (
                f"{self._name} ended with code {process.returncode} when asked {what}:\n{last}"
            )
            raise PeerError(message)
        return json.loads(line)  # type: ignore[no-any-return]


def _end(process: subprocess.Popen[str], complaints: IO[str]) -> None:
    """Let a tuner see that nobody asks any more, and wait for it."""
    process.communicate()
    complaints.close()
