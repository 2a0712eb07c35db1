"""What reads run folders: action=report and action=list, by a real process and without Ray."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from hpo_app.study.journal import FILE_NAME, Journal
from hpo_app.study.lock import run_lock


def write_run(
    folder, *, ends=True, number=3, metric="loss", started_at="2026-11-01T10:00:00+00:00"
):
    """Write the journal of a run over `lr`, in which each trial is better than the one before."""
    folder.mkdir(parents=True)
    journal = Journal.create(folder / FILE_NAME)
    journal.append(
        "opened",
        schema=1,
        run_id=folder.name,
        metric=metric,
        mode="min",
        space={"lr": {"type": "loguniform", "low": 1e-4, "high": 1.0}},
        num_trials=number,
        iterations=2,
        seed=0,
        facts={
            "started_at": started_at,
            "command": "python -m hpo_app search_space=mine",
            "choices": {"search_space": "mine", "model": "mine", "search_alg": "random"},
        },
    )
    for trial in range(number):
        is_open = not ends and trial == number - 1
        params = {"lr": 0.1 / (trial + 1)}
        journal.append("asked", trial=trial, params=params, is_default=trial == 0, seed=trial)
        journal.append("started", trial=trial)
        for iteration in (1, 2)[: 1 if is_open else 2]:
            metrics = {metric: 1.0 / (trial + iteration)}
            journal.append("reported", trial=trial, iteration=iteration, metrics=metrics)
        if not is_open:
            journal.append("ended", trial=trial, state="finished", told="COMPLETE")
    if ends:
        journal.append("closed", reason=f"all {number} trials ended")
    journal.close()
    return folder


def files_below(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_report_is_made_again_from_the_journal_alone(hpo, tmp_path):
    folder = write_run(tmp_path / "outputs" / "2026-11-01" / "10-00-00")
    before = files_below(folder)
    done = hpo("action=report", f"run={folder}")
    assert done.returncode == 0, done.stderr
    assert "Trial 2 is best with loss 0.25 after 2 iterations" in done.stdout
    page = (folder / "report" / "index.html").read_text()
    assert "python -m hpo_app search_space=mine" in page
    assert f"action=train best={os.path.relpath(folder, tmp_path)}/best.yaml" in page
    assert {name: text for name, text in files_below(folder).items() if name in before} == before
    assert [path.name for path in (tmp_path / "outputs").iterdir()] == ["2026-11-01"]


def test_a_report_goes_where_it_is_told_also_of_a_run_that_goes_on(hpo, tmp_path):
    folder = write_run(tmp_path / "a run=[1]", ends=False)
    with run_lock(folder):
        done = hpo("action=report", f"run={folder}", "output=made/here")
    assert done.returncode == 0, done.stderr
    assert "The run has not ended. 3 of 3 trials" in done.stdout
    assert (tmp_path / "made" / "here" / "index.html").exists()
    assert not (folder / "report").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        pytest.param([], 4, "name one, for example run=outputs/DATE/TIME", id="no run"),
        pytest.param(["run=nowhere"], 4, "a journal", id="no such run"),
        pytest.param(["run=ours", "num_trials=3"], 2, "action=report starts nothing", id="more"),
        pytest.param(["run=[[a]]"], 2, "a run folder, or several in brackets", id="no folder"),
        pytest.param(["run=ours", "output=file/x"], 4, "output", id="no place"),
    ],
)
def test_a_report_that_cannot_be_is_a_message(hpo, tmp_path, arguments, code, text):
    write_run(tmp_path / "ours")
    (tmp_path / "file").write_text("mine")
    done = hpo("action=report", *arguments)
    assert done.returncode == code
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert not any((tmp_path / "outputs").glob("*"))


def test_the_runs_are_listed_newest_first_with_how_they_stand(hpo, tmp_path):
    day = tmp_path / "outputs" / "2026-11-01"
    write_run(day / "10-00-00")
    write_run(day / "11-00-00", ends=False, started_at="2026-11-01T11:00:00+00:00")
    running = write_run(day / "12-00-00", ends=False, started_at="2026-11-01T12:00:00+00:00")
    broken = write_run(tmp_path / "outputs" / "broken")
    (broken / FILE_NAME).write_text("what is this\n" * 3)
    with run_lock(running):
        done = hpo("action=list")
    assert done.returncode == 0, done.stderr
    head, *rows, last = done.stdout.splitlines()
    assert head.split() == ["started", "choices", "trials", "best", "state", "folder"]
    assert [
        next(state for state in ("running now", "can be resumed", "complete") if state in row)
        for row in rows
    ] == ["running now", "can be resumed", "complete"]
    assert "mine, random  3 of 3  loss 0.25" in rows[2]
    assert rows[2].rstrip().endswith("outputs/2026-11-01/10-00-00")
    assert last.startswith("outputs/broken cannot be read: ")


def test_a_lock_that_a_process_left_behind_does_not_count_as_running(hpo, tmp_path):
    folder = write_run(tmp_path / "outputs" / "a")
    owner = {"pid": 2**22 + 1, "host": os.uname().nodename, "started_at": "", "birth": "1"}
    (folder / ".lock").write_text(json.dumps(owner))
    assert "complete" in hpo("action=list").stdout
    assert (folder / ".lock").exists()


@pytest.mark.parametrize("arguments", [[], ["run=empty"]])
def test_where_there_is_no_run_the_list_says_so(hpo, tmp_path, arguments):
    (tmp_path / "empty").mkdir()
    done = hpo("action=list", *arguments)
    assert done.returncode == 0
    assert done.stdout == f"no run in {'empty' if arguments else 'outputs'}\n"


def test_a_folder_that_is_not_there_cannot_be_listed(hpo):
    done = hpo("action=list", "run=nowhere")
    assert done.returncode == 4
    assert "a folder with runs below it" in done.stderr


@pytest.mark.parametrize("form", ["optuna", "csv", "parquet"])
def test_an_export_lies_in_the_run_folder(hpo, tmp_path, form):
    folder = write_run(tmp_path / "ours")
    done = hpo("action=export", f"run={folder}", f"to={form}")
    assert done.returncode == 0, done.stderr
    names = [path.name for path in sorted((folder / "export").iterdir())]
    wanted = ["optuna.db"] if form == "optuna" else [f"curves.{form}", f"trials.{form}"]
    assert names == wanted
    assert all(f"ours/export/{name}" in done.stdout for name in names)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        pytest.param(["run=ours"], 2, "one of optuna, csv and parquet", id="no format"),
        pytest.param(["run=ours", "to=parket"], 2, "write to=parquet", id="near miss"),
        pytest.param(["to=csv"], 4, "the folder of a run", id="no run"),
        pytest.param(["run=[ours,ours]", "to=csv"], 4, "ours, ours", id="two runs"),
    ],
)
def test_an_export_that_cannot_be_is_a_message(hpo, tmp_path, arguments, code, text):
    write_run(tmp_path / "ours")
    done = hpo("action=export", *arguments)
    assert done.returncode == code
    assert text in done.stderr


def test_optuna_dashboard_opens_what_was_exported(hpo, tmp_path):
    pytest.importorskip("optuna_dashboard")
    write_run(tmp_path / "ours")
    assert hpo("action=export", "run=ours", "to=optuna").returncode == 0
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start = "from optuna_dashboard._cli import main; main()"
    storage = f"sqlite:///{tmp_path / 'ours' / 'export' / 'optuna.db'}"
    server = subprocess.Popen(
        [sys.executable, "-c", start, storage, "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        (study,) = answer(server, f"http://127.0.0.1:{port}/api/studies")["study_summaries"]
        assert study["study_name"] == "ours"
        told = answer(server, f"http://127.0.0.1:{port}/api/studies/{study['study_id']}")
        assert [trial["values"] for trial in told["trials"]] == [[0.5], [1 / 3], [0.25]]
    finally:
        server.kill()
        server.wait()


def answer(server, url):
    for _ in range(300):
        assert server.poll() is None
        with contextlib.suppress(OSError), urllib.request.urlopen(url) as response:
            return json.load(response)
        time.sleep(0.1)
    raise AssertionError(f"no answer from {url}")


def test_runs_are_set_side_by_side_in_a_folder_of_their_own(hpo, tmp_path):
    write_run(tmp_path / "a<b>")
    write_run(tmp_path / "b", number=5)
    done = hpo("action=report", "run=['a<b>',b]")
    assert done.returncode == 0, done.stderr
    assert "b has loss 0.1667, the best; a<b> has loss 0.25." in done.stdout
    (path,) = (tmp_path / "outputs").glob("*/*/index.html")
    page = path.read_text()
    assert page.count('<path class="run run-') == 2
    assert "<td>num_trials</td><td>3</td><td>5</td>" in page
    assert "a<b>" not in page
    told = hpo("action=report", "run=['a<b>',b]", "output=told")
    assert (tmp_path / "told" / "index.html").read_text() == page
    assert "told/index.html" in told.stdout


@pytest.mark.parametrize(
    ("second", "text"),
    [("other", "a: loss, min; other: cost, min"), ("a", "name each of them once")],
)
def test_runs_that_do_not_compare_are_refused(hpo, tmp_path, second, text):
    write_run(tmp_path / "a")
    write_run(tmp_path / "other", metric="cost")
    done = hpo("action=report", f"run=[a,{second}]")
    assert done.returncode == 4
    assert text in done.stderr
    assert not any((tmp_path / "outputs").glob("*"))
