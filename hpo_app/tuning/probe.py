"""From a plan to what a trial of it takes: its first report, in a real worker, and nothing else."""

from __future__ import annotations

import contextlib
import resource
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray

from hpo_app.analysis.failures import error_line
from hpo_app.config.build import load_function
from hpo_app.config.render import render, with_typed_trust
from hpo_app.errors import Problem, TrainingError
from hpo_app.redaction import hide, redact, secrets_in
from hpo_app.study.disk import size_of
from hpo_app.training.contract import ReportError, TrialOver
from hpo_app.training.seeds import derive_seed
from hpo_app.training.start_state import same_start
from hpo_app.tuning.attempts import plain_error
from hpo_app.tuning.error_text import packed, text_of
from hpo_app.tuning.held import held_by
from hpo_app.tuning.runner import trial_spec
from hpo_app.tuning.session import ray_session
from hpo_app.tuning.store import Store
from hpo_app.tuning.trainable import (
    TrainingFailedError,
    TuneTrial,
    log_path_of,
    stand_like_the_driver,
)
from hpo_app.tuning.trial_log import output_to


if TYPE_CHECKING:
    from collections.abc import Callable

    from hpo_app.plan.capacity import Capacity
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.tuning.supervisor import Supervisor
    from hpo_app.tuning.trainable import TrialSpec

_LOOK_S = 0.1
# What a trial starts may be what takes the memory.
_WHOSE = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
# Of a worker's largest memory the system counts KiB, but bytes on a Mac.
_MEMORY_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Probe:
    """What a trial took, alone on its machine.

    Attributes:
        ray_s: Seconds for the start of Ray, or for joining it.
        worker_s: Seconds for a worker and for what it imports, until training began.
        iteration_s: Seconds from there to the first report, its checkpoint included.
        memory_gb: Gigabytes that the worker took at most.
        checkpoint_bytes: Size of the checkpoint; 0 without one.
    """

    ray_s: float
    worker_s: float
    iteration_s: float
    memory_gb: float
    checkpoint_bytes: int


def in_ray(
    plan: RunPlan, folder: Path, supervisor: Supervisor, show: Callable[[Capacity, str], None]
) -> tuple[Capacity, Probe] | None:
    """Show what the Ray of a plan offers, and probe the plan there if it says so.

    Args:
        plan: The plan.
        folder: Where a worker may write meanwhile; whoever gives it removes it.
        supervisor: Learns which processes are Ray's.
        show: Told what there is, and what to call it.

    Returns:
        What there is, and what a trial took; None without a probe.

    Raises:
        ResourceError: If no trial can ever fit, or the cluster cannot be reached.
        TrainingError: If the default configuration does not come to a report.
    """
    began = time.monotonic()
    with ray_session(plan, supervisor.processes, lambda _: None) as capacity:
        ray_s = time.monotonic() - began
        show(capacity, f"the Ray cluster at {ray.get_runtime_context().gcs_address}")
        return (capacity, probed(plan, folder, ray_s)) if plan.probes else None


def probed(plan: RunPlan, folder: Path, ray_s: float) -> Probe:
    """Train the default configuration up to its first report, in the Ray that is there.

    Raises:
        TrainingError: If it does not come to one.
    """
    held = held_by(plan.resources)
    task = ray.remote(
        num_cpus=held["CPU"], num_gpus=held["GPU"], memory=held.get("memory"), max_retries=0
    )(_first_report)
    began = time.monotonic()
    spec = trial_spec(plan, Store(folder), 1, None)
    seed = derive_seed(plan.seed, "probe")
    reference = task.remote(spec, dict(plan.space.defaults), seed)
    while not ray.wait([reference], timeout=_LOOK_S)[0]:
        waited = time.monotonic() - began
        if plan.trial_timeout_s is not None and waited > plan.trial_timeout_s:
            got = f"no report after {waited:.0f} s"
            fix = "raise trial_timeout_s, or leave it out"
            raise _failed(got, f"one within trial_timeout_s={plan.trial_timeout_s:g}", fix)
    try:
        found: dict[str, Any] = ray.get(reference)
    except ray.exceptions.RayError as error:
        text = plain_error(str(error))
        sys.stderr.write(f"{redact(text)}\n\n")
        fix = "correct what the lines above point at"
        raise _failed(error_line(redact(text)), "its first report", fix) from None
    return Probe(ray_s, time.monotonic() - began - found["iteration_s"], **found)


def _failed(got: str, expected: str, fix: str) -> TrainingError:
    problem = Problem("the default configuration", got, expected, fix)
    return TrainingError([problem], "the probe")


class _OneReport(TuneTrial):
    """A trial as it is in a search, but that its first report ends it."""

    seconds: float | None = None
    checkpoint_bytes = 0
    began = 0.0

    def _send(self, result: dict[str, Any], state: Any = None) -> None:  # noqa: ARG002 - Tune's
        if state is not None:
            self.checkpoint_bytes = size_of(Path(state.path))
        self.seconds = time.monotonic() - self.began
        self._is_over = True
        self.leave_if_over()


def _first_report(spec: TrialSpec, params: dict[str, Any], seed: int) -> dict[str, Any]:
    """Train up to the first report; what the worker does for a probe."""
    stand_like_the_driver(spec)
    try:
        with output_to(log_path_of(0, spec)):
            return _measured(spec, params, seed)
    except BaseException as error:  # noqa: BLE001 - whatever a person's code may raise
        raise TrainingFailedError(packed(redact(text_of(error, __file__)))) from None
    finally:
        shutil.rmtree(spec.store.folder, ignore_errors=True)


def _measured(spec: TrialSpec, params: dict[str, Any], seed: int) -> dict[str, Any]:
    train = spec.train or load_function(spec.trainer, spec.trusted_modules)
    trial = _OneReport(spec, {"number": 0, "seed": seed, "params": params}, None)
    rendered = with_typed_trust(render(spec.template, params), spec.trusted_modules)
    hide(text for _, text in secrets_in(rendered._asdict()))
    with same_start(seed, spec.num_cpus):
        trial.began = time.monotonic()
        with contextlib.suppress(TrialOver):
            train(rendered.model, rendered.data, rendered.training, trial)
    if trial.seconds is None:
        raise ReportError("the training function returned without a report")
    most = max(resource.getrusage(who).ru_maxrss for who in _WHOSE)
    return {
        "iteration_s": trial.seconds,
        "memory_gb": most * _MEMORY_UNIT / 1e9,
        "checkpoint_bytes": trial.checkpoint_bytes,
    }
