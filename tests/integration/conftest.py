"""What these tests share: a real process in an empty folder, and the modules of a benchmark."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest


BENCHMARKS = Path(__file__).parents[2] / "scripts" / "benchmarks"


@pytest.fixture
def hpo(tmp_path):
    """Run `python -m hpo_app` in an empty folder."""

    def run(*arguments, timeout_s=120):
        return subprocess.run(
            [sys.executable, "-m", "hpo_app", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    return run


@pytest.fixture
def quality(monkeypatch):
    """The modules of the benchmark, which are no part of the package."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield lambda name: importlib.import_module(f"quality.{name}")
    for name in [name for name in sys.modules if name.startswith("quality")]:
        del sys.modules[name]
