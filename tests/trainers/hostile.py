"""Training functions that hang, crash, flood or will not leave, for tests."""

import ctypes
import os
import signal
import sys
import time
from decimal import Decimal
from pathlib import Path


def _reports(training, trial):
    for iteration in range(trial.iteration, training["iterations"]):
        trial.report({"loss": float(trial.number + iteration)})


def crashes(model, data, training, trial):
    """Crash in trial 1, in one way or another; report in the others."""
    if trial.number == 1:
        trial.report({"loss": 1.0})
        _CRASHES[model["way"]]()
    _reports(training, trial)


_CRASHES = {
    "exit": lambda: os._exit(7),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "abort": os.abort,
    "segfault": lambda: ctypes.string_at(0),
}


def sits(model, data, training, trial):
    """Sit in trial 1: asleep, in compiled code that keeps the interpreter, or stopped."""
    if trial.number == 1:
        trial.report({"loss": 1.0})
        _SEATS[model["way"]]()
    _reports(training, trial)


def _keep_interpreter():
    ctypes.PyDLL(None).sleep(600)


_SEATS = {
    "asleep": lambda: time.sleep(600),
    "compiled": _keep_interpreter,
    "stopped": lambda: os.kill(os.getpid(), signal.SIGSTOP),
}


def swallows(model, data, training, trial):
    """Catch whatever says that the trial is over, and go on, or return."""
    reports = 0
    while reports < model["most"]:
        try:
            trial.report({"loss": float(trial.number + trial.iteration)})
        except BaseException:  # noqa: BLE001 - this is the fault
            time.sleep(0.01)
        reports += 1


def reports_without_end(model, data, training, trial):
    """Go on without looking at training.iterations."""
    while True:
        trial.report({"loss": float(trial.iteration)})


def sits_once(model, data, training, trial):
    """Sit in the first attempt."""
    marker = Path(model["folder"], f"sat-{trial.number}")
    if not marker.exists():
        marker.touch()
        time.sleep(600)
    _reports(training, trial)


def is_killed_once(model, data, training, trial):
    """Be killed in the middle of the first attempt; continue from the checkpoint in the second."""
    marker = Path(model["folder"], f"killed-{trial.number}")
    for iteration in range(trial.iteration, training["iterations"]):
        if iteration == 2 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        state = Path(model["folder"], f"state-{trial.number}")
        state.mkdir(exist_ok=True)
        resumed = float(trial.checkpoint is not None)
        trial.report({"loss": 1.0, "resumed": resumed}, checkpoint=state)


def has_children(model, data, training, trial):
    """Start processes of every kind, write down their numbers, and sit."""
    import subprocess

    import gymnasium
    from stable_baselines3.common.vec_env import SubprocVecEnv

    environments = SubprocVecEnv([lambda: gymnasium.make("CartPole-v1")] * 2)
    environments.reset()
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    numbers = [process.pid for process in environments.processes] + [other.pid]
    Path(model["folder"], "children.txt").write_text(" ".join(map(str, numbers)))
    trial.report({"loss": 1.0})
    _CRASHES[model["way"]]()
    time.sleep(600)


def storms(model, data, training, trial):
    """Report as fast as it goes."""
    for iteration in range(training["iterations"]):
        trial.report({"loss": float(iteration)})


def reports_oddly(model, data, training, trial):
    """Report one odd thing per trial, beside what is asked for."""
    for _ in range(2):
        trial.report(ODD_REPORTS[list(ODD_REPORTS)[trial.number]]())


class _Shy:
    def __repr__(self):
        raise RuntimeError("not to be shown")


ODD_REPORTS = {
    "sound": lambda: {"loss": 1.0},
    "names of Tune's": lambda: {
        "loss": 1.0, "done": 1.0, "config/a": 2.0, "trial_id": 3.0, "iteration": 4.0,
        "training_iteration": 5.0, "time_total_s": 6.0, "loss/loss": 7.0, "should_checkpoint": 8.0,
        "__duplicate__": 9.0,
    },
    "lone surrogate": lambda: {"loss": 1.0, "\ud800": 1.0},
    "long name": lambda: {"loss": 1.0, "n" * 300: 1.0},
    "control characters": lambda: {"loss": 1.0, "\x1b[31m\n\r\0\u2028\u202e": 1.0},
    "too long a name": lambda: {"loss": 1.0, "n" * 2_000_000: 1.0},
    "50 MB": lambda: {"loss": 1.0, "text": "x" * 50_000_000},
    "too many": lambda: {"loss": 1.0, **{f"m{number}": 1.0 for number in range(100_000)}},
    "no pickle": lambda: {"loss": 1.0, "socket": (value for value in ())},
    "no repr": lambda: {"loss": 1.0, "shy": _Shy()},
}  # fmt: skip


def reports_kinds(model, data, training, trial):
    """Report one kind of number per trial."""
    trial.report({"loss": KINDS[list(KINDS)[trial.number]]()})


def _numpy(kind, *arguments):
    def make():
        import numpy

        return getattr(numpy, kind)(*arguments)

    return make


def _tensor():
    import torch

    return torch.tensor(0.5)


KINDS = {
    "float": lambda: 0.5,
    "whole": lambda: 3,
    "numpy float32": _numpy("float32", 0.5),
    "numpy int64": _numpy("int64", 3),
    "decimal": lambda: Decimal("0.5"),
    "nan": lambda: float("nan"),
    "-inf": lambda: float("-inf"),
    "decimal nan": lambda: Decimal("sNaN"),
    "numpy array": _numpy("array", [0.5]),
    "tensor": _tensor,
    "huge": lambda: 10**5000,
}
SOUND_KINDS = 5


def raises(model, data, training, trial):
    """Raise one awkward exception per trial."""
    ERRORS[list(ERRORS)[trial.number]]()
    trial.report({"loss": 1.0})


def _raise(make):
    def raises():
        raise make()

    return raises


class _NoPickleError(Exception):
    def __init__(self):
        super().__init__("not to be pickled")
        self.values = (value for value in ())

    def __reduce__(self):
        raise TypeError("cannot pickle this")


def _group():
    if sys.version_info < (3, 11):
        raise RuntimeError("group of 2\nValueError: first member")
    raise ExceptionGroup("group of 2", [ValueError("first member"), KeyError("second member")])  # noqa: F821 - from 3.11


def _chain():
    try:
        raise KeyError("the cause")
    except KeyError as error:
        raise RuntimeError("the consequence") from error


ERRORS = {
    "sound": lambda: None,
    "emoji": _raise(lambda: ValueError("caf\xe9 \U0001f525 burnt")),
    "colours": _raise(lambda: ValueError("\x1b[31mred\x1b[0m \x1b]0;title\x07 bell")),
    "surrogate": _raise(lambda: ValueError("half \ud83d of it")),
    "megabyte": _raise(lambda: ValueError("begin" + "x" * 1_000_000 + "end")),
    "no pickle": _raise(_NoPickleError),
    "group": _group,
    "chain": _chain,
    "interrupt": _raise(lambda: KeyboardInterrupt("not from a person")),
}
