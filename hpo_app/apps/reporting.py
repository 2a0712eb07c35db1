"""From what a Hydra app reports and returns to the reports of a trial."""

from __future__ import annotations

import numbers
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_app.errors import Problem
from hpo_app.training.contract import ConfigurationError, ReportError


if TYPE_CHECKING:
    from hpo_app.plan.search_space import Params
    from hpo_app.training.contract import Trial


class AppTrial:
    """The trial as an app sees it: its last report waits for what the task function returns.

    The returned number is what counts, and a scheduler ends a trial with its last report, before
    the function could return. So the report that completes `training.iterations` is held back until
    the function has returned; all others go out at once.

    Args:
        trial: The trial.
        iterations: Reports of a full trial.
        metrics: Names of what the task function returns, in order.
    """

    def __init__(self, trial: Trial, iterations: int, metrics: Sequence[str]) -> None:
        self._trial = trial
        self._iterations = iterations
        self._metrics = tuple(metrics)
        self._held: tuple[dict[str, Any], Path | None] | None = None
        self._last: dict[str, Any] = {}

    @property
    def number(self) -> int:
        """The number of the trial."""
        return self._trial.number

    @property
    def seed(self) -> int:
        """Seed of everything random in it."""
        return self._trial.seed

    @property
    def params(self) -> Params:
        """The sampled values."""
        return self._trial.params

    @property
    def num_cpus(self) -> int:
        """How many threads it may use."""
        return self._trial.num_cpus

    @property
    def checkpoint(self) -> Path | None:
        """Folder with the training state to continue from, or None."""
        return self._trial.checkpoint

    @property
    def run_folder(self) -> Path | None:
        """The run folder, or None."""
        return self._trial.run_folder

    @property
    def iteration(self) -> int:
        """Number of reports made so far."""
        return self._trial.iteration + (self._held is not None)

    @property
    def is_checkpoint_due(self) -> bool:
        """Whether the next report is expected to bring a checkpoint."""
        return self._held is None and self._trial.is_checkpoint_due

    def report(self, metrics: Mapping[str, float], checkpoint: Path | None = None) -> None:
        """Report one iteration; the trial may end here.

        Raises:
            ConfigurationError: If it is the second report of a trial that was said to have one.
            ReportError: As `Trial.report`.
            TrialOver: Likewise.
        """
        if self._held is not None:
            self._refuse_unplanned()
            held, folder = self._held
            self._trial.report(held, folder)
            self._trial.report(metrics)  # One too many, which ends the trial.
        elif self._trial.iteration + 1 < self._iterations:
            self._trial.report(metrics, checkpoint)
        else:
            self._held = (_mapping(metrics), _copy(checkpoint))
        self._last = _mapping(metrics)

    def returned(self, value: Any) -> None:
        """Take what the task function returned as the last word on the trial.

        Raises:
            ReportError: If it is neither a number nor as many as there are metrics.
        """
        if value is None and self._held is None and self._trial.iteration:
            return  # It reported, and its own end came early.
        last = {**self._last, **self._numbers(value)}
        folder = None if self._held is None else self._held[1]
        self._trial.report(last, folder)

    def clean_up(self) -> None:
        """Remove the copy of a checkpoint that was held back."""
        if self._held is not None and self._held[1] is not None:
            shutil.rmtree(self._held[1], ignore_errors=True)

    def _numbers(self, value: Any) -> dict[str, Any]:
        if isinstance(value, Mapping):
            return dict(value)
        values = list(value) if isinstance(value, Sequence) else [value]
        if value is None and self._held is not None:
            return {}
        if value is None or isinstance(value, str) or len(values) != len(self._metrics):
            wanted = " and ".join(self._metrics)
            raise ReportError(
                f"the task function returned {value!r} in the place of {wanted}; return "
                f"{'the number' if len(self._metrics) == 1 else 'the numbers in that order'}, or "
                f'call hpo_app.report({{"{self._metrics[0]}": …}}) after each step'
            )
        return {name: _number(one) for name, one in zip(self._metrics, values, strict=True)}

    def _refuse_unplanned(self) -> None:
        if self._iterations > 1:
            return
        expected = "as many as the app reports: it has just reported for the second time"
        fix = (
            "set training.iterations, or hydra.sweeper.iterations in the app's own command, to the "
            "number of its reports, for example '${trainer.max_epochs}'"
        )
        raise ConfigurationError([Problem("training.iterations", "1", expected, fix)])


def _number(value: Any) -> Any:
    """Return a number as a plain one: a tensor or an array of one value is often what is left."""
    if isinstance(value, numbers.Real) or not hasattr(value, "item"):
        return value
    return value.item()


def _mapping(metrics: Any) -> dict[str, Any]:
    if not isinstance(metrics, Mapping):
        raise ReportError(f"A report must map names to numbers; got {metrics!r}.")
    return dict(metrics)


def _copy(checkpoint: Path | None) -> Path | None:
    """Keep a checkpoint that its app may remove before the report goes out."""
    if checkpoint is None:
        return None
    folder = Path(tempfile.mkdtemp(prefix="hpo_app_checkpoint_"))
    shutil.copytree(checkpoint, folder, dirs_exist_ok=True)
    return folder
