"""Training functions that go wrong in every way we know, for tests."""

import os
import re
import sys
import tempfile
import time
from pathlib import Path


def fails_above(model, data, training, trial):
    """Raise for x above 1; report the loss elsewhere."""
    for _ in range(trial.iteration, training["iterations"]):
        if model["x"] > 1:
            raise ValueError(f"x={model['x']} is too high")
        trial.report({"loss": (model["x"] + 2) ** 2})


def always_fails(model, data, training, trial):
    raise RuntimeError(f"no data in folder {trial.number}")


def reports_nothing(model, data, training, trial):
    return


def misspells(model, data, training, trial):
    trial.report({"los": 1.0, "accuracy": 0.5})


def reports(value):
    def train(model, data, training, trial):
        for _ in range(training["iterations"]):
            trial.report({"loss": value if trial.number == 1 else model["x"] ** 2})

    return train


reports_nan = reports(float("nan"))
reports_infinity = reports(float("inf"))
reports_none = reports(None)
reports_text = reports("0.3")


def dies(model, data, training, trial):
    """Leave without a word in trial 1."""
    if trial.number == 1:
        os._exit(7)
    for _ in range(training["iterations"]):
        trial.report({"loss": model["x"] ** 2})


def leaves(model, data, training, trial):
    if trial.number == 1:
        sys.exit(0)
    for _ in range(training["iterations"]):
        trial.report({"loss": model["x"] ** 2})


def fails_once_anywhere(model, data, training, trial):
    """Fail in the middle of the first attempt; continue from the checkpoint in the second."""
    marker = Path(model["folder"], f"failed-{trial.number}")
    for iteration in range(trial.iteration, training["iterations"]):
        if iteration == 2 and not marker.exists():
            marker.touch()
            raise RuntimeError("once")
        state = Path(model["folder"], f"state-{trial.number}")
        state.mkdir(exist_ok=True)
        resumed = float(trial.checkpoint is not None)
        trial.report({"loss": model["x"] ** 2, "resumed": resumed}, checkpoint=state)


def speaks(model, data, training, trial):
    """Print, log and write to the file descriptors."""
    import logging

    sys.stdout.write("printed\n")
    logging.getLogger("mine").info("logged")
    os.write(1, b"written below Python\n")
    trial.report({"loss": 0.0})


def sleeps(model, data, training, trial):
    for _ in range(training["iterations"]):
        time.sleep(0.5)
        trial.report({"loss": model["x"] ** 2})


def environment(model, data, training, trial):
    """Report what a trial finds, and leave a mess for the next one."""
    trial.report({"loss": 0.0, "seed": trial.seed, "pid": os.getpid(), "cpus": trial.num_cpus})


def lingers(model, data, training, trial):
    """Take longer to leave than Tune waits unless it is told to."""
    try:
        for iteration in range(training["iterations"]):
            trial.report({"loss": float(trial.number + iteration)})
    finally:
        time.sleep(3)


def never_leaves(model, data, training, trial):
    """Stay in the worker for longer than it waits, whatever the run says."""
    os.environ["TUNE_FUNCTION_THREAD_TIMEOUT_S"] = "1"
    lingers(model, data, training, trial)


def overlaps(model, data, training, trial):
    """Write down when it trained."""
    for iteration in range(trial.iteration, training["iterations"]):
        started = time.time()
        time.sleep(0.4)
        state = Path(model["folder"], f"state-{trial.number}")
        state.mkdir(exist_ok=True)
        with Path(model["folder"], "intervals.txt").open("a") as file:
            file.write(f"{trial.number} {iteration} {started} {time.time()}\n")
        trial.report({"loss": model["x"] ** 2}, checkpoint=state)


def unequal(model, data, training, trial):
    """Train the faster the better: the best member is far ahead when others copy it."""
    for _ in range(trial.iteration, training["iterations"]):
        time.sleep(0.1 if trial.number == 0 else 0.14)
        state = Path(model["folder"], f"state-{trial.number}")
        state.mkdir(exist_ok=True)
        trial.report({"loss": float(trial.number)}, checkpoint=state)


def dies_the_second_time(model, data, training, trial):
    marker = Path(model["folder"], f"failed-{trial.number}")
    if marker.exists():
        os._exit(7)
    marker.touch()
    raise RuntimeError("\x1b[31mfirst fault\x1b[0m")


def stops_early(model, data, training, trial):
    trial.report({"loss": model["x"] ** 2})


def deaf(model, data, training, trial):
    """Report once, and then hear of nothing for longer than anybody waits."""
    trial.report({"loss": model["x"] ** 2})
    time.sleep(600)


def holds_the_interpreter(model, data, training, trial):
    """Report once, and then let no other thread of the worker run."""
    trial.report({"loss": model["x"] ** 2})
    re.match(r"(a+)+$", "a" * 60 + "b")


def goes_down(model, data, training, trial):
    """Go down to a parabola around 1.5; what is above it is halved by each iteration."""
    state = trial.checkpoint / "state.txt" if trial.checkpoint else None
    height = float(state.read_text()) if state else 4.0
    for _ in range(trial.iteration, training["iterations"]):
        height /= 2
        folder = Path(tempfile.mkdtemp())
        (folder / "state.txt").write_text(str(height))
        trial.report({"loss": (model["x"] - 1.5) ** 2 + height}, folder)


def fails_and_reports_nan(model, data, training, trial):
    """Raise in trial 1, report NaN in trial 2."""
    if trial.number == 1:
        raise ValueError("trial 1 fails")
    if trial.number == 2:
        trial.report({"loss": float("nan")})
    goes_down(model, data, training, trial)


def keeps_nothing(model, data, training, trial):
    for _ in range(trial.iteration, training["iterations"]):
        trial.report({"loss": model["x"] ** 2})
