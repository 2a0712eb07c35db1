"""What tests of the command line share: a real process in an empty folder."""

import subprocess
import sys

import pytest


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
