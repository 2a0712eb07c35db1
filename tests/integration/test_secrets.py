"""A secret goes into the training, and nowhere else."""

import os
import stat
import sys
import tempfile
from pathlib import Path

import pytest

from hpo_app.config.best import read_best
from hpo_app.errors import EXIT_CONFIG, EXIT_FAILED_TRIALS, RunFolderError
from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study


TRAINERS = Path(__file__).parents[1] / "trainers"
CANARY = "cnry-4f9d2e\"&'51ab"
RUN = [
    "search_space=quadratic",
    "num_trials=2",
    "training.iterations=2",
    "model.trainer=leaky:tells_all",
    "trusted_modules=[leaky]",
    "hydra.run.dir=run",
]


@pytest.fixture
def ray_folder(monkeypatch):
    """A folder of our own for the session of Ray; short, because sockets are in it."""
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        monkeypatch.setenv("RAY_TMPDIR", folder)
        yield Path(folder)


def files_with(text, *folders):
    """Names and contents: which files under `folders` tell of `text`."""
    paths = [path for folder in folders for path in folder.rglob("*")]
    pieces = [text.encode(), text[:9].encode()]
    return [
        path
        for path in paths
        if text in path.name
        or (path.is_file() and any(piece in path.read_bytes() for piece in pieces))
    ]


@pytest.mark.ray
def test_a_secret_of_the_environment_is_used_and_told_nobody(
    hpo, tmp_path, ray_folder, monkeypatch
):
    monkeypatch.setenv("HUB_TOKEN", CANARY)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TRAINERS), *sys.path]))
    done = hpo(*RUN, "+model.api_key=${oc.env:HUB_TOKEN}")
    assert done.returncode == EXIT_FAILED_TRIALS, done.stderr
    study = load_study(tmp_path / "run")
    assert [trial.state for trial in study.trials] == [TrialState.FINISHED, TrialState.FAILED]
    assert study.trials[1].error.endswith("'api_key': '***'}")
    log = (tmp_path / "run" / "trials" / "1" / "log.txt").read_text()
    told = [
        "the key is ***",
        "logged: {'key': '***'}",
        "below Python ***",
        "a child: ***",
        "***\nthe last line",
    ]
    assert [line for line in told if line not in log] == []
    assert CANARY[:9] not in done.stdout + done.stderr
    assert list(ray_folder.rglob("*.log"))
    assert files_with(CANARY, tmp_path, ray_folder) == []
    assert stat.S_IMODE((tmp_path / "run").stat().st_mode) == 0o700
    # The winner trains as it is, wherever the variable is set.
    best = tmp_path / "run" / "best.yaml"
    assert "api_key: ${oc.env:HUB_TOKEN}" in best.read_text()
    assert read_best(best).rendered.model["api_key"] == CANARY
    monkeypatch.delenv("HUB_TOKEN")
    with pytest.raises(RunFolderError, match="export HUB_TOKEN="):
        read_best(best)


def test_a_resolved_config_shows_no_secret(hpo, monkeypatch):
    monkeypatch.setenv("HUB", CANARY)
    done = hpo(
        "search_space=quadratic", "+model.api_key=${oc.env:HUB}", "--cfg", "job", "--resolve"
    )
    assert done.returncode == 0, done.stderr
    assert "api_key: '***'" in done.stdout or "api_key: ***" in done.stdout
    assert CANARY[:9] not in done.stdout


def test_a_secret_that_was_typed_is_refused_before_it_is_written(hpo, tmp_path, monkeypatch):
    monkeypatch.setenv("HUB_TOKEN", CANARY)
    other = "swordfish-of-the-day"
    done = hpo(
        *RUN,
        f"+model.api_key={other}",
        f"+hydra.job.env_set.DB_PASSWORD={other}",
        f"+model.hub={{url: here, credentials: {other}}}",
        f"+model.note='{CANARY}'",
    )
    assert done.returncode == EXIT_CONFIG
    assert done.stderr.startswith("4 problems in the config")
    assert "+model.api_key=***" in done.stderr
    assert "write 'model.api_key=${oc.env:API_KEY}'" in done.stderr
    assert "write 'model.note=${oc.env:HUB_TOKEN}'" in done.stderr
    assert other not in done.stdout + done.stderr
    assert CANARY not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
