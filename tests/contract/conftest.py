"""A search in front of a view of one's own."""

import subprocess
import sys
from pathlib import Path

import pytest


TRAINERS = Path(__file__).parents[1] / "trainers"


@pytest.fixture
def hpo(tmp_path):
    """Run `python -m hpo_app` in `tmp_path`."""

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "hpo_app", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def viewed_search(local_ray, tmp_path, monkeypatch):
    """Run a search that tells a given view, in `tmp_path`."""
    from hpo_app.config.compose import compose_config
    from hpo_app.config.parse import parse_plan
    from hpo_app.tuning.runner import run_search

    monkeypatch.syspath_prepend(str(TRAINERS))

    def run(view, *overrides):
        plan = parse_plan(*compose_config(["search_space=quadratic", *overrides]))
        return run_search(plan, tmp_path, view, {})

    return run


@pytest.fixture
def hostile_search(search):
    """Run a search over a training function of tests/trainers/hostile.py."""

    def run(function, *overrides):
        trainer = f"model.trainer=hostile:{function}"
        return search(trainer, "trusted_modules=[hostile]", "training.iterations=4", *overrides)

    return run
