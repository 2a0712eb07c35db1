"""A training function that tells its secrets in every way we know, for tests."""

import json
import logging
import os
import subprocess
import sys


def tells_all(model, data, training, trial):
    """Say the key of the model and the environment; raise it in trial 1."""
    key = model["api_key"]
    sys.stdout.write(f"the key is {key}\n")
    logging.getLogger("mine").warning("logged: %s", {"key": key})
    sys.stderr.write(json.dumps(dict(os.environ)) + "\n")
    os.write(1, f"below Python {key}\n".encode())
    subprocess.run(["/bin/echo", f"a child: {key}"], check=True)
    for half in (key[:9], key[9:]):
        sys.stdout.write(half)
    sys.stdout.write("\nthe last line\n")
    if trial.number == 1:
        raise ValueError(f"{key} was refused: {model!r}")
    for _ in range(training["iterations"]):
        trial.report({"loss": model["x"] ** 2})
