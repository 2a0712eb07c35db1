"""A full disk ends a run in order, costs nothing that was recorded, and the run goes on later."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest

from hpo_app.actions.command import Command
from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import EXIT_RESOURCES, StorageError
from hpo_app.study import files
from hpo_app.study.journal import read_events
from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study


pytestmark = pytest.mark.ray

TRAINERS = Path(__file__).parents[1] / "trainers"


class Notices:
    """A view that keeps what it is told."""

    def __init__(self):
        self.texts = []

    def changed(self, event, trial):
        pass

    def refresh(self, elapsed_s):
        pass

    def notice(self, text):
        self.texts.append(text)


def plan_of(function, *overrides):
    fixed = ["search_space=quadratic", "trusted_modules=[filling]"]
    trainer = f"model.trainer=filling:{function}"
    return parse_plan(*compose_config([*fixed, trainer, *overrides]))


@pytest.fixture
def run(local_ray, monkeypatch):
    """Start or continue a search in a folder; return study and view."""
    from hpo_app.tuning.runner import run_search

    monkeypatch.syspath_prepend(str(TRAINERS))

    def start(folder, function, *overrides, changes=None):
        view = Notices()
        folder.mkdir(exist_ok=True)
        return run_search(plan_of(function, *overrides), folder, view, {}, changes=changes), view

    return start


def grow(disk, size):
    subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)


def reported(study):
    return {
        trial.number: [(report.iteration, report.metrics["loss"]) for report in trial.reports]
        for trial in study.trials
    }


def cut_off_and_none_failed(study):
    # Of two workers one may be through with a trial before the other has written much.
    states = {trial.state for trial in study.trials}
    assert TrialState.INTERRUPTED in states
    assert states <= {TrialState.INTERRUPTED, TrialState.FINISHED}


SAVES = ["num_trials=4", "training.iterations=6", "+model.size=1000000"]


def test_a_disk_that_checkpoints_fill_ends_the_run_and_fails_no_trial(run, small_disk):
    disk = small_disk("4500k")
    cut, view = run(disk / "run", "saves", *SAVES)
    assert cut.stop_reason.startswith(f"disk full at {disk}/run (")
    cut_off_and_none_failed(cut)
    assert any("may not fit" in text for text in view.texts)
    before = reported(cut)
    assert before == reported(load_study(disk / "run"))
    assert all(before.values())
    grow(disk, "40m")
    whole, view = run(disk / "run", "saves", *SAVES, changes=[])
    assert {trial.state for trial in whole.trials} == {TrialState.FINISHED}
    assert [len(curve) for curve in reported(whole).values()] == [6] * 4
    for number, curve in before.items():
        assert reported(whole)[number][: len(curve)] == curve
    assert all("goes on from checkpoint" in text for text in view.texts)
    events = list(read_events(disk / "run" / "journal.jsonl"))
    assert [event.seq for event in events] == list(range(len(events)))


def test_a_disk_that_a_log_fills_ends_the_run_and_fails_no_trial(run, small_disk):
    disk = small_disk("2m")
    arguments = ["num_trials=4", "training.iterations=30", "+model.size=200000"]
    cut, _ = run(disk / "run", "prints", *arguments, "training.checkpoint_every=0")
    assert cut.stop_reason.startswith("disk full at ")
    cut_off_and_none_failed(cut)


def test_a_retry_is_not_spent_on_a_full_disk(run, small_disk):
    disk = small_disk("4500k")
    cut, _ = run(disk / "run", "saves", *SAVES, "max_failures=3")
    assert cut.stop_reason.startswith("disk full at ")
    cut_off_and_none_failed(cut)
    assert {trial.retries for trial in cut.trials} == {0}


def test_a_disk_without_room_for_the_journal_leaves_it_whole(run, tmp_path, monkeypatch):
    # On a disk that is really full it is chance who writes first, the driver or a trial.
    monkeypatch.setenv("HPO_FAILPOINT", "write:30:full")
    monkeypatch.setattr(files, "_passes", Counter())
    folder = tmp_path / "run"
    arguments = ["num_trials=2", "training.iterations=40", "training.checkpoint_every=0"]
    with pytest.raises(StorageError, match=r"disk full at .*journal\.jsonl\n") as full:
        run(folder, "prints", *arguments, "+model.size=0")
    assert full.value.exit_code == EXIT_RESOURCES
    assert f"action=resume run={folder}" in full.value.problems[0].fix
    before = reported(load_study(folder))
    assert sum(map(len, before.values())) >= 5
    monkeypatch.delenv("HPO_FAILPOINT")
    whole, _ = run(folder, "prints", *arguments, "+model.size=0", changes=[])
    assert [trial.state for trial in whole.trials] == [TrialState.FINISHED] * 2
    for number, curve in before.items():
        assert reported(whole)[number][: len(curve)] == curve


def test_results_that_find_no_room_can_be_written_later(run, small_disk, capsys):
    from hpo_app.actions.optimize import search
    from hpo_app.signals import Signals

    disk = small_disk("2m")
    folder = disk / "run"
    folder.mkdir()
    arguments = ["num_trials=2", "training.iterations=3", f"+model.folder={disk}"]
    plan = plan_of("fills_at_the_end", *arguments, "training.checkpoint_every=0")
    command = Command(
        read_plan=lambda: plan,
        read_settings=lambda: None,
        read_reading=lambda: None,
        folder=folder,
        best=None,
        changes=(),
        signals=Signals(),
        started_by="",
    )
    with pytest.raises(OSError, match="No space left"):
        search(command)
    assert len(load_study(folder).in_state(TrialState.FINISHED)) == 2
    (disk / "ballast").unlink()
    assert search(command, changes=()).exit_code == 0
    assert (folder / "report" / "index.html").exists()
    assert "2 of 2 trials" in capsys.readouterr().out


def test_a_budget_that_the_trials_that_train_exceed_ends_the_run_in_order(run, tmp_path):
    cut, view = run(tmp_path / "run", "saves", *SAVES, "checkpoints.budget_gb=0.0015")
    assert cut.stop_reason.startswith("checkpoints.budget_gb is too small: ")
    assert cut.in_state(TrialState.FAILED) == []
    assert any("more than checkpoints.budget_gb=0.0015" in text for text in view.texts)
    whole, _ = run(tmp_path / "run", "saves", *SAVES, "checkpoints.budget_gb=0.0045", changes=[])
    assert len(whole.in_state(TrialState.FINISHED)) == 4


def test_a_run_keeps_the_checkpoints_of_its_best_and_can_be_made_longer(run, tmp_path):
    short, _ = run(tmp_path / "run", "saves", *SAVES, "checkpoints.keep_best=2")
    best = sorted(short.trials, key=lambda trial: trial.reports[-1].metrics["loss"])[:2]
    left = {path.parent.name for path in (tmp_path / "run" / "trials").glob("*/checkpoint_*")}
    assert left == {str(trial.number) for trial in best}
    longer = [*SAVES, "num_trials=6", "checkpoints.keep_best=1"]
    whole, view = run(tmp_path / "run", "saves", *longer, changes=[])
    assert len(whole.in_state(TrialState.FINISHED)) == 6
    assert view.texts == []
    left = list((tmp_path / "run" / "trials").glob("*/checkpoint_*"))
    winner = min(whole.trials, key=lambda trial: trial.reports[-1].metrics["loss"])
    assert [path.parent.name for path in left] == [str(winner.number)]
