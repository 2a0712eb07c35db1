"""Checkpoints may be kept apart from the run folder: on a shared folder, or in a bucket."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from hpo_app.study.journal import read_events
from hpo_app.study.replay import load_study
from hpo_app.training.checkpoint import is_whole


pytestmark = pytest.mark.ray


def test_states_and_logs_are_kept_apart_and_the_winner_comes_home(search, tmp_path):
    shared = tmp_path / "shared"
    study = search("num_trials=3", "training.iterations=3", f"storage={shared}")
    (kept,) = shared.iterdir()
    (state,) = kept.glob("trials/*/checkpoint_*")
    home = study.folder / state.relative_to(kept)
    assert is_whole(state)
    assert is_whole(home)
    assert [path.name for path in kept.glob("trials/*/log.txt")] == ["log.txt"] * 3
    assert "iteration 3" in (study.folder / "trials/0/log.txt").read_text()
    assert not [path for path in kept.rglob("*") if "state-" in path.name or path.suffix == ".pkl"]


def test_a_population_goes_on_from_states_that_are_kept_apart(search, tmp_path):
    study = search(
        "num_trials=3", "training.iterations=6", "scheduler=pbt", f"storage={tmp_path / 'shared'}",
        "scheduler.perturbation_interval=2",
    )  # fmt: skip
    assert [trial.state.value for trial in study.trials] == ["finished"] * 3
    assert any(trial.clones for trial in study.trials)


@pytest.mark.parametrize(
    ("storage", "said"),
    [
        pytest.param("gs://bucket/runs", "expected  a folder, or s3://BUCKET/PREFIX", id="other"),
        pytest.param("s3://", "expected  a folder, or s3://BUCKET/PREFIX", id="no bucket"),
        pytest.param("s3://KEY:SeCrEtSeCrEt@bucket/runs", "leave the key out", id="a secret in it"),
    ],
)
def test_a_storage_that_is_none_is_refused(hpo, storage, said):
    done = hpo("search_space=quadratic", "action=plan", f"storage='{storage}'")
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "SeCrEt" not in done.stdout + done.stderr


def test_a_storage_that_cannot_be_written_is_refused_before_anything_starts(hpo, tmp_path):
    (tmp_path / "file").touch()
    done = hpo("search_space=quadratic", "num_trials=2", f"storage={tmp_path / 'file' / 'x'}")
    assert done.returncode == 5, done.stdout + done.stderr
    assert "storage\n" in done.stderr
    assert "a folder or a bucket that this user may write to" in done.stderr
    assert list((tmp_path / "outputs").iterdir()) == []


def start(tmp_path, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "hpo_app", *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def goes_on_after_a_kill(hpo, tmp_path, storage):
    """Kill a run whose states are kept apart, and go on with it; return what it then said."""
    quoted = f'storage="{storage}"' if "?" in str(storage) else f"storage={storage}"
    slow = ["num_trials=2", "training.iterations=20", "model.step_time_s=0.3"]
    run = start(tmp_path, "search_space=quadratic", *slow, "hydra.run.dir=run", quoted)
    journal = tmp_path / "run" / "journal.jsonl"
    while not (journal.exists() and journal.read_bytes().count(b"checkpointed") > 8):
        assert run.poll() is None, run.communicate()[0]
        time.sleep(0.1)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    refused = hpo("action=resume", "run=run")
    assert refused.returncode == 2, refused.stdout
    assert "a run folder cannot say where to write" in refused.stderr
    assert f"add '{quoted}'" in refused.stderr
    done = hpo("action=resume", "run=run", quoted)
    assert done.returncode == 0, done.stdout + done.stderr
    study, events = load_study(tmp_path / "run"), list(read_events(journal))
    assert [trial.state.value for trial in study.trials] == ["finished"] * 2
    continued = [event for event in events if event.name == "continued"]
    assert [event.fields["iteration"] > 0 for event in continued] == [True] * len(continued)
    assert continued
    winners = list((tmp_path / "run" / "trials").glob("*/checkpoint_*"))
    assert [is_whole(path) for path in winners] == [True]


@pytest.mark.soak
def test_a_killed_run_goes_on_from_states_that_are_kept_apart(hpo, tmp_path):
    goes_on_after_a_kill(hpo, tmp_path, tmp_path / "shared")


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """Serve S3 on this machine, with one bucket, and return where a run may keep its states."""
    pytest.importorskip("moto.server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tests")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of-nobody")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with (tmp_path / "bucket.txt").open("w") as said:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=said,
            stderr=said,
        )
        try:
            _make_bucket(f"http://127.0.0.1:{port}/states", tmp_path / "bucket.txt")
            yield f"s3://states/runs?scheme=http&endpoint_override=127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _make_bucket(url, said):
    deadline = time.monotonic() + 60
    while not _is_made(url):
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.2)


def _is_made(url):
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="PUT")).close()
    except OSError:
        return False
    return True


@pytest.mark.soak
def test_a_bucket_holds_states_that_a_killed_run_goes_on_from(hpo, tmp_path, bucket):
    goes_on_after_a_kill(hpo, tmp_path, bucket)
    assert "of-nobody" not in (tmp_path / "run" / "journal.jsonl").read_text()
    assert (tmp_path / "run/trials/0/log.txt").exists()


@pytest.mark.soak
def test_a_bucket_that_is_not_there_is_refused_before_anything_starts(hpo, bucket):
    other = bucket.replace("s3://states", "s3://another")
    done = hpo("search_space=quadratic", "num_trials=2", f"storage='{other}'")
    assert done.returncode == 5, done.stdout + done.stderr
    assert "s3://another/runs" in done.stderr
    assert "look at AWS_PROFILE or AWS_ACCESS_KEY_ID" in done.stderr
