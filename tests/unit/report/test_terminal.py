from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from hpo_app.report.terminal import print_summary


TRAIN = "python -m hpo_app --config-path /somewhere/" + "long/" * 20 + " --config-name best"


def printed(study, width=100, folder=Path("outputs/run-1")):
    console = Console(file=io.StringIO(), width=width)
    print_summary(
        study,
        console,
        run_folder=folder,
        report_path=folder / "report" / "index.html",
        train_command=TRAIN,
    )
    return console.file.getvalue()


@pytest.fixture
def study_of_seven(make_study, make_trial, make_failed_trial):
    trials = [
        make_trial(n, [0.9, 0.8, 1.0 - n / 10], params={"lr": 0.1 / (n + 1), "same": 1})
        for n in range(7)
    ]
    return make_study(*trials, make_failed_trial(7))


def test_the_five_best_trials_are_shown_with_the_params_that_differ(study_of_seven):
    lines = printed(study_of_seven).splitlines()

    assert lines[0].split() == ["trial", "loss", "iterations", "state", "time", "params"]
    assert lines[1].split() == ["6", "0.4", "3", "finished", "10", "s", "lr=0.01429"]
    assert [line.split()[0] for line in lines[1:6]] == ["6", "5", "4", "3", "2"]
    assert not any("same=" in line for line in lines)


def test_the_result_the_ending_and_the_failures_are_said(study_of_seven):
    text = " ".join(printed(study_of_seven).split())

    assert "Trial 6 is best with loss 0.4 after 3 iterations: 0.6 lower than the default" in text
    assert "All trials ended. 8 of 8 trials in 1 min 00 s: 7 finished and 1 failed." in text
    assert "1 trial failed; trial 7: ValueError: bad lr" in text


@pytest.mark.parametrize("width", [40, 60, 100])
def test_the_command_to_train_stands_alone_and_unbroken(study_of_seven, width):
    assert TRAIN in printed(study_of_seven, width=width).splitlines()


@pytest.mark.parametrize("width", [60, 79, 80, 200])
def test_no_value_is_lost_at_any_width(study_of_seven, width):
    text = printed(study_of_seven, width=width)

    for shown in ("lr=0.01429", "lr=0.01667", "lr=0.02", "lr=0.025", "lr=0.03333"):
        assert shown in text


def test_paths_below_the_working_folder_are_shown_relative(study_of_seven, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    inside = printed(study_of_seven, folder=tmp_path / "outputs" / "a")
    outside = printed(study_of_seven, folder=tmp_path.parent / "elsewhere")
    assert "Report: outputs/a/report/index.html" in inside.splitlines()
    assert f"Report: {tmp_path.parent / 'elsewhere' / 'report' / 'index.html'}" in outside


def test_a_study_without_values_offers_nothing_to_train(make_study, make_failed_trial):
    text = printed(make_study(make_failed_trial(0)))

    assert "No trial has a value, so there is nothing to compare." in text
    assert TRAIN not in text


def test_names_steer_neither_the_terminal_nor_rich(study_with_hostile_names):
    text = printed(study_with_hostile_names, width=300)

    assert "\x1b" not in text
    assert "[red]" in text


def test_every_study_can_be_printed(hostile_study):
    assert "Folder: outputs/run-1" in printed(hostile_study)
