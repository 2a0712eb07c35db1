"""What these tests share: a real process in an empty folder, and the modules of a benchmark."""

import importlib
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
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


@pytest.fixture
def ray_head(tmp_path, monkeypatch):
    """Start clusters by `ray start --head`, as a person does, each at a port of its own."""
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setenv("TMPDIR", short)
        started = []

        def start(**environment):
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = max(free.getsockname()[1], 20001)
            command = [
                str(Path(sys.executable).with_name("ray")), "start", "--head", "--block",
                f"--port={port}", "--num-cpus=2", "--include-dashboard=false",
                f"--temp-dir={short}/ray",
            ]  # fmt: skip
            said = tmp_path / f"cluster-{port}.txt"
            with said.open("w") as output:
                process = subprocess.Popen(
                    command,
                    stdout=output,
                    stderr=output,
                    env={**os.environ, **environment},
                    start_new_session=True,
                )
            started.append(process)
            _wait_for(said, process)
            (address,) = set(re.findall(rf"[\d.]+:{port}\b", said.read_text()))
            return address

        yield start
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(timeout=60)


def _wait_for(path, process):
    deadline = time.monotonic() + 60
    while "Ray runtime started" not in path.read_text():
        assert process.poll() is None, path.read_text()
        assert time.monotonic() < deadline, path.read_text()
        time.sleep(0.2)
