"""From sampled values to reports: what one trial does in its worker."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, cast

from ray import tune

from hpo_app.config.build import load_function
from hpo_app.config.render import render
from hpo_app.config.secrets import hide_secrets
from hpo_app.redaction import RedactedStream, hide, redact, redact_file, secrets_in
from hpo_app.training.checkpoint import read_iteration, write_iteration
from hpo_app.training.contract import ReportError
from hpo_app.training.reports import checked_metrics
from hpo_app.tuning.warmup import WORKERS_FOLDER, meet_workers


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        _log_line(f"iteration {self.iteration}: {shown}")
        try:
            tune.report(result, checkpoint=state)
        except SystemExit as leave:
            # This is how Tune ends a trial in mid-training.
            raise _StoppedByTune(leave.code) from None


def run_trial(config: dict[str, Any], spec: TrialSpec) -> None:
    """Train one trial in this worker; Tune calls it once per start of a trial."""
    sys.path[:0] = [path for path in spec.import_path if path not in sys.path]
    hide_secrets(spec.template)
    log_path = Path(spec.log_folder, str(config["number"]), "log.txt")
    with contextlib.ExitStack() as stack:
        stack.enter_context(_output_to(log_path))
        try:
            _train(config, spec, stack)
        except _StoppedByTune:
            raise
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a person's code may raise
            text = redact(_own_traceback(error))
            _log_line(text)
            marked = f"{ERROR_BEGINS}\n{text}\n{ERROR_ENDS}"
            raise TrainingFailedError(marked) from None


def _train(config: dict[str, Any], spec: TrialSpec, stack: contextlib.ExitStack) -> None:
    train = load_function(spec.trainer, spec.trusted_modules)
    meet_workers(Path(spec.log_folder, WORKERS_FOLDER), spec.num_workers, spec.started_at)
    time.sleep(config.get("wait_s", 0))
    checkpoint = tune.get_checkpoint()
    folder = Path(stack.enter_context(checkpoint.as_directory())) if checkpoint else None
    trial = TuneTrial(spec, config, folder)
    _log_line(f"trial {trial.number}, seed {trial.seed}, parameters {json.dumps(trial.params)}")
    if trial.iteration:
        _log_line(f"goes on after iteration {trial.iteration}")
    rendered = render(spec.template, config["params"])
    hide(text for _, text in secrets_in(rendered._asdict()))
    before = trial.iteration
    train(rendered.model, rendered.data, rendered.training, trial)
    if trial.iteration == before and before < spec.iterations:
        raise ReportError(
            "the training function returned without a report; call "
            f'trial.report({{"{spec.metric}": …}}) after each iteration'
        )


def _log_line(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _own_traceback(error: BaseException) -> str:
    # The first two frames are ours: run_trial and _train.
    frames = traceback.extract_tb(error.__traceback__)
    kept = frames[2:] if len(frames) > 2 else frames
    head = ["Traceback (most recent call last):\n", *traceback.format_list(kept)]
    return "".join([*head, *traceback.format_exception_only(error)]).rstrip()


@contextlib.contextmanager
def _output_to(path: Path) -> Iterator[None]:
    """Send everything this process prints to a file: Python's streams, logging and C code."""
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, force=True)
    saved = {stream: os.dup(stream) for stream in (1, 2)}
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    streams = open(handle, "a", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - closed below
    try:
        for stream in saved:
            os.dup2(handle, stream)
        shown = cast("TextIO", RedactedStream(streams))
        with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
            logging.basicConfig(level=logging.INFO, stream=shown, force=True)
            # What Ray does with the trial is no news of the training.
            logging.getLogger("ray").setLevel(logging.WARNING)
            yield
    finally:
        streams.flush()
        for stream, original in saved.items():
            os.dup2(original, stream)
            os.close(original)
        logging.basicConfig(level=logging.INFO, stream=sys.stderr, force=True)
        os.close(handle)
        redact_file(path)
