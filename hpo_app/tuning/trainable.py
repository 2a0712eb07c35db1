"""From sampled values to reports: what one trial does in its worker."""

from __future__ import annotations

import contextlib
import json
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import tune

from hpo_app.config.build import load_function
from hpo_app.config.render import render
from hpo_app.study.disk import full_reason, is_full
from hpo_app.training.checkpoint import read_iteration, write_iteration
from hpo_app.training.contract import ReportError
from hpo_app.training.reports import checked_metrics
from hpo_app.tuning.temp_folder import scratch_folder
from hpo_app.tuning.trial_log import log_line, output_to, shorten_log
from hpo_app.tuning.warmup import WORKERS_FOLDER, meet_workers


if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpo_app.plan.search_space import Params

# The driver finds the trainer's own traceback between these two, whatever Ray writes around it.
ERROR_BEGINS = "=== the training function raised ==="
ERROR_ENDS = "=== end of its traceback ==="


@dataclass(frozen=True)
class TrialSpec:
    """What all trials of a run have in common; plain values, sent to each worker once.

    Attributes:
        template: The composed config, interpolations unresolved.
        trainer: Import path of the training function.
        trusted_modules: Packages of the person's own.
        metric: The objective's metric.
        iterations: Reports of a full trial.
        checkpoint_every: Iterations between checkpoints; 0 for none.
        num_cpus: Whole CPUs of a trial, at least 1.
        num_workers: How many trials train at once.
        started_at: When the run started, in seconds since 1970.
        log_folder: Folder that holds one folder per trial, with its log.
        import_path: Where the driver finds modules, for training functions of a person's own.
    """

    template: Mapping[str, Any]
    trainer: str
    trusted_modules: tuple[str, ...]
    metric: str
    iterations: int
    checkpoint_every: int
    num_cpus: int
    num_workers: int
    started_at: float
    log_folder: str
    import_path: tuple[str, ...]


class TrainingFailedError(Exception):
    """The training function raised; the message holds its traceback between two marks."""


class _StoppedByTune(SystemExit):
    """Tune ends the trial; a `sys.exit` of the training function is another thing."""


class TuneTrial:
    """The trial as the training function sees it, reporting to Tune."""

    def __init__(self, spec: TrialSpec, config: Mapping[str, Any], checkpoint: Path | None) -> None:
        self.number: int = config["number"]
        self.seed: int = config["seed"]
        self.params: Params = config["params"]
        self.num_cpus = spec.num_cpus
        self.checkpoint = checkpoint
        self.iteration = read_iteration(checkpoint) if checkpoint else 0
        self._spec = spec

    @property
    def is_checkpoint_due(self) -> bool:
        """Whether the next report is expected to bring a checkpoint."""
        every, upcoming = self._spec.checkpoint_every, self.iteration + 1
        return bool(every) and (upcoming % every == 0 or upcoming == self._spec.iterations)

    def report(self, metrics: Mapping[str, float], checkpoint: Path | None = None) -> None:
        """Report one iteration; the scheduler may end the trial here."""
        values = checked_metrics(metrics, self._spec.metric)
        self.iteration += 1
        # The person's names get a level of their own, so that none can meet one of Tune's.
        result = {"iteration": self.iteration, "metrics": values}
        state = None
        if checkpoint is not None:
            write_iteration(checkpoint, self.iteration)
            state = tune.Checkpoint.from_directory(checkpoint)
        shown = ", ".join(f"{name} {value:.6g}" for name, value in values.items())
        log_line(f"iteration {self.iteration}: {shown}")
        shorten_log(log_path_of(self.number, self._spec))
        try:
            tune.report(result, checkpoint=state)
        except SystemExit as leave:
            # This is how Tune ends a trial in mid-training.
            raise _StoppedByTune(leave.code) from None


def log_path_of(number: int, spec: TrialSpec) -> Path:
    """Return the log of a trial."""
    return Path(spec.log_folder, str(number), "log.txt")


def run_trial(config: dict[str, Any], spec: TrialSpec) -> None:
    """Train one trial in this worker; Tune calls it once per start of a trial."""
    sys.path[:0] = [path for path in spec.import_path if path not in sys.path]
    try:
        with output_to(log_path_of(config["number"], spec)):
            _train_in_log(config, spec)
    except OSError as error:  # The log itself cannot be written; all else is a TrainingFailedError.
        raise TrainingFailedError(_marked(error, spec)) from None


def _train_in_log(config: dict[str, Any], spec: TrialSpec) -> None:
    with contextlib.ExitStack() as stack:
        try:
            _train(config, spec, stack)
        except _StoppedByTune:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a person's code may raise
            marked = _marked(error, spec)
            with contextlib.suppress(OSError):  # Its disk may be what is full.
                log_line(_own_traceback(error))
            raise TrainingFailedError(marked) from None


def _marked(error: BaseException, spec: TrialSpec) -> str:
    text = _own_traceback(error)
    if is_full(error):
        # A full disk says nothing of the params: the driver ends the run, and the trial goes on.
        text += f"\n{full_reason(error, Path(spec.log_folder).parent, scratch_folder())}"
    return f"{ERROR_BEGINS}\n{text}\n{ERROR_ENDS}"


def _train(config: dict[str, Any], spec: TrialSpec, stack: contextlib.ExitStack) -> None:
    train = load_function(spec.trainer, spec.trusted_modules)
    meet_workers(Path(spec.log_folder, WORKERS_FOLDER), spec.num_workers, spec.started_at)
    time.sleep(config.get("wait_s", 0))
    checkpoint = tune.get_checkpoint()
    folder = Path(stack.enter_context(checkpoint.as_directory())) if checkpoint else None
    trial = TuneTrial(spec, config, folder)
    log_line(f"trial {trial.number}, seed {trial.seed}, parameters {json.dumps(trial.params)}")
    if trial.iteration:
        log_line(f"goes on after iteration {trial.iteration}")
    rendered = render(spec.template, config["params"])
    before = trial.iteration
    train(rendered.model, rendered.data, rendered.training, trial)
    if trial.iteration == before and before < spec.iterations:
        raise ReportError(
            "the training function returned without a report; call "
            f'trial.report({{"{spec.metric}": …}}) after each iteration'
        )


def _own_traceback(error: BaseException) -> str:
    # The first two frames are ours: run_trial and _train.
    frames = traceback.extract_tb(error.__traceback__)
    kept = frames[2:] if len(frames) > 2 else frames
    head = ["Traceback (most recent call last):\n", *traceback.format_list(kept)]
    return "".join([*head, *traceback.format_exception_only(error)]).rstrip()
