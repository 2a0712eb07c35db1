"""A training function that changes everything that the next trial in its worker could trip over."""

import json
import os
import random
import sys
import tempfile
import warnings
from pathlib import Path

import numpy
import torch


def finds_and_leaves_a_mess(model, data, training, trial):
    """Write down what it finds, then change everything that the next trial could trip over."""
    found = {
        "environment": dict(os.environ),
        "folder": str(Path.cwd()),
        "arguments": sys.argv,
        "import_path": sys.path,
        "filters": str(warnings.filters),
        "threads": torch.get_num_threads(),
        "draws": [random.random(), numpy.random.random(), float(torch.rand(1))],  # noqa: NPY002
        "pid": os.getpid(),
        "seed": trial.seed,
    }
    Path(model["folder"], f"{trial.number}.json").write_text(json.dumps(found))
    os.environ["LEFT_BEHIND"] = "1"
    os.environ["HOME"] = "elsewhere"
    os.environ.pop("PATH")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
    sys.argv.append("--left")
    sys.path.insert(0, "left")
    warnings.simplefilter("error")
    torch.set_num_threads(7)
    random.seed(1)
    numpy.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    trial.report({"loss": 1.0})
