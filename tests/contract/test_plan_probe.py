"""A plan says how long a search takes by what one trial took, and leaves nothing behind."""

import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from hpo_app.plan.duration import _Rung


pytestmark = [pytest.mark.ray, pytest.mark.slow]

PLAN = ["search_space=quadratic", "action=plan", "plan.probe=true"]
SLOW = ["model.step_time_s=1.0", "training.iterations=5", "num_trials=4", "ray.num_cpus=2"]


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """Keep what is written for a while in a folder of the test's own."""
    temporary = tmp_path / "t"
    temporary.mkdir()
    # Ray's own files stay where its sockets have short names.
    monkeypatch.setenv("RAY_TMPDIR", "/tmp")
    monkeypatch.setenv("TMPDIR", str(temporary))
    return temporary


def left_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_probe_takes_the_time_of_one_report_and_leaves_nothing(hpo, tmp_path, alone):
    done = hpo(*PLAN, *SLOW)
    assert done.returncode == 0, done.stdout + done.stderr
    text = " ".join(done.stdout.split())
    took = float(re.search(r"the first iteration (\d\.?\d*) s;", text)[1])
    # Two and more are a machine that others need, and not a second report: there would be five.
    assert 1.0 <= took < 4.0
    assert re.search(r"search at most \d\d s: 2 waves of 5 iterations, none stopped early", text)
    assert re.search(r"0\.\d\d GB of memory, a checkpoint of \d+ bytes", text)
    assert left_in(tmp_path) == []


def test_what_the_default_configuration_raises_is_shown(hpo, tmp_path):
    done = hpo(*PLAN, "model.noise=much")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "1 problem in the probe\n\nthe default configuration\n" in done.stderr
    assert re.search("got +.*model.noise got", done.stderr.rpartition("1 problem")[2])
    assert "expected  its first report" in done.stderr
    assert "Traceback" not in done.stderr.rpartition("1 problem")[2]
    assert left_in(tmp_path) == []


@pytest.mark.soak
def test_a_probe_that_takes_too_long_is_ended(hpo, tmp_path):
    done = hpo(*PLAN, "model.step_time_s=100", "trial_timeout_s=3")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "one within trial_timeout_s=3" in done.stderr
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("wait_s", [1.0, 9.0], ids=["while Ray starts", "while it trains"])
def test_ctrl_c_ends_a_probe_at_once(tmp_path, alone, wait_s):
    command = [sys.executable, "-m", "hpo_app", *PLAN, "model.step_time_s=100"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    output = ""
    while "up to its first report" not in output:
        output += process.stdout.readline()
    time.sleep(wait_s)
    process.send_signal(signal.SIGINT)
    told_at = time.monotonic()
    _, errors = process.communicate(timeout=20)
    # The training itself would take 100 s.
    assert time.monotonic() - told_at < 10
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert left_in(tmp_path) == []
    mark = str(tmp_path).encode()
    assert not [path for path in Path("/proc").glob("[0-9]*/environ") if mark in _read(path)], (
        "a process of Ray's is left"
    )


def _read(path):
    try:
        return path.read_bytes() if path.parent.name != str(os.getpid()) else b""
    except OSError:
        return b""


@pytest.mark.parametrize("factor", [2, 3, 4.5])
def test_rungs_decide_as_those_of_ray(factor):
    from ray.tune.schedulers.async_hyperband import _Bracket

    bracket = _Bracket(min_t=1, max_t=1, reduction_factor=factor, s=0)
    ours, source = _Rung(1, factor), random.Random(3)
    for number in range(500):
        value = source.random()
        theirs = bracket.on_result(SimpleNamespace(trial_id=str(number)), 1, value)
        assert ours.lets_through(value) is (theirs == "CONTINUE")
