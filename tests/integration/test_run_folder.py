"""A run folder that a person names: nothing of theirs is removed or written over."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study


TRAINERS = Path(__file__).parents[1] / "trainers"
QUICK = ["search_space=quadratic", "preset=quick_test"]


@pytest.fixture
def start(tmp_path):
    """Start `python -m hpo_app`, and do not wait for it."""

    def run(*arguments):
        return subprocess.Popen(
            [sys.executable, "-m", "hpo_app", *arguments],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


@pytest.mark.parametrize("arguments", [["action=plan"], ["num_trials=0"], ["resources.cpu=9999"]])
@pytest.mark.parametrize("folder", [".", "mine", "mine/deeper"])
def test_a_run_that_never_began_leaves_a_persons_files_alone(hpo, tmp_path, arguments, folder):
    files = [tmp_path / "thesis.txt", tmp_path / "mine" / "data.csv"]
    (tmp_path / "mine" / "deeper").mkdir(parents=True)
    for file in files:
        file.write_text("precious")
    hpo(*QUICK, *arguments, f"hydra.run.dir={folder}")
    assert [file.read_text() for file in files] == ["precious", "precious"]
    assert not (tmp_path / folder / ".hydra").exists()


@pytest.mark.parametrize("arguments", [["action=plan"], [], ["num_trials=0"]])
def test_a_folder_that_holds_a_run_is_refused_before_anything_is_written(hpo, tmp_path, arguments):
    (tmp_path / "run" / ".hydra").mkdir(parents=True)
    (tmp_path / "run" / "journal.jsonl").write_text("the truth")
    (tmp_path / "run" / ".hydra" / "config.yaml").write_text("the config")
    done = hpo(*QUICK, *arguments, "hydra.run.dir=run")
    assert done.returncode == 2
    assert "go on with it by action=resume run=run" in done.stderr
    assert (tmp_path / "run" / "journal.jsonl").read_text() == "the truth"
    assert (tmp_path / "run" / ".hydra" / "config.yaml").read_text() == "the config"


@pytest.mark.ray
def test_awkward_folders_and_a_stray_cluster_address_stop_nothing(hpo, tmp_path, monkeypatch):
    long = tmp_path / f"zeit weilig ü {'x' * 120}"
    long.mkdir()
    monkeypatch.setenv("TMPDIR", str(long))
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")
    done = hpo(*QUICK, "hydra.run.dir='läuft hier/a run'")
    assert done.returncode == 0, done.stderr
    assert f"{long}/ray has " in done.stdout
    assert (tmp_path / "läuft hier" / "a run" / "report" / "index.html").exists()
    assert not (tmp_path / "läuft hier" / "a run" / ".lock").exists()


@pytest.mark.ray
def test_of_two_that_start_in_one_folder_at_once_one_runs_and_the_other_is_refused(start, tmp_path):
    both = [start(*QUICK, f"seed={seed}", "hydra.run.dir=run") for seed in (1, 2)]
    outs = [process.communicate(timeout=120) for process in both]
    codes = [process.returncode for process in both]
    assert sorted(codes) == [0, 4]
    winner = codes.index(0)
    assert f"got       process {both[winner].pid} on " in outs[1 - winner][1]
    # What Hydra wrote is of the one that runs.
    assert f"seed: {winner + 1}\n" in (tmp_path / "run" / ".hydra" / "config.yaml").read_text()
    study = load_study(tmp_path / "run")
    assert study.seed == winner + 1
    assert len(study.in_state(TrialState.FINISHED)) == 5


def test_outputs_that_cannot_be_written_are_a_message(hpo, small_disk, tmp_path):
    disk = small_disk("1m", "ro")
    for folder in (f"{disk}/run", f"{disk}/${{seed}}"):
        done = hpo(*QUICK, f"hydra.run.dir={folder}")
        assert done.returncode == 5
        assert done.stderr.startswith(f"1 problem in the disk\n\n{disk}/")
        assert "got       Read-only file system\n" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.soak
def test_fifty_starts_in_one_second_have_fifty_folders(start, tmp_path):
    train = ["action=train", "search_space=quadratic", "training.iterations=1"]
    started = [start(*train) for _ in range(50)]
    errors = [process.communicate(timeout=280)[1] for process in started]
    assert errors == [""] * 50
    assert {process.returncode for process in started} == {0}
    assert len(list((tmp_path / "outputs").glob("*/*/evaluation.json"))) == 50


def test_a_training_that_fills_the_disk_is_a_message(hpo, small_disk, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", f"{TRAINERS}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    disk = small_disk("1m")
    own = ["model.trainer=filling:saves", "trusted_modules=[filling]", "+model.size=3000000"]
    done = hpo("action=train", "search_space=quadratic", *own, f"hydra.run.dir={disk}/run")
    assert done.returncode == 5
    assert f"\ndisk full at {disk}/run" in done.stderr
    assert "Traceback" not in done.stderr
