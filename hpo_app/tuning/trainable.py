"""From sampled values to reports: what one trial does in its worker."""

from __future__ import annotations

import contextlib
import faulthandler
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import tune

from hpo_app.analysis.wording import plain
from hpo_app.config.build import load_function
from hpo_app.config.render import render, with_typed_trust
from hpo_app.config.secrets import hide_secrets
from hpo_app.redaction import hide, redact, secrets_in
from hpo_app.study.disk import full_reason, is_full
from hpo_app.study.fresh import name_of, place_of
from hpo_app.training.checkpoint import read_iteration, write_iteration
from hpo_app.training.contract import ReportError, TrialOver
from hpo_app.training.reports import checked_metrics
from hpo_app.training.start_state import same_start
from hpo_app.tuning.error_text import packed, text_of
from hpo_app.tuning.package import here
from hpo_app.tuning.store import TRIALS_FOLDER
from hpo_app.tuning.temp_folder import scratch_folder
from hpo_app.tuning.trial_log import log_line, output_to, shorten_log
from hpo_app.tuning.warmup import WORKERS_FOLDER, meet_workers


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hpo_app.config.render import Rendered
    from hpo_app.plan.criteria import Criteria
    from hpo_app.plan.search_space import Params
    from hpo_app.training.contract import TrainFunction
    from hpo_app.tuning.store import Store

# What schedulers compare, beside the metrics of a report.
JUDGED = "judged"


@dataclass(frozen=True)
class TrialSpec:
    """What all trials of a run have in common; plain values, sent to each worker once.

    Attributes:
        template: The composed config, interpolations unresolved.
        trainer: Import path of the training function.
        train: The function itself, where it was handed over; None to load it by its path.
        trusted_modules: Packages of the person's own.
        criteria: By what trials are judged.
        iterations: Reports of a full trial.
        checkpoint_every: Iterations between checkpoints; 0 for none.
        num_cpus: Whole CPUs of a trial, at least 1.
        num_workers: How many trials train at once.
        timeout_s: Seconds that one attempt of a trial may train, or None.
        store: Where states and logs of trials are kept.
        import_path: Where the driver finds modules, for training functions of a person's own.
        stands_in: Folder that relative paths count from: where the driver stands.
        sent: Folder of the driver's that each node has a copy of; empty for none.
    """

    template: Mapping[str, Any]
    trainer: str
    train: TrainFunction | None
    trusted_modules: tuple[str, ...]
    criteria: Criteria
    iterations: int
    checkpoint_every: int
    num_cpus: int
    num_workers: int
    timeout_s: float | None
    store: Store
    import_path: tuple[str, ...]
    stands_in: str
    sent: str


class TrainingFailedError(Exception):
    """The training function raised; the message holds its traceback, packed."""


class TuneTrial:
    """The trial as the training function sees it, reporting to Tune."""

    def __init__(self, spec: TrialSpec, config: Mapping[str, Any], checkpoint: Path | None) -> None:
        self.number: int = config["number"]
        self.seed: int = config["seed"]
        self.params: Params = config["params"]
        self.num_cpus = spec.num_cpus
        self.checkpoint = checkpoint
        self.iteration = read_iteration(checkpoint) if checkpoint else 0
        self.run_folder = spec.store.shared_folder
        self._spec = spec
        self._is_over = False

    @property
    def is_checkpoint_due(self) -> bool:
        """Whether the next report is expected to bring a checkpoint."""
        every, upcoming = self._spec.checkpoint_every, self.iteration + 1
        return bool(every) and (upcoming % every == 0 or upcoming == self._spec.iterations)

    def report(self, metrics: Mapping[str, float], checkpoint: Path | None = None) -> None:
        """Report one iteration; the trial may end here."""
        self.leave_if_over()
        values = checked_metrics(metrics, *self._spec.criteria.metrics)
        # The person's names get a level of their own, so that none can meet one of Tune's.
        result: dict[str, Any] = {
            "iteration": self.iteration + 1,
            JUDGED: self._spec.criteria.judged(values),
            "metrics": values,
        }
        if self.iteration >= self._spec.iterations:
            log_line(f"this report is one more than the {self.iteration} of training.iterations")
            self._send({**result, "done": True})
            return
        self.iteration += 1
        state = None
        if checkpoint is not None:
            write_iteration(checkpoint, self.iteration)
            state = tune.Checkpoint.from_directory(checkpoint)
        shown = ", ".join(f"{plain(name)} {value:.6g}" for name, value in values.items())
        log_line(f"iteration {self.iteration}: {shown}")
        shorten_log(log_path_of(self.number, self._spec))
        self._send(result, state)

    def _send(self, result: dict[str, Any], state: Any = None) -> None:
        try:
            tune.report(result, checkpoint=state)
        except SystemExit:
            # This is how Tune ends a trial in mid-training.
            self._is_over = True
            self.leave_if_over()

    def leave_if_over(self) -> None:
        """Raise if Tune has ended the trial, whatever became of the exception that said so.

        Raises:
            TrialOver: Which a `sys.exit` of the training function is not.
        """
        if self._is_over:
            # Tune's thread takes a code of 0 for a way to end, and every other for an error.
            raise TrialOver(0)


def log_path_of(number: int, spec: TrialSpec) -> Path:
    """Return the log of a trial."""
    return spec.store.log_path(place_of(number))


def stand_like_the_driver(spec: TrialSpec) -> None:
    """Let this worker find modules and relative paths where the driver does, and hide secrets."""
    paths = [here(path, spec.sent) for path in spec.import_path]
    sys.path[:0] = [path for path in paths if path not in sys.path]
    hide_secrets(spec.template)
    with contextlib.suppress(OSError):  # Another node may not have it.
        # A Ray that ran before stands where it was started.
        os.chdir(here(spec.stands_in, spec.sent))


def run_trial(config: dict[str, Any], spec: TrialSpec) -> None:
    """Train one trial in this worker; Tune calls it once per start of a trial."""
    stand_like_the_driver(spec)
    try:
        try:
            with output_to(log_path_of(config["number"], spec)):
                _train_in_log(config, spec)
        finally:
            spec.store.keep_log(place_of(config["number"]))
    except OSError as error:  # The log itself cannot be written; all else is a TrainingFailedError.
        raise TrainingFailedError(_packed(error, spec)) from None


def _train_in_log(config: dict[str, Any], spec: TrialSpec) -> None:
    with contextlib.ExitStack() as stack:
        try:
            _train(config, spec, stack)
        except TrialOver:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever a person's code may raise
            with contextlib.suppress(OSError):  # Its disk may be what is full.
                log_line(redact(text_of(error, __file__)))
            raise TrainingFailedError(_packed(error, spec)) from None


def _packed(error: BaseException, spec: TrialSpec) -> str:
    text = redact(text_of(error, __file__))
    if is_full(error):
        # A full disk says nothing of the params: the driver ends the run, and the trial goes on.
        text += f"\n{full_reason(error, *_places(spec))}"
    return packed(text)


def _train(config: dict[str, Any], spec: TrialSpec, stack: contextlib.ExitStack) -> None:
    train = spec.train or load_function(spec.trainer, spec.trusted_modules)
    if spec.store.shared_folder is not None:
        meeting = spec.store.shared_folder / TRIALS_FOLDER / WORKERS_FOLDER
        meet_workers(meeting, spec.num_workers)
    time.sleep(config.get("wait_s", 0))
    checkpoint = tune.get_checkpoint()
    folder = Path(stack.enter_context(checkpoint.as_directory())) if checkpoint else None
    trial = TuneTrial(spec, config, folder)
    log_line(f"{name_of(trial.number)}, seed {trial.seed}, parameters {json.dumps(trial.params)}")
    if trial.iteration:
        log_line(f"goes on after iteration {trial.iteration}")
    rendered = _rendered(config, spec)
    if spec.train is not None:
        # Its name is for the record: a model's settings are often the arguments of its class.
        rendered.model.pop("trainer", None)
    hide(text for _, text in secrets_in(rendered._asdict()))
    before = trial.iteration
    with same_start(trial.seed, spec.num_cpus), _last_words(spec.timeout_s):
        train(rendered.model, rendered.data, rendered.training, trial)
    # It may have caught what ended it.
    trial.leave_if_over()
    if trial.iteration == before and before < spec.iterations:
        raise ReportError(
            "the training function returned without a report; call "
            f'trial.report({{"{spec.criteria.objective.metric}": …}}) after each iteration'
        )


def _rendered(config: dict[str, Any], spec: TrialSpec) -> Rendered:
    if config.get("is_replay"):
        # The file itself is what is to be proved.
        # Not above: it brings Hydra, which takes 0.3 s of a worker's start.
        from hpo_app.config.best import read_best  # noqa: PLC0415

        with _file_of(config.get("best"), spec) as path:
            return read_best(path, trusted_modules=spec.trusted_modules).rendered
    return with_typed_trust(render(spec.template, config["params"]), spec.trusted_modules)


@contextlib.contextmanager
def _file_of(best: str | None, spec: TrialSpec) -> Iterator[Path]:
    """Give the best.yaml of the run; what was sent of it where this worker cannot see it."""
    if best is None:
        yield spec.store.folder / "best.yaml"
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "best.yaml")
        path.write_text(best, encoding="utf-8")
        yield path


def _places(spec: TrialSpec) -> tuple[Path, ...]:
    """Return where a trial writes, on whatever disk that is."""
    shared = spec.store.shared_folder
    return (scratch_folder(),) if shared is None else (shared, scratch_folder())


@contextlib.contextmanager
def _last_words(limit_s: float | None) -> Iterator[None]:
    """Let the process write down where it is once the limit has passed.

    That is done below Python, and so also where compiled code keeps everything else waiting. The
    driver ends the process soon after (tuning/watchdog.py).
    """
    if limit_s is None:
        yield
        return
    faulthandler.dump_traceback_later(limit_s, file=2)  # The log, as long as a trial trains.
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
