"""Local means local, whatever runs on the machine; and a cluster is named before it is used."""

import csv
import os
import re
import socket

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
def cluster(ray_head):
    """Start a cluster that a plain `ray.init()` would join, and return its address."""
    return ray_head(HPO_TEST_FOREIGN="1", RAY_AUTH_MODE="disabled")


def value_of(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return re.search(r"best so far (\S+)", done.stdout).group(1)


def test_a_run_joins_a_cluster_only_when_told_and_says_which(hpo, cluster, trainer, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", cluster)
    local = hpo(*RUN)
    assert value_of(local) == "0"
    assert "Ray cluster" not in local.stdout
    joined = hpo(*RUN, f"ray.address={cluster}")
    assert value_of(joined) == "1"
    assert f"connecting to the Ray cluster at {cluster}\n" in joined.stdout
    assert f"trials run on the Ray cluster at {cluster}: 1 nodes, 2 CPUs, 0 GPUs" in joined.stdout


def test_a_sweep_shares_the_cluster_that_its_searches_are_told_of(hpo, cluster, trainer, tmp_path):
    told = ["hydra/launcher=ray", "hydra.sweep.dir=sweep", f"ray.address={cluster}"]
    done = hpo("-m", *RUN, *told, "seed=1,2")
    assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "sweep" / "sweep.csv").open() as file:
        assert [float(row["best"]) for row in csv.DictReader(file)] == [1.0, 1.0]
    nowhere = hpo("-m", *RUN, *told[:1], "ray.address=127.0.0.1:1", "seed=1,2")
    assert nowhere.returncode == 5
    assert "ray.address\n  got       127.0.0.1:1, where nobody listens" in nowhere.stderr


def test_a_plan_names_the_nodes_of_the_cluster_that_it_is_for(hpo, cluster, monkeypatch):
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    planned = hpo(*RUN[:3], "action=plan", f"ray.address={cluster}", "resources.memory_gb=0.01")
    assert planned.returncode == 0, planned.stderr
    text = " ".join(planned.stdout.split())
    assert f"nodes the Ray cluster at {cluster}: 2 CPUs, 0 GPUs, " in text
    assert "GB of memory: 2 slots memory 0.01 GB each, 0.02 GB at once" in text
    refused = hpo(*RUN[:3], "action=plan", f"ray.address={cluster}", "resources.cpu=3")
    assert refused.returncode == 5
    assert "at most 2, the CPUs that trials can use on one node" in refused.stderr


def test_a_plan_for_a_cluster_that_is_not_there_says_what_it_knows(hpo):
    planned = hpo(*RUN[:3], "action=plan", "ray.address=127.0.0.1:9")
    assert planned.returncode == 0, planned.stderr
    text = " ".join(planned.stdout.split())
    assert "nodes not known: 127.0.0.1:9, where nobody listens" in text
    assert "as wide as the cluster at 127.0.0.1:9 allows" in text


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
