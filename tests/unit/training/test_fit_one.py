from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from hpo_app.errors import RunFolderError
from hpo_app.training.checkpoint import (
    is_whole,
    read_iteration,
    save_checkpoint,
    write_iteration,
)
from hpo_app.training.contract import ConfigurationError, ReportError
from hpo_app.training.fit_one import LocalTrial, fit_by_schedule, fit_one
from hpo_app.training.start_state import same_start


if TYPE_CHECKING:
    from hpo_app.training.contract import Trial


def count(
    model: dict[str, Any], data: dict[str, Any], training: dict[str, Any], trial: Trial
) -> None:
    """A trainer whose state is how often it was called for a step."""
    state = trial.checkpoint / "steps.json" if trial.checkpoint else None
    steps = json.loads(state.read_text()) if state else 0
    folder = Path(data["scratch"])
    for _ in range(trial.iteration, training["iterations"]):
        steps += 1
        (folder / "steps.json").write_text(json.dumps(steps))
        trial.report(
            {"steps": steps, "cpus": trial.num_cpus, "seed": trial.seed},
            checkpoint=folder if trial.is_checkpoint_due else None,
        )


def silent(
    model: dict[str, Any], data: dict[str, Any], training: dict[str, Any], trial: Trial
) -> None:
    """A trainer that breaks its promise."""


def fit(scratch: Path, iterations: int, every: int = 0, **options: Any) -> list[dict[str, float]]:
    scratch.mkdir(exist_ok=True)
    training = {"iterations": iterations, "checkpoint_every": every}
    return fit_one(
        count, {}, {"scratch": str(scratch)}, training, metric="steps", seed=11, **options
    )


def test_the_reports_are_returned_in_order(tmp_path: Path) -> None:
    reports = fit(tmp_path, 3, num_cpus=2)

    assert reports == [{"steps": float(n), "cpus": 2.0, "seed": 11.0} for n in (1, 2, 3)]


def test_each_report_is_passed_on_with_its_iteration(tmp_path: Path) -> None:
    seen: list[tuple[int, float]] = []
    fit(
        tmp_path, 3, on_report=lambda iteration, metrics: seen.append((iteration, metrics["steps"]))
    )

    assert seen == [(1, 1.0), (2, 2.0), (3, 3.0)]


def test_the_newest_checkpoint_is_kept_and_continued_from(tmp_path: Path) -> None:
    newest = tmp_path / "runs" / "newest"
    fit(tmp_path / "a", 5, every=2, folder=newest)

    assert read_iteration(newest) == 5
    assert sorted(path.name for path in newest.parent.iterdir()) == ["newest"]

    rest = fit(tmp_path / "b", 7, folder=newest, checkpoint=newest)

    assert [report["steps"] for report in rest] == [6.0, 7.0]
    assert read_iteration(newest) == 7


def test_a_finished_trial_has_nothing_left_to_report(tmp_path: Path) -> None:
    fit(tmp_path / "a", 2, folder=tmp_path / "newest")

    assert fit(tmp_path / "b", 2, checkpoint=tmp_path / "newest") == []


@pytest.mark.parametrize(
    ("every", "expected"), [(0, [5]), (2, [2, 4, 5]), (1, [1, 2, 3, 4, 5]), (5, [5]), (9, [5])]
)
def test_checkpoints_are_due_at_their_interval_and_at_the_end(
    tmp_path: Path, every: int, expected: list[int]
) -> None:
    trial = LocalTrial("loss", 0, iterations=5, checkpoint_every=every, folder=tmp_path / "newest")
    due = []
    for iteration in range(1, 6):
        due += [iteration] * trial.is_checkpoint_due
        trial.report({"loss": 0.0})

    assert due == expected


def test_no_checkpoint_is_due_without_a_folder() -> None:
    assert not LocalTrial("loss", 0, iterations=1, checkpoint_every=1).is_checkpoint_due


def test_a_refused_report_counts_for_nothing(tmp_path: Path) -> None:
    trial = LocalTrial("loss", 0, iterations=1, folder=tmp_path / "newest")
    with pytest.raises(ReportError):
        trial.report({"los": 1.0}, checkpoint=tmp_path)

    assert (trial.iteration, trial.reports) == (0, [])
    assert not (tmp_path / "newest").exists()


def test_no_report_at_all_is_an_error() -> None:
    with pytest.raises(ReportError, match=r"returned without a report; .*\"loss\""):
        fit_one(silent, {}, {}, {"iterations": 2}, metric="loss", seed=0)


def test_a_trainer_may_stop_by_itself() -> None:
    def satisfied(model: Any, data: Any, training: dict[str, Any], trial: Trial) -> None:
        trial.report({"loss": 0.5})

    reports = fit_one(satisfied, {}, {}, {"iterations": 9}, metric="loss", seed=0)

    assert reports == [{"loss": 0.5}]


def test_what_the_trainer_changes_in_its_settings_stays_with_it() -> None:
    def greedy(model: dict[str, Any], data: Any, training: dict[str, Any], trial: Trial) -> None:
        trial.report({"loss": model.pop("loss")})
        training.clear()

    model, training = {"loss": 1.0}, {"iterations": 1}
    fit_one(greedy, model, {}, training, metric="loss", seed=0)

    assert (model, training) == ({"loss": 1.0}, {"iterations": 1})


def test_a_saved_checkpoint_replaces_all_of_the_former_one(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "inner").mkdir(parents=True)
    (source / "inner" / "weights").write_text("new")
    target.mkdir()
    (target / "left_over").write_text("old")

    save_checkpoint(source, target, 4)

    assert (target / "inner" / "weights").read_text() == "new"
    assert sorted(path.name for path in target.iterdir()) == ["inner", "trial.json"]
    assert read_iteration(target) == 4
    assert sorted(path.name for path in source.iterdir()) == ["inner"]


def test_what_a_killed_process_left_behind_does_not_hinder_the_next(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name in (".target.partial", ".target.former"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "half").write_text("half")

    save_checkpoint(source, tmp_path / "target", 1)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "target"]
    assert [path.name for path in (tmp_path / "target").iterdir()] == ["trial.json"]


def test_the_iteration_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_iteration(tmp_path, 12)

    assert json.loads((tmp_path / "trial.json").read_text())["iteration"] == 12
    assert read_iteration(tmp_path) == 12


def test_a_checkpoint_with_a_changed_byte_is_not_whole(tmp_path: Path) -> None:
    (tmp_path / "weights.bin").write_bytes(b"0123456789")
    assert not is_whole(tmp_path)
    write_iteration(tmp_path, 3)
    assert is_whole(tmp_path)
    for damaged in (b"0123456780", b"012345", b""):
        (tmp_path / "weights.bin").write_bytes(damaged)
        assert not is_whole(tmp_path)
    (tmp_path / "weights.bin").unlink()
    assert not is_whole(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"iteration": "4"}', '{"iteration": -1}', '{"iteration": true}']
)
def test_a_checkpoint_that_does_not_say_its_iteration_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "trial.json").write_text(text)
    with pytest.raises(RunFolderError, match=r"trial\.json\n  got  .*\n  expected  \{\"iteration"):
        read_iteration(tmp_path)


def test_a_folder_that_is_no_checkpoint_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match="FileNotFoundError"):
        fit(tmp_path / "a", 2, checkpoint=tmp_path)


def test_training_needs_no_torch_until_a_trainer_does() -> None:
    program = (
        "import sys, hpo_app.training.fit_one, hpo_app.training.models.quadratic;"
        "print(sorted({'torch', 'gymnasium', 'stable_baselines3', 'ray'} & set(sys.modules)))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    ).stdout

    assert output == "[]\n"


def test_one_report_more_than_there_are_iterations_ends_the_training() -> None:
    def train(model: Any, data: Any, training: Any, trial: Any) -> None:
        while True:
            trial.report({"loss": float(trial.iteration)})

    reports = fit_one(train, {}, {}, {"iterations": 3}, metric="loss", seed=0)

    assert [report["loss"] for report in reports] == [0.0, 1.0, 2.0]


def by_schedule(tmp_path: Path, train: Any, *starts: int, **options: Any) -> list[dict[str, float]]:
    training = {"iterations": 5}
    steps = [(start, ({"add": start}, {"scratch": str(tmp_path)}, training)) for start in starts]
    return fit_by_schedule(train, steps, metric="steps", seed=11, **options)


def adding(
    model: dict[str, Any], data: dict[str, Any], training: dict[str, Any], trial: Trial
) -> None:
    """A trainer whose state is a sum of what each of its steps adds."""
    total = float((trial.checkpoint / "sum").read_text()) if trial.checkpoint else 0.0
    folder = Path(data["scratch"])
    for _ in range(trial.iteration, training["iterations"]):
        total += 1.0 + model["add"]
        (folder / "sum").write_text(str(total))
        trial.report({"steps": total}, checkpoint=folder if trial.is_checkpoint_due else None)


def test_settings_change_after_the_iterations_of_a_schedule(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    seen: list[int] = []
    options = {"folder": tmp_path / "state", "on_report": lambda at, _: seen.append(at)}
    reports = by_schedule(tmp_path / "scratch", adding, 0, 2, 4, **options)
    # Two steps of 1, two of 3, and one of 5, each from the state before.
    assert [report["steps"] for report in reports] == [1.0, 2.0, 5.0, 8.0, 13.0]
    assert seen == [1, 2, 3, 4, 5]
    assert read_iteration(tmp_path / "state") == 5


def test_a_schedule_needs_a_state_to_go_on_from(tmp_path: Path) -> None:
    def forgetful(model: Any, data: Any, training: Any, trial: Trial) -> None:
        for _ in range(trial.iteration, training["iterations"]):
            trial.report({"steps": 1.0})

    with pytest.raises(ConfigurationError, match="no checkpoint after iteration 3"):
        by_schedule(tmp_path, forgetful, 0, 3, folder=tmp_path / "state")


def test_draws_from_global_generators_are_those_of_a_worker(tmp_path: Path) -> None:
    def drawing(model: Any, data: Any, training: Any, trial: Trial) -> None:
        for _ in range(trial.iteration, training["iterations"]):
            state = tmp_path if trial.is_checkpoint_due else None
            trial.report({"steps": random.random() + np.random.random()}, checkpoint=state)  # noqa: NPY002

    # Each step of a schedule is a start of its own, as in a population.
    at_once, in_two = (
        by_schedule(tmp_path, drawing, *starts, folder=str(tmp_path / "state"))
        for starts in ([0], [0, 3])
    )
    with same_start(11, 1):
        first = [random.random() + np.random.random() for _ in range(5)]  # noqa: NPY002
    assert [report["steps"] for report in at_once] == first
    assert [report["steps"] for report in in_two] == first[:3] + first[:2]


def test_folders_may_be_text(tmp_path: Path) -> None:
    fit(tmp_path / "scratch", 2, folder=str(tmp_path / "state"))
    rest = fit(tmp_path / "scratch", 3, checkpoint=str(tmp_path / "state"))
    assert [report["steps"] for report in rest] == [3.0]


def test_a_training_that_ends_by_itself_ends_its_schedule(tmp_path: Path) -> None:
    def short(model: Any, data: Any, training: Any, trial: Trial) -> None:
        trial.report({"steps": 1.0})

    assert len(by_schedule(tmp_path, short, 0, 3, folder=tmp_path / "state")) == 1
