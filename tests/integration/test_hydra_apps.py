"""Hydra apps as a person wrote them, tuned both ways without an edit."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpo_app.study.replay import load_study


APPS = Path(__file__).parents[1] / "apps"
ROOT = Path(__file__).parents[2]
SWEEP = ("-m", "hydra/sweeper=hpo", "hydra.sweeper.ray.num_cpus=2", "hydra.sweep.dir=swept")
# The same search in every test of the app that reports.
SEQUENCE = (
    "rate=interval(0.05,0.4)",
    "epoch_s=0.2",
    "hydra.sweeper.metric=loss",
    "hydra.sweeper.iterations=${epochs}",
    "hydra.sweeper.preset=standard",
    "hydra.sweeper.num_trials=6",
    "hydra.sweeper.scheduler=asha",
)


@pytest.fixture
def place(tmp_path):
    """A folder of a person's own with both apps, and nothing of this checkout in it."""
    shutil.copytree(APPS, tmp_path / "apps")
    return tmp_path


def command(app, *arguments):
    return [sys.executable, "-W", "ignore", app, *arguments]


def environment():
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def start(folder, app, *arguments):
    return subprocess.run(
        command(app, *arguments),
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def job(folder):
    return json.loads((folder / "seen.json").read_text())


def test_a_sweep_of_an_unedited_app_is_one_search_with_jobs_like_those_of_hydra(place) -> None:
    folder = place / "apps" / "image_net"
    lr = "optimizer.lr=tag(log,interval(1e-4,1.0))"
    done = start(
        folder, "src/train.py", *SWEEP, lr, "model=small,large", "data.batch_size=32",
        "hydra.sweeper.num_trials=5",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    run = folder / "swept"
    study = load_study(run)
    assert len(study.trials) == 5
    # Trial 0 is what the app runs by itself.
    assert study.trials[0].params == {"optimizer.lr": 0.5, "model": "small"}
    assert len({job(run / str(number))["pid"] for number in range(5)}) <= 2  # Warm workers.
    for name in ("multirun.yaml", "journal.jsonl", "best.yaml", "report/index.html"):
        assert (run / name).exists()

    # The winner by the command that was printed, and the same job by Hydra's own sweeper.
    printed = done.stdout.splitlines()[-1]
    assert printed.startswith("python src/train.py data.batch_size=32 optimizer.lr=")
    best = min(study.trials, key=lambda trial: trial.last["value"])
    plain = start(folder, "src/train.py", "-m", "hydra.sweep.dir=plain", *printed.split()[2:])
    assert plain.returncode == 0, plain.stderr
    ours, theirs = run / str(best.number), folder / "plain" / "0"
    for name in ("config.yaml", "overrides.yaml"):
        assert (ours / ".hydra" / name).read_text() == (theirs / ".hydra" / name).read_text()
    seen, expected = job(ours), job(theirs)
    assert seen["output_dir"] == str(ours)
    assert seen["num"] == best.number
    for key in ("cwd", "name", "overrides", "dirname"):
        assert seen[key] == expected[key]
    assert sorted(path.name for path in ours.iterdir()) == sorted(
        path.name for path in theirs.iterdir()
    )


@pytest.mark.soak
def test_a_killed_sweep_goes_on_by_the_same_command(place) -> None:
    folder = place / "apps" / "sequence"
    run = folder / "swept"
    killed = subprocess.Popen(
        command("train.py", *SWEEP, *SEQUENCE),
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 100
    while reports(run) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    before = load_study(run)
    assert before.trials

    # Another command is another search.
    other = [text for text in SEQUENCE if not text.startswith("rate")]
    refused = start(
        folder, "train.py", *SWEEP, *other, "rate=interval(0.1,0.4)", "hydra.sweeper.resume=swept"
    )
    assert refused.returncode == 2
    assert "its trials could not be compared" in refused.stderr
    # Nor does the folder decide what is run.
    unnamed = subprocess.run(
        [sys.executable, "-m", "hpo_app", "action=resume", f"run={run}"],
        cwd=folder, env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert unnamed.returncode == 2
    assert "a file cannot have any code run" in unnamed.stderr

    done = start(folder, "train.py", *SWEEP, *SEQUENCE, "hydra.sweeper.resume=swept")
    assert done.returncode == 0, done.stderr
    study = load_study(run)
    assert len(study.trials) == 6
    assert study.is_complete
    for trial in before.trials:
        kept = study.trials[trial.number]
        assert kept.params == trial.params
        assert kept.reports[: len(trial.reports)] == trial.reports
    # The scheduler saw the app's reports.
    assert {trial.iterations for trial in study.trials} > {6}
    # A job stands in its own folder (hydra.job.chdir), and its resolver was there.
    assert (run / "job_0" / "trace.txt").exists()
    # No epoch was trained twice by a trial that had ended, and one that was cut off went on.
    ended = [trial for trial in before.trials if trial.state.value in ("finished", "stopped")]
    for trial in ended:
        epochs = (run / f"job_{trial.number}" / "trace.txt").read_text().splitlines()
        assert len(epochs) == len({line.split()[0] for line in epochs})


def reports(run):
    try:
        return (run / "journal.jsonl").read_text().count('"reported"')
    except OSError:
        return 0


def test_an_app_is_a_model_of_ours(search, place, monkeypatch) -> None:
    monkeypatch.chdir(place)
    space = [f"~search_space.{name}" for name in ("rate", "depth", "kind", "x")]
    study = search(
        "model=hydra_app",
        "model.app=apps/sequence/train.py",
        "model.overrides=['data=apps/sequence/data/target.txt']",
        *space,
        "+search_space.rate={type: uniform, low: 0.05, high: 0.4, default: 0.1}",
        "+search_space.wide={type: choice, values: [4, 16]}",
        "+model.keys={wide: width}",
        "objective.metric=loss",
        "training.iterations=6",
        "num_trials=3",
        "scheduler=asha",
    )
    assert [trial.error for trial in study.trials] == [None] * 3
    assert study.trials[0].iterations in (2, 6)
    written = (study.folder / "job_1" / ".hydra" / "overrides.yaml").read_text()
    assert "width=" in written
    assert study.trials[1].params["wide"] in (4, 16)


def test_mistakes_in_a_sweep_are_said_before_anything_starts(place) -> None:
    folder = place / "apps" / "image_net"
    done = start(folder, "src/train.py", *SWEEP, "optimzer.lr=interval(0,1)", "model=small,lrage")
    assert done.returncode == 2
    assert "optimzer" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "swept").exists()
