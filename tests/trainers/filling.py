"""Training functions that fill a disk, for tests."""

import contextlib
import os
import tempfile
import time
from pathlib import Path


def saves(model, data, training, trial):
    """Save `model.size` bytes with each report."""
    for iteration in range(trial.iteration, training["iterations"]):
        time.sleep(0.02)
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "weights").write_bytes(os.urandom(int(model["size"])))
            trial.report({"loss": model["x"] ** 2 + iteration}, checkpoint=Path(folder))


def prints(model, data, training, trial):
    """Print `model.size` bytes before each report."""
    for iteration in range(trial.iteration, training["iterations"]):
        print("x" * int(model["size"]))  # noqa: T201 - that is what it is for
        trial.report({"loss": model["x"] ** 2 + iteration})


def fills_at_the_end(model, data, training, trial):
    """Leave no byte on the disk of `model.folder` after the last report of trial 1."""
    for _ in range(trial.iteration, training["iterations"]):
        trial.report({"loss": model["x"] ** 2})
    if trial.number == 1:
        fill(Path(model["folder"]))


def fill(folder):
    """Write a file until nothing more goes in."""
    with (folder / "ballast").open("ab", buffering=0) as file:
        for size in (1 << 16, 1 << 10, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * size) == size:
                    pass
