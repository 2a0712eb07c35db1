"""From trials to runs of MLflow.

Ray's own callback asks the server thrice for each metric of a report and starts new runs when a
search is resumed; this one sends a report in one request and goes on with its runs.
"""

from __future__ import annotations

import logging
import os
import re
import time
from typing import TYPE_CHECKING, Any

from ray.tune.logger import LoggerCallback


if TYPE_CHECKING:
    from pathlib import Path

    from hpo_app.tuning.trackers.told import TrackedTrial

_RUN, _TRIAL = "hpo_app.run", "hpo_app.trial"
_NOT_IN_A_METRIC = re.compile(r"[^\w\-./ :]")


class MlflowTracker(LoggerCallback):
    """Keeps one run of MLflow per trial.

    Args:
        experiment: The experiment that the runs belong to.
    """

    def __init__(self, experiment: str = "hpo_app") -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        # Not above: it takes two seconds, and only who wants it has it.
        import mlflow  # noqa: PLC0415

        # It writes to the terminal, where the live view stands.
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        self._mlflow = mlflow
        self._experiment = experiment
        self._client: Any = None
        self._experiment_id = self._run_key = ""
        self._runs: dict[int, str] = {}
        self._open: set[int] = set()

    def setup(self, *_: Any, run_folder: Path, run_key: str, **__: Any) -> None:
        """Reach the server, or make the file that stands for it; find runs of earlier starts."""
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        location = None
        if not uri:
            uri = self._own_file(run_folder)
            location = (run_folder / "artifacts").resolve().as_uri()
        self._client = self._mlflow.MlflowClient(uri)
        known = self._client.get_experiment_by_name(self._experiment)
        self._experiment_id = (
            known.experiment_id
            if known
            else self._client.create_experiment(self._experiment, artifact_location=location)
        )
        self._run_key = run_key
        mine = self._client.search_runs(
            [self._experiment_id], f"tags.`{_RUN}` = '{run_key}'", max_results=50_000
        )
        self._runs = {int(run.data.tags[_TRIAL]): run.info.run_id for run in mine}

    def _own_file(self, folder: Path) -> str:
        """Return the address of a file that stands for a server; it is made where there is none.

        MLflow takes seconds to make one, and cannot read one that a kill left half made. So it
        gets its name once it is whole.
        """
        folder.mkdir(exist_ok=True)
        whole, unfinished = folder.resolve() / "mlflow.db", folder.resolve() / "unfinished.db"
        if not whole.exists():
            unfinished.unlink(missing_ok=True)
            self._mlflow.MlflowClient(f"sqlite:///{unfinished}").search_experiments(max_results=1)
            unfinished.rename(whole)
        return f"sqlite:///{whole}"

    def log_trial_start(self, trial: TrackedTrial) -> None:
        """Start the run of a trial, or go on with it."""
        self._open.add(trial.number)
        if trial.number in self._runs:
            self._client.update_run(self._runs[trial.number], status="RUNNING")
            return  # Its parameters stand; MLflow refuses others.
        tags = {_RUN: self._run_key, _TRIAL: str(trial.number)}
        run = self._client.create_run(self._experiment_id, tags=tags, run_name=str(trial))
        self._runs[trial.number] = run.info.run_id
        params = [
            self._mlflow.entities.Param(name, str(value)) for name, value in trial.config.items()
        ]
        self._client.log_batch(run.info.run_id, params=params)

    def log_trial_result(self, iteration: int, trial: TrackedTrial, result: dict[str, Any]) -> None:  # noqa: ARG002 - Ray's signature
        """Send a report."""
        step, now = result["training_iteration"], int(time.time() * 1000)
        metrics = [
            self._mlflow.entities.Metric(_NOT_IN_A_METRIC.sub("_", name), value, now, step)
            for name, value in result.items()
            if name != "training_iteration"
        ]
        self._client.log_batch(self._runs[trial.number], metrics=metrics)

    def log_trial_end(self, trial: TrackedTrial, failed: bool = False) -> None:  # noqa: FBT001, FBT002 - Ray's signature
        """End the run of a trial."""
        self._end(trial.number, "FAILED" if failed else "FINISHED")

    def on_experiment_end(self, trials: list[Any], **_: Any) -> None:  # noqa: ARG002 - Ray's signature
        """End the runs of trials that were cut off."""
        for number in sorted(self._open):
            self._end(number, "KILLED")

    def _end(self, number: int, status: str) -> None:
        self._open.discard(number)
        if number in self._runs:
            self._client.set_terminated(self._runs[number], status)
