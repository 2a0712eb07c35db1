from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from hpo_app.plan.criteria import Constraint
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.report.terminal import print_summary
from hpo_app.study.records import TrialState


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


def test_a_winner_beyond_a_constraint_is_called_the_nearest(make_study, make_trial):
    study = make_study(
        make_trial(0, [0.5, 0.5, 0.4], others={"cost": 0.2}),
        make_trial(1, [0.5, 0.5, 0.3], others={"cost": 0.3}),
        constraints=(Constraint("cost", max=0.1),),
    )
    lines = printed(study).splitlines()
    assert lines[0].split()[:4] == ["trial", "loss", "cost", "constraints"]
    assert lines[1].split("  ")[0] == "0 (default)"
    assert "not kept" in lines[1]
    text = " ".join(" ".join(lines).split())
    assert (
        "No trial keeps the constraint: the nearest, trial 0, has loss 0.4 after 3 iterations and "
        "does not keep cost at most 0.1 (0.2)."
    ) in text


def test_a_winner_that_was_not_trained_to_its_end_may_still_lose_what_it_keeps(
    make_study, make_trial
):
    study = make_study(
        make_trial(0, [0.5, 0.5, 0.4], others={"cost": 0.2}),
        make_trial(1, [0.5], others={"cost": 0.1}, state=TrialState.STOPPED),
        constraints=(Constraint("cost", max=0.1),),
    )
    text = " ".join(printed(study).split())
    assert "Trial 1 is best with loss 0.5 after 1 iteration:" in text
    assert "1 of 3 iterations: whether it keeps the constraints at its end is not known." in text


LOSS_AND_COST = (Objective("loss", Mode.MIN), Objective("cost", Mode.MIN))


def test_a_front_is_told_with_its_ranges_its_most_balanced_trial_and_the_default(
    make_study, make_trial
):
    values = [(0.9, 0.9), (0.0, 1.0), (1.0, 0.0), (0.3, 0.3)]
    trials = [
        make_trial(n, [9, 9, loss], others={"cost": cost}) for n, (loss, cost) in enumerate(values)
    ]
    text = " ".join(printed(make_study(*trials, objectives=LOSS_AND_COST)).split())
    assert text.startswith("trial loss cost iterations state time params 3 0.3 0.3 3 finished")
    assert (
        "3 trials are on the Pareto front, loss 0 to 1 and cost 0 to 1. Trial 3 is the most "
        "balanced one, with loss 0.3 and cost 0.3 after 3 iterations. 1 of 3 on the front are at "
        "least as good as the default configuration (loss 0.9 and cost 0.9) in every objective."
    ) in text


def test_a_default_on_the_front_and_a_front_of_nobody_are_said(make_study, make_trial):
    default = make_trial(0, [9, 9, 0.5], others={"cost": 0.5})
    text = " ".join(printed(make_study(default, objectives=LOSS_AND_COST)).split())
    assert "1 trial is on the Pareto front" in text
    assert "The default configuration is on the front." in text
    cut = make_trial(0, [0.5], others={"cost": 0.5}, state=TrialState.INTERRUPTED)
    text = " ".join(printed(make_study(cut, objectives=LOSS_AND_COST)).split())
    assert "No trial was trained to its end: the most balanced one so far has loss 0.5" in text
    assert "0 of 0" not in text


def test_a_confirmation_that_was_cut_off_is_not_passed_over(confirmed_study):
    study = confirmed_study()
    cut = replace(study.searched, fresh=study.fresh[:1])
    said = "Not confirmed yet: 1 training with fresh seeds has ended, and action=resume goes on"
    assert said in " ".join(printed(cut, width=200).split())
    assert "Not confirmed yet" not in printed(study, width=200)
    # The race was given up: the run goes on with confirm=none.
    given_up = replace(cut, is_to_confirm=False)
    assert "Not confirmed yet" not in printed(given_up, width=200)
