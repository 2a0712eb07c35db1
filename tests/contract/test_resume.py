"""A run that was killed goes on as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time

import pytest

from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study


pytestmark = pytest.mark.ray

# One worker: with more, the order of reports is the machine's and not the seed's.
ONE_WORKER = ["resources.cpu=2", "ray.num_cpus=2"]
LENGTH = ["num_trials=8", "training.iterations=9", "model.noise=0.1"]
QUADRATIC = "search_space=quadratic"
RUN = [QUADRATIC, *LENGTH]


@pytest.fixture
def hpo(tmp_path):
    """Run `python -m hpo_app`; kill it once its journal has so many lines."""

    def run(*arguments, kill_at=None):
        process = subprocess.Popen(
            [sys.executable, "-m", "hpo_app", *arguments],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 120
        while kill_at is not None and process.poll() is None:
            assert time.monotonic() < deadline
            journal = tmp_path / "cut" / "journal.jsonl"
            if journal.exists() and journal.read_bytes().count(b"\n") >= kill_at:
                os.kill(process.pid, signal.SIGKILL)
            time.sleep(0.01)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    return run


def dump(folder):
    """Everything of a study that does not depend on the clock."""
    return [
        (trial.number, trial.params, trial.seed, trial.state, trial.curve("loss"))
        for trial in load_study(folder).trials
    ]


@pytest.mark.parametrize(
    "search",
    [
        # Conditions, a rule and a prior.
        [
            "search_space=branches",
            "search_alg=optuna",
            "scheduler=asha",
            "prior_trials=3",
            "+search_space.y.prior=0.1",
        ],
        pytest.param([QUADRATIC, "scheduler=fifo"], marks=pytest.mark.soak),
        pytest.param(
            [QUADRATIC, "search_alg=optuna", "scheduler=asha", "constraints={cost: {max: 0.05}}"],
            marks=pytest.mark.soak,
        ),
        pytest.param(
            [
                QUADRATIC,
                "search_alg=optuna",
                "scheduler=fifo",
                "objectives=[{metric: loss, mode: min}, {metric: cost, mode: min}]",
            ],
            marks=pytest.mark.soak,
        ),
    ],
    ids=["branches", "fifo", "constraints", "objectives"],
)
def test_a_run_killed_twice_equals_one_that_was_never_killed(hpo, tmp_path, search):
    whole = hpo(*LENGTH, *ONE_WORKER, *search, "hydra.run.dir=whole")
    assert whole.returncode == 0, whole.stderr
    slow = ["model.step_time_s=0.02", "hydra.run.dir=cut"]
    assert hpo(*LENGTH, *ONE_WORKER, *search, *slow, kill_at=15).returncode == -signal.SIGKILL
    assert hpo("action=resume", "run=cut", kill_at=60).returncode == -signal.SIGKILL
    last = hpo("action=resume", "run=cut")
    assert last.returncode == 0, last.stderr
    assert dump(tmp_path / "cut") == dump(tmp_path / "whole")


def test_a_finished_run_is_extended(hpo, tmp_path):
    first = hpo(*RUN, "search_alg=optuna", "scheduler=asha", "hydra.run.dir=cut")
    assert first.returncode == 0, first.stderr
    before = dump(tmp_path / "cut")
    more = hpo("action=resume", "run=cut", "num_trials=12")
    assert more.returncode == 0, more.stderr
    after = dump(tmp_path / "cut")
    assert after[:8] == before
    assert [number for number, *_ in after] == list(range(12))
    assert load_study(tmp_path / "cut").stop_reason == "all 12 trials ended"
    fewer = hpo("action=resume", "run=cut", "num_trials=3")
    assert fewer.returncode == 2
    assert "at least 12, the trials that this run has begun" in fewer.stderr
    assert dump(tmp_path / "cut") == after


def test_an_interrupted_population_goes_on(hpo, tmp_path):
    arguments = ["search_space=quadratic", "scheduler=pbt", "num_trials=6"]
    slow = ["training.iterations=8", "model.step_time_s=0.05", "hydra.run.dir=cut"]
    assert hpo(*arguments, *slow, kill_at=40).returncode == -signal.SIGKILL
    done = hpo("action=resume", "run=cut")
    assert done.returncode == 0, done.stderr
    study = load_study(tmp_path / "cut")
    assert [trial.state for trial in study.trials] == [TrialState.FINISHED] * 6
    assert all(trial.iterations == 8 for trial in study.trials)


def test_changes_that_would_make_trials_incomparable_are_refused_all_at_once(hpo, tmp_path):
    hpo(*RUN, "num_trials=1", "hydra.run.dir=cut")
    before = (tmp_path / "cut" / "journal.jsonl").read_bytes()
    changes = ["search_space.x.low=-9", "objective.mode=max", "seed=3"]
    refused = hpo("action=resume", "run=cut", *changes)
    assert refused.returncode == 2
    for change in changes:
        assert f"{change.partition('=')[0]}\n" in refused.stderr
    assert refused.stderr.count("incomparable") == len(changes)
    assert (tmp_path / "cut" / "journal.jsonl").read_bytes() == before


@pytest.mark.parametrize("arguments", [["run=nowhere"], []], ids=["no such folder", "no folder"])
def test_without_a_run_folder_there_is_nothing_to_resume(hpo, tmp_path, arguments):
    refused = hpo("action=resume", *arguments)
    assert refused.returncode == 4
    assert "name one, for example run=outputs/DATE/TIME" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_where_the_run_folder_is_misspelt_the_newest_run_is_named(hpo, tmp_path):
    for name in ("2026-01-01/10-00-00", "2026-01-02/09-00-00"):
        (tmp_path / "outputs" / name).mkdir(parents=True)
        (tmp_path / "outputs" / name / "journal.jsonl").touch()
    refused = hpo("action=resume", "run=outputs/2026-01-02/nine")
    assert "run=outputs/2026-01-02/09-00-00\n" in refused.stderr
