"""From trials as they are on record to trials as callbacks of Ray Tune take them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from hpo_app.study.records import TrialRecord


@dataclass(frozen=True)
class TrackedTrial:
    """What a tracker may know of a trial, under the names that `ray.tune.experiment.Trial` has.

    It is a copy: a tracker looks at it in a thread of its own, while Tune changes its trial. Two
    are equal if they are of the same trial.

    Attributes:
        trial_id: Unique among all trials of all runs.
        number: Number of the trial in its run.
        config: The sampled values; lists and mappings as JSON.
        local_path: Where files of the trial may go.
        experiment_dir_name: The run.
    """

    trial_id: str
    number: int = field(compare=False)
    config: dict[str, Any] = field(compare=False)
    local_path: str = field(compare=False)
    experiment_dir_name: str = field(compare=False)

    @property
    def evaluated_params(self) -> dict[str, Any]:
        """The sampled values."""
        return self.config

    @property
    def checkpoint(self) -> None:
        """None: checkpoints stay where they are."""
        return

    def init_local_path(self) -> None:
        """Make the folder of the trial."""
        Path(self.local_path).mkdir(parents=True, exist_ok=True)

    def __str__(self) -> str:
        return f"trial {self.number}"


def tracked(trial: TrialRecord, run_key: str, run: str, folder: Path) -> TrackedTrial:
    """Return a trial as trackers are told of it.

    Args:
        trial: The trial.
        run_key: Unique name of the run.
        run: Name of the run.
        folder: Where a tracker's files go.
    """
    return TrackedTrial(
        trial_id=f"{run_key}-{trial.number}",
        number=trial.number,
        config={name: _flat(value) for name, value in trial.params.items()},
        local_path=str(folder / str(trial.number)),
        experiment_dir_name=run,
    )


def result_of(trial: TrialRecord, *, with_params: bool) -> dict[str, Any]:
    """Return the last report of a trial as callbacks take it.

    Args:
        trial: The trial, which has reported.
        with_params: Whether numeric parameters are told with each report, because they change.
    """
    report = trial.reports[-1]
    params = {
        f"params/{name}": value
        for name, value in (trial.params.items() if with_params else ())
        if isinstance(value, (int, float))
    }
    return {**params, **report.metrics, "training_iteration": report.iteration}


def _flat(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, (list, dict)) else value
