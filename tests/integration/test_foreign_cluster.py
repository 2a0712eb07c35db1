"""Local means local, whatever runs on the machine; and a cluster is named before it is used."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest


pytestmark = [pytest.mark.ray, pytest.mark.soak]

RUN = [
    "search_space=quadratic", "num_trials=2", "training.iterations=2", "trusted_modules=[foreign]",
    "model.trainer=foreign:train", "training.checkpoint_every=0",
]  # fmt: skip
TRAINER = """
import os

def train(model, data, training, trial):
    for _ in range(trial.iteration, training["iterations"]):
        trial.report({"loss": float(os.environ.get("HPO_TEST_FOREIGN", 0)) + 0.0 * model["x"]})
"""


@pytest.fixture
def trainer(tmp_path, monkeypatch):
    """Report whether the worker belongs to the foreign cluster."""
    (tmp_path / "foreign.py").write_text(TRAINER)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """Start a cluster that a plain `ray.init()` would join, and return its address."""
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setenv("TMPDIR", short)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = max(free.getsockname()[1], 20001)
        command = [
            str(Path(sys.executable).with_name("ray")), "start", "--head", "--block",
            f"--port={port}", "--num-cpus=2", "--include-dashboard=false",
            f"--temp-dir={short}/ray",
        ]  # fmt: skip
        environment = {**os.environ, "HPO_TEST_FOREIGN": "1", "RAY_AUTH_MODE": "disabled"}
        with (tmp_path / "cluster.txt").open("w+") as output:
            process = subprocess.Popen(
                command, stdout=output, stderr=output, env=environment, start_new_session=True
            )
            _wait_for(tmp_path / "cluster.txt", process)
            (address,) = set(
                re.findall(rf"[\d.]+:{port}\b", (tmp_path / "cluster.txt").read_text())
            )
            yield address
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)


def _wait_for(path, process):
    import time

    deadline = time.monotonic() + 60
    while "Ray runtime started" not in path.read_text():
        assert process.poll() is None, path.read_text()
        assert time.monotonic() < deadline, path.read_text()
        time.sleep(0.2)


def value_of(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return re.search(r"best so far (\S+)", done.stdout).group(1)


def test_a_run_joins_a_cluster_only_when_told_and_says_which(hpo, cluster, trainer, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", cluster)
    local = hpo(*RUN)
    assert value_of(local) == "0"
    assert "Ray cluster" not in local.stdout
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    joined = hpo(*RUN, f"ray.address={cluster}")
    assert value_of(joined) == "1"
    assert f"connecting to the Ray cluster at {cluster}\n" in joined.stdout
    assert f"trials run on the Ray cluster at {cluster}: 1 nodes, 2 CPUs, 0 GPUs" in joined.stdout


def test_a_taken_dashboard_port_stops_nothing(hpo):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(("127.0.0.1", 8265))
            taken.listen()
        except OSError:
            pass  # Somebody else has taken it, which serves as well.
        done = hpo("search_space=quadratic", "preset=quick_test", "ray.dashboard=true")
    assert done.returncode == 0, done.stderr
