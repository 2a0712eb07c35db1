"""From a plan to a study: one Tune run, written down as it happens."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import shutil
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from ray import tune

from hpo_app.config.build import build
from hpo_app.errors import EXIT_RESOURCES
from hpo_app.search.searcher import Searcher
from hpo_app.study.journal import FILE_NAME, SCHEMA_VERSION, Journal
from hpo_app.training.seeds import derive_seed
from hpo_app.tuning.past import Past, has_memory, remind
from hpo_app.tuning.pbt import PopulationTraining
from hpo_app.tuning.recorder import Recorder
from hpo_app.tuning.search import TuneSearch
from hpo_app.tuning.session import ray_session
from hpo_app.tuning.signals import signals_to
from hpo_app.tuning.trainable import TrialSpec, run_trial
from hpo_app.tuning.view import ShieldedView
from hpo_app.tuning.warmup import WORKERS_FOLDER
from hpo_app.tuning.watchdog import Watchdog


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from hpo_app.plan.capacity import Capacity
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.study.records import Study
    from hpo_app.tuning.view import RunView

_LOG = logging.getLogger(__name__)
TRIALS_FOLDER = "trials"


class _RunStopper(tune.Stopper):
    """Ends the run when the recorder, or a signal, has a reason to."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:  # noqa: ARG002
        return False

    def stop_all(self) -> bool:
        return bool(self._recorder.stop_reason)

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune's snapshot pickles stoppers; nothing of ours is read back from it.


def run_search(
    plan: RunPlan,
    folder: Path,
    view: RunView,
    facts: dict[str, Any],
    *,
    changes: Sequence[str] | None = None,
) -> Study:
    """Run the search that a plan describes, from the start or from where it stopped.

    Args:
        plan: What to run.
        folder: The run folder; exists, and holds no journal yet unless it is to go on.
        view: Shown what happens.
        facts: Plain values for the record: versions, host, command.
        changes: None for a new run. To go on with the journal in `folder`: the overrides that
            this start adds, for the record.

    Returns:
        The study, which the journal in `folder` tells of too.

    Raises:
        ResourceError: If no trial can ever fit.
        PlanError: If searcher or scheduler do not take their arguments.
    """
    searcher = Searcher(
        plan.space,
        plan.objective,
        build(plan.searcher.component, "search_alg", plan.trusted_modules),
    )
    resumes = changes is not None
    with ray_session(plan) as capacity, _journal(folder, resumes=resumes) as (journal, past):
        recorder = Recorder(plan, folder, journal, searcher, view)
        # Population-based training and ASHA draw from the global generators.
        random.seed(derive_seed(plan.seed, "scheduler"))
        np.random.seed(derive_seed(plan.seed, "scheduler"))  # noqa: NPY002
        scheduler = _scheduler(plan, recorder)
        if past is None:
            recorder.open(_opened(plan, folder, facts))
        else:
            searcher.replay(past.events, past.study)
            decided = remind(scheduler, past)
            if not has_memory(scheduler):
                view.notice("the scheduler starts without its memory of earlier reports")
            resumed = {"num_trials": plan.num_trials, "changes": list(changes or ())}
            recorder.reopen(past, decided, {**resumed, "facts": facts})
        with signals_to(recorder.request_stop, journal.sync):
            num_workers = min(capacity.slots(plan.resources), plan.num_trials)
            watchdog = Watchdog(
                plan, recorder, num_workers, ShieldedView(view).notice, _leave(recorder, folder)
            )
            try:
                with watchdog.watching():
                    _run_tune(plan, folder, watchdog, scheduler, capacity)
            except BaseException as error:
                recorder.break_off(error)
                raise
            finally:
                _remove_tune_state(folder)
                recorder.close()
        return recorder.study()


def _run_tune(
    plan: RunPlan, folder: Path, watchdog: Watchdog, scheduler: Any, capacity: Capacity
) -> None:
    recorder = watchdog.recorder
    slots = capacity.slots(plan.resources)
    # Without it Tune starts one worker at a time.
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(slots)
    at_once = slots
    if isinstance(scheduler, PopulationTraining):
        fitting = capacity.slots(replace(plan.resources, max_concurrent_trials=None))
        if slots < fitting:
            scheduler.max_running = slots
        else:
            # Members that wait for room keep workers warm, which then go from one to the next.
            at_once = plan.num_trials
    trainable = tune.with_resources(
        tune.with_parameters(run_trial, spec=_trial_spec(plan, folder, slots)),
        tune.PlacementGroupFactory([{"CPU": plan.resources.cpu, "GPU": plan.resources.gpu}]),
    )
    name = f"hpo_app_{folder.name}"  # Tune keeps trainables by name, for a whole cluster.
    tune.register_trainable(name, trainable)
    tune.run(
        name,
        name=TRIALS_FOLDER,
        storage_path=str(folder),
        search_alg=TuneSearch(
            recorder, plan.num_trials, at_once, is_population=plan.scheduler.is_population
        ),
        scheduler=scheduler,
        stop=_RunStopper(recorder),
        callbacks=[recorder, watchdog],
        max_failures=plan.max_failures,
        raise_on_failed_trial=False,
        reuse_actors=True,
        verbose=0,
    )


def _leave(recorder: Recorder, folder: Path) -> Callable[[str], None]:
    """Return what ends this process where Ray does not give it back."""

    def leave(reason: str) -> None:
        recorder.close()
        sys.stderr.write(
            f"\n{reason}\nRay does not let go of the run. What was reported is safe; "
            f"go on with\npython -m hpo_app action=resume run={folder}\n"
        )
        sys.stderr.flush()
        os._exit(EXIT_RESOURCES)

    return leave


def _scheduler(plan: RunPlan, recorder: Recorder) -> Any:
    own: dict[str, Any] = {}
    if plan.scheduler.is_population:
        own = {"space": plan.space, "seed": derive_seed(plan.seed, "population")}
    component = plan.scheduler.component
    scheduler = build(component, "scheduler", plan.trusted_modules, **own)
    # By hand and not through tune.run, because a scheduler may have to be reminded before.
    metric = f"metrics/{plan.objective.metric}"
    scheduler.set_search_properties(metric, plan.objective.mode.value)
    if isinstance(scheduler, PopulationTraining):
        scheduler.iterations = plan.iterations
        scheduler.on_clone = recorder.cloned
        recorder.is_copied = scheduler.is_in_use
    return scheduler


def _trial_spec(plan: RunPlan, folder: Path, slots: int) -> TrialSpec:
    return TrialSpec(
        template=plan.template,
        trainer=plan.trainer,
        trusted_modules=plan.trusted_modules,
        metric=plan.objective.metric,
        iterations=plan.iterations,
        # A population copies state at every look, so every report has to bring it.
        checkpoint_every=1 if plan.scheduler.is_population else plan.checkpoint_every,
        num_cpus=max(1, int(plan.resources.cpu)),
        num_workers=min(slots, plan.num_trials),
        timeout_s=plan.trial_timeout_s,
        started_at=time.time(),
        log_folder=str(folder / TRIALS_FOLDER),
        import_path=tuple(path for path in sys.path if path),
    )


def _opened(plan: RunPlan, folder: Path, facts: dict[str, Any]) -> dict[str, Any]:
    return {
        "schema": SCHEMA_VERSION,
        "run_id": folder.name,
        "metric": plan.objective.metric,
        "mode": plan.objective.mode.value,
        "space": plan.space_entries,
        "num_trials": plan.num_trials,
        "iterations": plan.iterations,
        "seed": plan.seed,
        "facts": {**facts, "choices": dict(plan.choices)},
    }


@contextlib.contextmanager
def _journal(folder: Path, *, resumes: bool) -> Iterator[tuple[Journal, Past | None]]:
    path = folder / FILE_NAME
    past = None
    if resumes:
        journal, events = Journal.reopen(path)
        past = Past(folder, events)
    else:
        journal = Journal.create(path)
    try:
        yield journal, past
    finally:
        journal.close()


def _remove_tune_state(folder: Path) -> None:
    # Tune's snapshot holds pickles and is never read: the journal says all of it.
    shutil.rmtree(folder / TRIALS_FOLDER / WORKERS_FOLDER, ignore_errors=True)
    for pattern in (
        ".validate_storage_marker",
        "experiment_state-*.json",
        "*.pkl",
        "*/error.pkl",
        "search_gen_state-*",
        "basic-variant-*",
    ):
        for path in (folder / TRIALS_FOLDER).glob(pattern):
            path.unlink(missing_ok=True)
