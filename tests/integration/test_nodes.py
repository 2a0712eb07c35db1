"""Nodes come and go under a run: what they trained goes on elsewhere, and new ones are used."""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from hpo_app.study.journal import read_events
from hpo_app.study.replay import load_study


pytestmark = [pytest.mark.ray, pytest.mark.soak]


@pytest.fixture
def cluster(monkeypatch):
    """Start a cluster of this machine, whose nodes are processes with names of their own."""
    from ray.cluster_utils import Cluster

    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        monkeypatch.setenv("TMPDIR", short)
        monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
        started = Cluster(initialize_head=True, head_node_args=node("head", 1))
        yield started
        started.shutdown()


def node(name, num_cpus):
    return {"num_cpus": num_cpus, "node_name": name, "include_dashboard": False}


@pytest.fixture
def run(cluster, tmp_path):
    """Start a search on the cluster, and return its process and its folder."""
    started = []

    def start(*arguments, place=tmp_path):
        command = [
            sys.executable, "-m", "hpo_app", "search_space=quadratic", "hydra.run.dir=run",
            f"ray.address={cluster.address}", *arguments,
        ]  # fmt: skip
        with (tmp_path / "said.txt").open("w") as said:
            process = subprocess.Popen(
                command, cwd=place, stdout=said, stderr=said, env={**os.environ}
            )
        started.append(process)
        return process, place / "run"

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def wait_for(process, folder, is_there, limit_s=90):
    deadline = time.monotonic() + limit_s
    while not (folder / "journal.jsonl").exists() or not is_there(events_of(folder)):
        assert process.poll() is None, folder
        assert time.monotonic() < deadline, folder
        time.sleep(0.2)


def events_of(folder):
    return list(read_events(folder / "journal.jsonl"))


def most_at_once(events):
    training, most = set(), 0
    for event in events:
        if event.name == "started":
            training.add(event.fields["trial"])
        elif event.name in {"ended", "moved"}:
            training.discard(event.fields["trial"])
        most = max(most, len(training))
    return most


def test_a_lost_node_costs_its_trial_no_attempt_and_a_new_one_is_used(cluster, run, tmp_path):
    cluster.add_node(**node("first", 1))
    second = cluster.add_node(**node("second", 1))
    process, folder = run("num_trials=8", "training.iterations=30", "model.step_time_s=0.5")
    wait_for(process, folder, lambda events: most_at_once(events) == 3)
    wait_for(process, folder, lambda events: sum(e.name == "checkpointed" for e in events) > 9)
    cluster.remove_node(second, allow_graceful=False)
    wait_for(process, folder, lambda events: any(e.name == "moved" for e in events))
    cluster.add_node(**node("third", 2))
    assert process.wait(timeout=240) == 0, (tmp_path / "said.txt").read_text()
    study, events = load_study(folder), events_of(folder)
    said = (tmp_path / "said.txt").read_text()
    assert [trial.state.value for trial in study.trials] == ["finished"] * 8
    (lost,) = [event for event in events if event.name == "moved"]
    number = lost.fields["trial"]
    assert "The worker was lost with its node." in lost.fields["error"]
    assert f"trial {number} goes on elsewhere: its node was lost" in said
    assert "second left the cluster: room for " in said
    assert "third joined the cluster: room for " in said
    assert "failed" not in said
    assert most_at_once(events) == 4
    # From its checkpoint: no iteration is missing, and few were trained twice.
    reported = [
        e.fields["iteration"]
        for e in events
        if e.name == "reported" and e.fields["trial"] == number
    ]
    assert sorted(set(reported)) == list(range(1, 31))
    assert len(reported) <= 30 + 2


TRAINER = """
import os
from pathlib import Path

from hpo_app.training.models import quadratic

def train(model, data, training, trial):
    seen = os.environ.get("HPO_TEST_HIDDEN")
    if seen:
        Path(seen, f"trial-{trial.number}").touch()
    quadratic.train(model, data, training, trial)
"""


@pytest.fixture
def hidden(cluster, tmp_path):
    """Add a node that sees nothing of the folder from which runs are started."""
    with hidden_node(cluster, tmp_path) as node:
        yield node


@contextlib.contextmanager
def hidden_node(cluster, tmp_path):
    folder = tmp_path / "here"
    folder.mkdir(exist_ok=True)
    (folder / "mine.py").write_text(TRAINER)
    (tmp_path / "seen").mkdir()
    if subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        pytest.skip("needs root, to hide a folder from a node")
    ray = Path(sys.executable).with_name("ray")
    start = f"{ray} start --address={cluster.address} --block --num-cpus=1 --node-name=hidden"
    with (tmp_path / "hidden.txt").open("w") as said:
        node = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", f"mount -t tmpfs none {folder} && exec {start}"],
            stdout=said,
            stderr=said,
            env={**os.environ, "HPO_TEST_HIDDEN": str(tmp_path / "seen")},
            start_new_session=True,
        )
    deadline = time.monotonic() + 60
    while len(cluster.global_state._live_node_ids()) < 2:
        assert time.monotonic() < deadline, (tmp_path / "hidden.txt").read_text()
        time.sleep(0.2)
    try:
        yield node
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(node.pid, signal.SIGKILL)
        node.wait()


MINE = ["model.trainer=mine:train", "trusted_modules=[mine]"]


def test_a_node_out_of_reach_is_named_before_the_first_trial(cluster, hidden, run, tmp_path):
    process, folder = run("num_trials=4", *MINE, place=tmp_path / "here")
    assert process.wait(timeout=120) == 5
    said = (tmp_path / "said.txt").read_text()
    assert f"null, for the run folder {folder}; hidden: does not see it" in said
    assert "set storage=PATH to a folder on a file system that all nodes share" in said
    assert not (folder / "journal.jsonl").exists()
    assert list((tmp_path / "here").rglob(".seen-*")) == []


def test_a_node_out_of_reach_that_joins_later_is_named(cluster, run, tmp_path):
    (tmp_path / "here").mkdir()
    slow = ["num_trials=4", "training.iterations=60", "model.step_time_s=0.5"]
    process, folder = run(*slow, place=tmp_path / "here")
    wait_for(process, folder, lambda events: most_at_once(events) == 1)
    with hidden_node(cluster, tmp_path):
        deadline = time.monotonic() + 60
        expected = "hidden does not see it ("
        while expected not in (said := (tmp_path / "said.txt").read_text()):
            assert time.monotonic() < deadline, said
            time.sleep(0.2)
        assert f"what it trains fails; it needs {folder}" in " ".join(said.split())
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    assert list((tmp_path / "here").rglob(".seen-*")) == []


def test_a_sweep_names_a_node_that_does_not_see_its_folder(cluster, hidden, tmp_path):
    done = subprocess.run(
        [
            sys.executable, "-m", "hpo_app", "-m", "search_space=quadratic", "num_trials=2",
            "seed=1,2", "hydra/launcher=ray", "hydra.sweep.dir=sweep",
            f"ray.address={cluster.address}",
        ],
        cwd=tmp_path / "here", capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 5, said
    folder = tmp_path / "here" / "sweep"
    assert f"hydra.sweep.dir\n  got       {folder}; hidden: does not see it" in said
    assert list(folder.rglob("journal.jsonl")) == []


def test_a_node_out_of_reach_trains_own_code_with_a_storage_and_its_trial_goes_on_elsewhere(
    cluster, hidden, run, tmp_path
):
    slow = ["num_trials=3", "training.iterations=30", "model.step_time_s=0.5"]
    # As typed from the folder that the node does not see.
    process, folder = run(*slow, *MINE, "storage=../shared", place=tmp_path / "here")
    wait_for(process, folder, lambda events: sum(e.name == "checkpointed" for e in events) > 9)
    (there,) = (int(path.name.removeprefix("trial-")) for path in (tmp_path / "seen").iterdir())
    os.killpg(hidden.pid, signal.SIGKILL)
    assert process.wait(timeout=240) == 0, (tmp_path / "said.txt").read_text()
    study, events = load_study(folder), events_of(folder)
    assert list((tmp_path / "shared").glob("*/trials/*/checkpoint_*"))
    assert [trial.state.value for trial in study.trials] == ["finished"] * 3
    assert [event.fields["trial"] for event in events if event.name == "moved"] == [there]
    reported = [
        e.fields["iteration"] for e in events if e.name == "reported" and e.fields["trial"] == there
    ]
    assert sorted(set(reported)) == list(range(1, 31))
    assert len(reported) <= 30 + 2
    assert (folder / "trials" / str(there) / "log.txt").read_text().count("goes on after") == 1
