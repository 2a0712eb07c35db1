"""A worker that dies costs its attempt and nothing else, and the record says how it died."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpo_app.study.journal import read_events
from hpo_app.study.records import TrialState


pytestmark = pytest.mark.ray

VANISHED = "vanished without a word"


@pytest.mark.parametrize(
    ("way", "text"),
    [
        ("exit", VANISHED),
        ("kill", VANISHED),
        ("abort", "crashed in compiled code: Aborted"),
        ("segfault", "crashed in compiled code: Segmentation fault"),
    ],
)
def test_a_worker_that_dies_fails_its_trial_with_the_reason(hostile_search, way, text):
    study = hostile_search("crashes", "num_trials=3", f"+model.way={way}")
    assert [trial.state.value for trial in study.trials] == ["finished", "failed", "finished"]
    assert text in study.trials[1].error.splitlines()[-1]
    # What Ray guesses would send a person the wrong way.
    assert "OOM killer" not in study.trials[1].error
    assert study.stop_reason == "all 3 trials ended"


def test_a_killed_worker_is_replaced_and_the_trial_goes_on_from_its_checkpoint(
    hostile_search, tmp_path
):
    study = hostile_search(
        "is_killed_once", "num_trials=2", "max_failures=2", f"+model.folder={tmp_path}"
    )
    for trial in study.trials:
        assert trial.state is TrialState.FINISHED
        assert trial.retries == 1
        assert [report.metrics["resumed"] for report in trial.reports] == [0, 0, 1, 1]
    events = list(read_events(study.folder / "journal.jsonl"))
    retried = [event for event in events if event.name == "retried"]
    assert all(VANISHED in event.fields["error"] for event in retried)
    for event in retried:
        (trial,) = (t for t in study.trials if t.number == event.fields["trial"])
        again_s = min(r.at_s for r in trial.reports if r.at_s > event.at_s)
        assert again_s - event.at_s > 1


def test_a_worker_that_dies_each_time_is_not_retried_for_ever(hostile_search):
    study = hostile_search("crashes", "num_trials=2", "max_failures=1", "+model.way=kill")
    assert study.trials[1].state is TrialState.FAILED
    assert study.trials[1].retries == 1


def test_what_a_trial_started_ends_with_its_killed_worker(hostile_search, tmp_path):
    pytest.importorskip("stable_baselines3")
    study = hostile_search(
        "has_children", "num_trials=1", f"+model.folder={tmp_path}", "+model.way=kill"
    )
    assert VANISHED in study.trials[0].error
    children = (tmp_path / "children.txt").read_text().split()
    assert len(children) == 3
    deadline = time.monotonic() + 10
    while any(map(_is_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in children if _is_alive(pid)] == []


def _is_alive(pid):
    return _stat_of(pid)[0] not in {"", "Z"}


@pytest.mark.soak
def test_a_worker_killed_for_memory_says_so_and_is_not_retried_for_ever(tmp_path):
    # Every worker uses more than a hundredth of the memory, together with the rest of the machine.
    environment = {**os.environ, "RAY_memory_usage_threshold": "0.01"}
    arguments = [
        *("search_space=quadratic", "num_trials=1", "max_failures=2", "training.iterations=50"),
        *("model.step_time_s=0.2", "hydra.run.dir=run"),
    ]
    done = subprocess.run(
        [sys.executable, "-m", "hpo_app", *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 3
    assert "ran low on memory" in done.stdout
    events = list(read_events(tmp_path / "run" / "journal.jsonl"))
    retried = [event for event in events if event.name == "retried"]
    assert len(retried) == 2
    assert all("ran low on memory" in event.fields["error"] for event in retried)


@pytest.mark.soak
def test_a_run_whose_ray_has_died_says_so_and_goes_on_later(tmp_path):
    command = [sys.executable, "-m", "hpo_app"]
    arguments = ["search_space=quadratic", "num_trials=2", "training.iterations=300"]
    run = subprocess.Popen(
        [*command, *arguments, "model.step_time_s=0.05", "hydra.run.dir=run"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = tmp_path / "run" / "journal.jsonl"
    while not (journal.exists() and journal.read_bytes().count(b"\n") > 20):
        assert run.poll() is None
        time.sleep(0.1)
    (control,) = [pid for pid in _below(run.pid) if "gcs_server" in _name_of(pid)]
    os.kill(int(control), signal.SIGKILL)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 5, err
    assert "gcs_server, a process of Ray itself, has ended" in err
    assert "action=resume run=run" in err
    before = [event for event in read_events(journal) if event.name == "reported"]
    done = subprocess.run(
        [*command, "action=resume", "run=run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    after = [event for event in read_events(journal) if event.name == "reported"]
    assert after[: len(before)] == before
    assert len(after) > len(before)


def _below(pid):
    """Return the numbers of all processes that a process has started, and those have."""
    processes = [path.name for path in Path("/proc").glob("[0-9]*")]
    parents = {process: _stat_of(process)[1] for process in processes}
    found = {str(pid)}
    for _ in range(4):
        found |= {child for child, parent in parents.items() if parent in found}
    return found


def _stat_of(pid):
    """Return state and parent of a process; nothing of one that is gone."""
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return "", ""


def _name_of(pid):
    try:
        return Path("/proc", pid, "comm").read_text()
    except OSError:
        return ""
