"""A run that learns from earlier ones: the sampler really does, and a kill changes nothing."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from hpo_app.config.parse import parse_plan
from hpo_app.config.stored import stored_config
from hpo_app.study.journal import read_events
from hpo_app.study.records import TrialState
from hpo_app.tuning.runner import run_search


pytestmark = pytest.mark.ray

# One worker: with more, the order of reports is the machine's and not the seed's.
FIXED = ["search_alg=optuna", "resources.cpu=2", "training.iterations=4", "model.noise=0.1"]


@pytest.fixture
def before(search):
    """An earlier run with trials that finished and trials that were stopped."""
    study = search(*FIXED, "scheduler=asha", "num_trials=12", "seed=1")
    assert study.in_state(TrialState.FINISHED)
    assert study.in_state(TrialState.STOPPED)
    return study.folder


def dump(study):
    """Everything of a study that does not depend on the clock."""
    return [
        (trial.number, trial.params, trial.seed, trial.state, trial.curve("loss"))
        for trial in study.trials
    ]


def test_a_warm_start_changes_what_is_proposed_and_is_repeatable(search, before):
    cold = search(*FIXED, "num_trials=4")
    warm, again = (search(*FIXED, "num_trials=4", f"warm_start=['{before}']") for _ in "ab")
    assert dump(warm) == dump(again)
    assert warm.trials[0].is_default
    assert dump(warm)[0] == dump(cold)[0]
    assert all(
        ours.params != theirs.params
        for ours, theirs in zip(warm.trials[1:], cold.trials[1:], strict=True)
    )
    opened = next(iter(read_events(warm.folder / "journal.jsonl")))
    states = {trial["state"] for trial in opened.fields["learned"]}
    assert states == {"finished", "stopped"}
    account = {"taken": 12, "left_out": {}, "differing": []}
    assert warm.facts["warm_start"] == {str(before): account}
    # What it learnt of is no trial of its own.
    assert [trial.number for trial in warm.trials] == [0, 1, 2, 3]


def test_a_warm_run_that_was_killed_equals_one_that_was_not(search, before, tmp_path, silent_view):
    arguments = [*FIXED, "num_trials=5", f"warm_start=['{before}']"]
    whole = search(*arguments)
    slow = ["search_space=quadratic", "model.step_time_s=0.02", "hydra.run.dir=cut"]
    command = [sys.executable, "-m", "hpo_app", *arguments, *slow, "ray.num_cpus=2"]
    cut = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    journal, deadline = tmp_path / "cut" / "journal.jsonl", time.monotonic() + 60
    while not journal.exists() or journal.read_bytes().count(b"\n") < 15:
        assert cut.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(cut.pid, signal.SIGKILL)
    said, _ = cut.communicate(timeout=60)
    assert f"warm start: 12 of 12 trials of {before} taken" in said.decode()
    shutil.rmtree(before)  # The journal has what was taken.
    plan = parse_plan(*stored_config(tmp_path / "cut"))
    resumed = run_search(plan, tmp_path / "cut", silent_view, {}, changes=[])
    assert dump(resumed) == dump(whole)
