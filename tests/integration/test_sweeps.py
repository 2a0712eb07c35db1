"""Sweeps: several searches by one command, one after the other or at once on one Ray."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from hpo_app.study.journal import read_events
from hpo_app.study.replay import load_study
from hpo_app.study.sweep import SweepRecord


TRAINERS = Path(__file__).parents[1] / "trainers"
QUICK = ["search_space=quadratic", "preset=quick_test", "num_trials=2", "training.iterations=2"]
ON_RAY = ["hydra/launcher=ray", "ray.num_cpus=2"]
SLOW = [
    "search_space=quadratic",
    "num_trials=2",
    "training.iterations=4",
    "model.trainer=faulty:sleeps",
    "trusted_modules=[faulty]",
]

pytestmark = [pytest.mark.ray, pytest.mark.timeout(600)]


def command(*arguments):
    return [sys.executable, "-m", "hpo_app", *arguments]


def environment(**variables):
    path = os.pathsep.join([str(TRAINERS), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, **variables}


def run(folder, *arguments, **variables):
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def rows(folder):
    with (folder / "sweep.csv").open() as file:
        return list(csv.DictReader(file))


def journals(folder):
    return {path.parent.name: path.read_bytes() for path in folder.glob("*/journal.jsonl")}


@pytest.fixture(scope="module")
def crashed(tmp_path_factory):
    """A sweep of four searches on two CPUs, two of which kill themselves; and what it said."""
    folder = tmp_path_factory.mktemp("sweep")
    done = run(
        folder,
        "-m",
        *QUICK,
        *ON_RAY,
        "seed=1,2",
        "search_alg._target_=dying.DyingSampler,optuna.samplers.RandomSampler",
        "trusted_modules=[dying]",
        "hydra.sweep.dir=sweep",
        DYING=str(folder / "died"),
    )
    return folder, done


def test_searches_that_die_stop_no_others_and_are_not_run_again(crashed):
    folder, done = crashed
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr
    assert (folder / "died").read_text() == "died\n" * 2
    assert {row["number"]: row["trials_ended"] for row in rows(folder / "sweep")} == {
        "0": "0", "1": "2", "2": "0", "3": "2"
    }  # fmt: skip
    for number in "13":
        names = [event.name for event in read_events(folder / "sweep" / number / "journal.jsonl")]
        assert names.count("opened") == 1
    assert done.stdout.count("killed by SIGKILL") == 2


def test_each_search_gets_its_part_of_what_trials_can_hold(crashed):
    folder, done = crashed
    assert "4 searches, 2 at once" in done.stdout
    config = yaml.safe_load((folder / "sweep" / "1" / ".hydra" / "config.yaml").read_text())
    # The part is this sweep's matter: a search that is gone on with alone has all there is.
    assert config["resources"]["max_concurrent_trials"] is None
    first, second = sorted(load_study(folder / "sweep" / "1").trials, key=lambda t: t.started_s)
    assert second.started_s >= first.ended_s
    assert config["ray"]["address"] == "local"


def test_every_line_names_its_search_and_what_trials_print_is_in_files(crashed):
    folder, done = crashed
    told = [line for line in done.stdout.splitlines() if "] trial " in line]
    assert len(told) == 4
    assert all(line.startswith(("1 seed=1 ", "3 seed=2 ")) for line in told)
    assert (folder / "sweep" / "sweep.log").read_text().count("] trial ") == 4
    assert "Train the best configuration" in (folder / "sweep" / "1" / "search.log").read_text()


def test_a_sweep_ends_with_a_table_a_file_and_a_page(crashed):
    folder, done = crashed
    assert "sweep/1" in done.stdout
    assert "action=resume run=sweep 'trusted_modules=[dying]'" in done.stdout
    page = (folder / "sweep" / "report" / "index.html").read_text()
    assert "Sweep of 4 searches" in page
    assert "Settings that differ" in page
    best = load_study(folder / "sweep" / "1").trials
    value = float(next(row["best"] for row in rows(folder / "sweep") if row["number"] == "1"))
    assert value == min(trial.value("loss") for trial in best)


def test_a_sweep_goes_on_with_what_is_missing_and_keeps_the_rest(crashed):
    folder, _ = crashed
    before = journals(folder / "sweep")
    refused = run(folder, "action=resume", "run=sweep")
    assert refused.returncode == 2
    assert "if it is yours, add 'trusted_modules=[dying]'" in refused.stderr
    done = run(folder, "action=resume", "run=sweep", "trusted_modules=[dying]")
    assert done.returncode == 0, done.stderr + done.stdout
    after = journals(folder / "sweep")
    assert {number: after[number] for number in before} == before
    assert [row["state"] for row in rows(folder / "sweep")] == ["complete"] * 4
    again = run(folder, "action=report", "run=sweep", "output=elsewhere")
    assert again.returncode == 0, again.stderr
    assert (folder / "elsewhere" / "index.html").exists()


def test_what_a_launcher_would_hang_or_run_twice_on_is_refused(tmp_path):
    of_the_task = [f"hydra.launcher.ray.remote.{text}" for text in ("num_gpus=1", "num_cpus=null")]
    retried = "hydra.launcher.ray.remote.max_retries=3"
    done = run(tmp_path, "-m", *QUICK, *ON_RAY, "seed=1,2", *of_the_task, retried, "action=plan")
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.startswith("4 problems in the config\n")
    assert "what a trial holds is resources.cpu" in done.stderr
    assert done.stderr.count("its trials would wait for it for ever") == 2
    assert "would be run again in the same folder" in done.stderr
    assert f"set by    command line: {retried}" in done.stderr
    assert "only searches share a Ray" in done.stderr
    assert list((tmp_path / "multirun").rglob("*.yaml")) == []


def test_a_sweep_that_is_refused_leaves_the_folder_of_another_as_it_was(tmp_path):
    # Before its first search has a folder, nothing else shows that it is there.
    SweepRecord(tmp_path, ("seed=1,2",), "").write()
    (tmp_path / "multirun.yaml").write_text("of the first\n")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    done = run(tmp_path, "-m", *QUICK, "seed=3,4", f"hydra.sweep.dir={tmp_path}")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "a folder that holds no sweep yet" in done.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_sweep_says_what_is_wrong_before_its_first_search(tmp_path):
    (tmp_path / "file").touch()
    nowhere = run(tmp_path, "-m", *QUICK, "seed=1,2", "hydra.sweep.dir=file/sweep")
    assert nowhere.returncode == 5
    assert "file/sweep\n  got       Not a directory" in nowhere.stderr
    planned = run(tmp_path, "-m", *QUICK, "hydra.sweep.dir=file/sweep", "action=plan")
    assert (planned.returncode, planned.stderr) == (5, nowhere.stderr)
    choice = run(tmp_path, "-m", *QUICK, "seed=1,2", "scheduler=fifo,ashaa")
    assert choice.returncode == 2
    assert choice.stderr.startswith("1 problem in the config\n\nscheduler\n  got       ashaa\n")
    assert "set by    command line: scheduler=fifo,ashaa\n" in choice.stderr
    for outside in ("../${hydra.job.num}", "."):
        refused = run(tmp_path, "-m", *QUICK, "seed=1", f"hydra.sweep.subdir={outside}")
        assert "a folder inside that of the sweep" in refused.stderr
        assert refused.returncode == 2
    inside = run(tmp_path, "-m", *QUICK, "seed=1,2", "hydra/sweeper=hpo")
    assert inside.returncode == 2
    assert "hpo makes a search of an app of your own" in inside.stderr
    assert list((tmp_path / "multirun").iterdir()) == []


@pytest.mark.soak
def test_a_sweep_that_is_told_to_end_ends_its_searches_and_can_be_gone_on_with(tmp_path):
    own = ["--config-dir", "my_conf"]
    (tmp_path / "my_conf").mkdir()
    with subprocess.Popen(
        command("-m", *own, *SLOW, *ON_RAY, "seed=1,2", "hydra.sweep.dir=sweep"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        wait_for_reports(process, tmp_path / "sweep", ["0", "1"])
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=90)
    assert process.returncode == 130, out + err
    assert "Traceback" not in err
    for number in "01":
        study = load_study(tmp_path / "sweep" / number)
        assert study.stop_reason == "signal SIGINT"
        assert not (tmp_path / "sweep" / number / ".lock").exists()
    again = [*own, "action=resume", "run=sweep", "trusted_modules=[faulty]"]
    refused = run(tmp_path, *again, "max_failures=-1")
    assert refused.returncode == 2, refused.stdout + refused.stderr
    # What no search could take is refused once, and not by each.
    assert refused.stderr.count("set by    command line: max_failures=-1") == 1
    assert refused.stdout == ""
    done = run(tmp_path, *again, "max_failures=1")
    assert done.returncode == 0, done.stdout + done.stderr
    for number in "01":
        folder = tmp_path / "sweep" / number
        assert load_study(folder).is_complete
        assert "resumed" in [event.name for event in read_events(folder / "journal.jsonl")]


@pytest.mark.soak
def test_a_sweep_whose_ray_was_told_to_end_too_waits_for_its_searches_and_leaves_no_ray(tmp_path):
    # As `timeout` and systemd tell it: all processes of the group.
    with subprocess.Popen(
        command("-m", *SLOW, *ON_RAY, "seed=1,2", "hydra.sweep.dir=sweep"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        wait_for_reports(process, tmp_path / "sweep", ["0", "1"])
        os.killpg(process.pid, signal.SIGTERM)
        out, err = process.communicate(timeout=90)
    assert process.returncode == 143, out + err
    assert [row["state"] for row in rows(tmp_path / "sweep")] == ["can be resumed"] * 2
    with pytest.raises(ProcessLookupError):  # Nobody is left in it.
        os.killpg(process.pid, 0)


@pytest.mark.soak
def test_a_sweep_of_one_search_at_a_time_goes_on_after_a_kill(tmp_path):
    with subprocess.Popen(
        command("-m", *SLOW, "ray.num_cpus=2", "seed=1,2", "hydra.sweep.dir=sweep"),
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.DEVNULL,
    ) as process:
        wait_for_reports(process, tmp_path / "sweep", ["0"])
        process.kill()
    done = run(tmp_path, "action=resume", "run=sweep", "trusted_modules=[faulty]")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [row["state"] for row in rows(tmp_path / "sweep")] == ["complete"] * 2
    before = journals(tmp_path / "sweep")
    again = run(tmp_path, "action=resume", "run=sweep", "trusted_modules=[faulty]")
    assert again.returncode == 0, again.stdout + again.stderr
    assert journals(tmp_path / "sweep") == before


def test_the_example_of_a_sweep_by_optuna_runs_and_goes_on(tmp_path):
    small = ["num_trials=3", "training.iterations=4", "hydra.sweeper.n_trials=1"]
    done = run(
        tmp_path, "sweep=tune_the_tuner", "search_space=quadratic", *small, "ray.num_cpus=2",
        "hydra.sweep.dir=sweep",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = yaml.safe_load((tmp_path / "sweep" / "optimization_results.yaml").read_text())
    values = [float(row["best"]) for row in rows(tmp_path / "sweep")]
    assert found["best_value"] == min(values)
    before = journals(tmp_path / "sweep")
    longer = run(tmp_path, "action=resume", "run=sweep", "hydra.sweeper.n_trials=2")
    assert longer.returncode == 0, longer.stdout + longer.stderr
    after = journals(tmp_path / "sweep")
    assert {number: after[number] for number in before} == before
    assert len(rows(tmp_path / "sweep")) == 2


@pytest.mark.parametrize(
    ("folders", "reason"),
    [(["../elsewhere"], "leads out of the sweep"), (["0", "1"], "two searches with one number")],
)
def test_a_record_that_no_sweep_has_written_is_refused(tmp_path, folders, reason):
    searches = [{"number": 0, "overrides": [], "folder": folder} for folder in folders]
    record = {"command": "", "arguments": [], "searches": searches}
    (tmp_path / "sweep.json").write_text(json.dumps(record))
    done = run(tmp_path, "action=report", f"run={tmp_path}")
    assert done.returncode == 4
    assert reason in done.stderr


@pytest.mark.parametrize("launcher", ["basic", "ray"])
def test_a_record_names_no_code_that_nobody_typed(tmp_path, launcher):
    named = ["model=function", "model.function=faulty:train", "objective.metric=loss"]
    arguments = (*QUICK[:1], *named, "num_trials=1", "seed=1", f"hydra/launcher={launcher}")
    SweepRecord(tmp_path, arguments, "").write()
    done = run(tmp_path, "action=resume", f"run={tmp_path}", "trusted_modules=[net]")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "a name that hpo_app ships, or one inside trusted_modules" in done.stdout + done.stderr
    assert (tmp_path / "sweep.json").exists()


def wait_for_reports(process, folder, numbers):
    deadline = time.monotonic() + 200
    paths = [folder / number / "journal.jsonl" for number in numbers]
    while not all(path.exists() and '"event":"reported"' in path.read_text() for path in paths):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "no report"
        time.sleep(0.1)
