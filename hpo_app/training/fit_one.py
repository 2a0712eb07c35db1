"""From one configuration to its reports: training without a search around it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from hpo_app.errors import Problem
from hpo_app.training.checkpoint import read_iteration, save_checkpoint
from hpo_app.training.contract import ConfigurationError, ReportError, TrialOver
from hpo_app.training.reports import checked_count, checked_metrics
from hpo_app.training.start_state import same_start


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Unpack

    from hpo_app.plan.search_space import Params
    from hpo_app.training.contract import TrainFunction


@dataclass
class LocalTrial:
    """A trial that no search is waiting for: it keeps its reports to itself.

    Attributes:
        metric: Name of the objective's metric, which every report must have.
        seed: Seed of everything random in this trial.
        iterations: Reports of the whole trial; the last one is worth a checkpoint.
        checkpoint_every: Iterations between checkpoints; 0 for the last one only.
        folder: Where the newest checkpoint is kept; None to keep none.
        num_cpus: How many threads the trainer may use.
        on_report: Called after each report with its iteration and metrics.
        checkpoint: Folder with the training state to continue from; may be `folder`.
        others: Names of further metrics that every report must have.
        until: Report after which it pauses, with a checkpoint; None to train to its end.
        number: The trial's number.
        params: The sampled values; empty without a search.
        reports: What was reported, in order, without the reports before `checkpoint`.
        iteration: Number of reports made so far, those before `checkpoint` included.
    """

    metric: str
    seed: int
    iterations: int
    checkpoint_every: int = 0
    folder: Path | None = None
    num_cpus: int = 1
    on_report: Callable[[int, dict[str, float]], None] | None = None
    checkpoint: Path | None = None
    others: tuple[str, ...] = ()
    until: int | None = None
    number: int = 0
    params: Params = field(default_factory=dict)
    reports: list[dict[str, float]] = field(default_factory=list, init=False)
    iteration: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.checkpoint is not None:
            self.iteration = read_iteration(self.checkpoint)

    @property
    def run_folder(self) -> Path | None:
        """The folder that holds that of the checkpoint; None without one."""
        return None if self.folder is None else self.folder.parent

    @property
    def is_checkpoint_due(self) -> bool:
        """Whether the next report is expected to bring a checkpoint."""
        if self.folder is None:
            return False
        coming = self.iteration + 1
        is_regular = self.checkpoint_every > 0 and coming % self.checkpoint_every == 0
        return is_regular or coming in (self.iterations, self.until)

    def report(self, metrics: Mapping[str, float], checkpoint: Path | None = None) -> None:
        """Keep one report, and a copy of its checkpoint in place of the last one.

        Raises:
            ReportError: If the metric is missing or not a finite number.
            TrialOver: If the trial has made all its reports before, or pauses after this one.
        """
        if self.iteration >= self.iterations or self.iteration == self.until:
            raise TrialOver
        numbers = checked_metrics(metrics, self.metric, *self.others)
        if checkpoint is not None and self.folder is not None:
            save_checkpoint(checkpoint, self.folder, self.iteration + 1)
        self.iteration += 1
        self.reports.append(numbers)
        if self.on_report is not None:
            self.on_report(self.iteration, numbers)
        if self.iteration == self.until:
            raise TrialOver


class FitOptions(TypedDict, total=False):
    """What may be said about one training besides its metric and seed; see `LocalTrial`."""

    folder: str | Path | None
    num_cpus: int
    on_report: Callable[[int, dict[str, float]], None] | None
    checkpoint: str | Path | None
    others: tuple[str, ...]
    until: int | None


def fit_one(
    train: TrainFunction,
    model: Mapping[str, Any],
    data: Mapping[str, Any],
    training: Mapping[str, Any],
    *,
    metric: str,
    seed: int,
    **options: Unpack[FitOptions],
) -> list[dict[str, float]]:
    """Train one configuration to its end and return its reports, in order.

    Args:
        train: The training function.
        model: Settings of the model, plain and resolved.
        data: Settings of the data or environment, likewise.
        training: Settings of the training: `iterations`, and `checkpoint_every` if there is
            a `folder`.
        metric: Name of a number that every report must have.
        seed: Seed of everything random.
        **options: `folder` for the newest checkpoint, `num_cpus`, `on_report`,
            `checkpoint` to continue from, the names of `others` that every report must have, and
            the report `until` which to train.

    Returns:
        The reports of this call: at most `iterations`, without those before the checkpoint.

    Raises:
        ConfigurationError: If the training function cannot train this.
        ReportError: If a report is unusable, or there was none.
        RunFolderError: If the checkpoint does not say its iteration.
    """
    iterations = checked_count(training.get("iterations"), "training.iterations")
    paths = {name: Path(path) for name, path in options.items() if isinstance(path, str)}
    known: Any = {**options, **paths}
    trial = LocalTrial(
        metric=metric,
        seed=seed,
        iterations=iterations,
        checkpoint_every=training.get("checkpoint_every", 0),
        **known,
    )
    with contextlib.suppress(TrialOver):
        train(dict(model), dict(data), dict(training), trial)
    if not trial.reports and trial.iteration < iterations:
        raise ReportError(
            "The training function returned without a report; it must call "
            f'trial.report({{"{metric}": …}}) after each iteration.'
        )
    return trial.reports


def fit_by_schedule(
    train: TrainFunction,
    steps: Sequence[tuple[int, Sequence[Mapping[str, Any]]]],
    *,
    metric: str,
    seed: int,
    **options: Unpack[FitOptions],
) -> list[dict[str, float]]:
    """Train with settings that change on the way, each time from the checkpoint before.

    Each time it begins as a worker does: in the same process state, with seeded random generators.

    Args:
        train: The training function.
        steps: `(iteration, (model, data, training))`, after which settings come with which
            iteration; the first one is 0, and each is higher than the one before.
        metric: Name of a number that every report must have.
        seed: Seed of everything random.
        **options: As for `fit_one`; with more than one step, there has to be a `folder`.

    Returns:
        All reports, in order; fewer than there would be where the training function ends before.

    Raises:
        ConfigurationError: As `fit_one`; and if there is no checkpoint to go on from.
        ReportError: As `fit_one`.
    """
    reports: list[dict[str, float]] = []
    given = options.get("folder")
    folder = None if given is None else Path(given)
    ends = [*(start for start, _ in steps[1:]), None]
    for (start, settings), end in zip(steps, ends, strict=True):
        if start:
            if len(reports) < start:
                break  # It has ended by itself.
            _refuse_missing_state(folder, start)
            options["checkpoint"] = folder
        model, data, training = settings
        options["until"] = end
        with same_start(seed, options.get("num_cpus", 1)):
            reports += fit_one(train, model, data, training, metric=metric, seed=seed, **options)
    return reports


def _refuse_missing_state(folder: Path | None, iteration: int) -> None:
    reached = read_iteration(folder) if folder is not None and folder.is_dir() else 0
    if reached != iteration:
        got = f"no checkpoint after iteration {iteration}"
        expected = "one where trial.is_checkpoint_due, because the settings change there"
        fix = "hand it to trial.report(…, checkpoint=FOLDER)"
        raise ConfigurationError([Problem("model.trainer", got, expected, fix)])
