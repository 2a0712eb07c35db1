"""From a plan to a study: one Tune run, written down as it happens."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import numpy as np
from ray import tune

from hpo_app.config.build import build
from hpo_app.search.averaging import AveragingEngine
from hpo_app.search.searcher import Searcher
from hpo_app.signals import Signals
from hpo_app.study.files import replace_file
from hpo_app.training.seeds import derive_seed
from hpo_app.tuning.engines import make_engine
from hpo_app.tuning.held import held_by
from hpo_app.tuning.lean import leave_fresh_alone, look_at_alive_only
from hpo_app.tuning.nodes import NodeWatch
from hpo_app.tuning.opening import as_begun, open_journal, opened_fields, resumed_fields
from hpo_app.tuning.past import has_memory, remind
from hpo_app.tuning.pbt import PopulationTraining
from hpo_app.tuning.reach import Reach, place_of_states, refuse_out_of_reach
from hpo_app.tuning.recorder import Recorder
from hpo_app.tuning.search import TuneSearch
from hpo_app.tuning.session import described, ray_session, sent_folder
from hpo_app.tuning.store import TRIALS_FOLDER
from hpo_app.tuning.supervisor import Supervisor
from hpo_app.tuning.trackers.tracking import make_trackers, tracking
from hpo_app.tuning.trainable import JUDGED, TrialSpec, run_trial
from hpo_app.tuning.turns import TakesTurns
from hpo_app.tuning.view import ShieldedView
from hpo_app.tuning.warmup import WORKERS_FOLDER
from hpo_app.tuning.watchdog import Watchdog


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Unpack

    from hpo_app.plan.capacity import Capacity
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.search.engine import Engine
    from hpo_app.study.earlier import EarlierRun
    from hpo_app.study.records import Study
    from hpo_app.training.contract import TrainFunction
    from hpo_app.tuning.past import Past
    from hpo_app.tuning.store import Store
    from hpo_app.tuning.view import RunView

_LOG = logging.getLogger(__name__)


class _RunStopper(tune.Stopper):
    """Ends the run when the recorder, or a signal, has a reason to."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:  # noqa: ARG002
        return self._recorder.ending.is_cut(int(trial_id))

    def stop_all(self) -> bool:
        return bool(self._recorder.stop_reason)

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune's snapshot pickles stoppers; nothing of ours is read back from it.


class StartOptions(TypedDict, total=False):
    """What may be said about one start of a run besides its plan.

    Attributes:
        changes: None for a new run. To go on with the journal in the run folder: the overrides
            that this start adds, for the record.
        earlier: Earlier runs that the sampler of a new run learns from. One that goes on knows
            them from its journal.
        supervisor: Looks after the search, which runs in a thread of its; None for nobody.
        train: The training function, where Python code handed one over; None for the one that the
            plan names.
        write_best: Writes the best.yaml of a study whose winner is known, before it is replayed;
            None for no replay.
    """

    changes: Sequence[str] | None
    earlier: Sequence[EarlierRun]
    supervisor: Supervisor | None
    train: TrainFunction | None
    write_best: Callable[[Study], None] | None


def run_search(
    plan: RunPlan,
    folder: Path,
    view: RunView,
    facts: dict[str, Any],
    **options: Unpack[StartOptions],
) -> Study:
    """Run the search that a plan describes, from the start or from where it stopped.

    Args:
        plan: What to run.
        folder: The run folder; exists, and holds no journal yet unless it is to go on.
        view: Shown what happens.
        facts: Plain values for the record: versions, host, command.
        **options: See `StartOptions`.

    Returns:
        The study, which the journal in `folder` tells of too.

    Raises:
        ResourceError: If no trial can ever fit.
        PlanError: If searcher, scheduler or a tracker do not take their arguments.
        RunFolderError: If the journal of a run that goes on cannot be read.
        Interrupted: If a signal came before this start wrote its first event.
    """
    view = ShieldedView(view)
    supervisor = options.get("supervisor") or Supervisor(Signals())
    changes = options.get("changes")
    plan = plan if changes is None else as_begun(plan, folder)
    # All before Ray, whose start takes seconds: they may refuse their arguments.
    engine, scheduler, trackers = make_engine(plan), _scheduler(plan), make_trackers(plan)
    searcher = _searcher(plan, engine, view)
    with ray_session(plan, supervisor.processes, view.notice, folder) as capacity:
        supervisor.signals.check()
        if not plan.cluster.is_local:
            view.notice(f"trials run on {described(capacity)}")
            refuse_out_of_reach(plan, folder)
        with (
            tracking(trackers, plan, folder, view, supervisor.signals) as tracked_view,
            open_journal(folder, resumes=changes is not None, storage=plan.storage) as opened,
        ):
            journal, store, past = opened
            recorder = Recorder(plan, store, journal, searcher, tracked_view)
            recorder.storage.slots = recorder.confirming.slots = capacity.slots(plan.resources)
            recorder.confirming.write_best = options.get("write_best")
            _connect(scheduler, recorder, plan, supervisor)
            if past is None:
                earlier = options.get("earlier", ())
                searcher.learn(trial for run in earlier for trial in run.taken)
                recorder.open(opened_fields(plan, store, facts, earlier))
            else:
                searcher.replay(past.events, past.study)
                resumed = resumed_fields(plan, facts, changes or ())
                recorder.reopen(past, _remind(scheduler, past, view), resumed)
            replace_file(folder / "environment.json", json.dumps(facts, indent=2))
            spec = trial_spec(plan, store, capacity.slots(plan.resources), options.get("train"))
            watchdog = Watchdog(plan, recorder, spec.num_workers, view.notice, supervisor.give_up)
            _search(plan, watchdog, (engine, scheduler), capacity, spec)
            return recorder.study()


def _searcher(plan: RunPlan, engine: Engine, view: RunView) -> Searcher:
    if note := getattr(engine, "note", ""):
        view.notice(note)
    # Members of a population share values and go different ways.
    repeats = plan.repeats_duplicates or plan.scheduler.is_population
    baselines = [baseline.params for baseline in plan.baselines]
    is_averaged = plan.criteria.averaged > 1
    return Searcher(
        plan.space,
        AveragingEngine(engine, plan.criteria) if is_averaged else engine,
        seed=plan.seed,
        repeats=repeats,
        baselines=baselines,
        prior_trials=max(min(plan.prior_trials, plan.num_trials - 1 - len(baselines)), 0),
    )


def _search(
    plan: RunPlan,
    watchdog: Watchdog,
    parts: tuple[Engine, Any],
    capacity: Capacity,
    spec: TrialSpec,
) -> None:
    """Run the trials, and close the journal however that ends."""
    recorder = watchdog.recorder
    try:
        with watchdog.watching():
            _run_tune(plan, watchdog, parts, capacity, spec)
    except BaseException as error:
        if not recorder.signals.reason:
            recorder.break_off(error)
            raise
        # The same signal may have ended Ray: `timeout` and systemd send it to everybody.
        _LOG.info("the run broke off while it was stopping", exc_info=error)
    finally:
        _tidy(spec.store)
        recorder.close()
    if not recorder.signals.reason:  # Else there is no time: the next start does it.
        recorder.storage.bring_home(recorder.study())


def _run_tune(
    plan: RunPlan,
    watchdog: Watchdog,
    parts: tuple[Engine, Any],
    capacity: Capacity,
    spec: TrialSpec,
) -> None:
    recorder, (engine, scheduler) = watchdog.recorder, parts
    # Without it Tune starts one worker at a time.
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(capacity.slots(plan.resources))
    search = TuneSearch(
        recorder,
        plan.num_trials,
        _width(plan, recorder, scheduler, capacity),
        does_pause=plan.scheduler.does_pause,
        turns=scheduler if isinstance(scheduler, TakesTurns) else None,
        searcher=getattr(engine, "searcher", None),
    )
    callbacks: list[Any] = [recorder, watchdog]
    if not plan.cluster.is_local:

        def resize(capacity: Capacity) -> None:
            search.slots = _width(plan, recorder, scheduler, capacity)

        reach = Reach(place_of_states(plan, spec.store.folder))
        callbacks.append(NodeWatch(plan, capacity, reach, resize, watchdog.notice))
    trainable = tune.with_resources(
        tune.with_parameters(run_trial, spec=spec),
        tune.PlacementGroupFactory([held_by(plan.resources)]),
    )
    # Tune keeps trainables by name, for a whole cluster; a folder's name may hold any letters.
    name = f"hpo_app_{uuid.uuid4().hex}"
    tune.register_trainable(name, trainable)
    tune.run(
        name,
        name=TRIALS_FOLDER,
        **spec.store.for_tune,
        search_alg=search,
        scheduler=scheduler,
        stop=_RunStopper(recorder),
        callbacks=callbacks,
        max_failures=plan.max_failures,
        raise_on_failed_trial=False,
        reuse_actors=True,
        verbose=0,
    )


def _width(plan: RunPlan, recorder: Recorder, scheduler: Any, capacity: Capacity) -> int:
    """Return for how many trials at once there is to be a worker, and tell who has to know."""
    # A cluster may lose all that it had, and whoever waits is there when it has nodes again.
    slots = max(capacity.slots(plan.resources), 1)
    recorder.storage.slots = recorder.confirming.slots = slots
    if not isinstance(scheduler, TakesTurns):
        return slots
    is_bound = slots < capacity.room(plan.resources)
    scheduler.max_running = slots if is_bound else None
    if not isinstance(scheduler, PopulationTraining):
        return slots
    # Members that wait for room keep workers warm, which then go from one to the next.
    return slots if is_bound else plan.num_trials


def _scheduler(plan: RunPlan) -> Any:
    own: dict[str, Any] = {}
    if plan.scheduler.is_population:
        own = {"space": plan.space, "seed": derive_seed(plan.seed, "population")}
    component = plan.scheduler.component
    if component.arguments.get("time_attr") == "training_iteration":
        own["time_attr"] = "iteration"  # The same, but Tune's begins anew where a run goes on.
    scheduler = build(component, "scheduler", plan.trusted_modules, **own)
    # By hand and not through tune.run, because a scheduler may have to be reminded before.
    scheduler.set_search_properties(JUDGED, plan.objective.mode.value)
    return scheduler


def _connect(scheduler: Any, recorder: Recorder, plan: RunPlan, supervisor: Supervisor) -> None:
    recorder.signals = supervisor.signals
    recorder.lost_process = supervisor.processes.lost
    _seed(plan)
    look_at_alive_only(scheduler, recorder.alive)
    if plan.confirm.is_on:
        leave_fresh_alone(scheduler, recorder.alive)
    if isinstance(scheduler, PopulationTraining):
        scheduler.iterations = plan.iterations
        scheduler.on_clone = recorder.cloned
        store = recorder.storage.store
        recorder.storage.checkpoints.is_copied = lambda path: scheduler.is_in_use(
            store.kept(Path(path))
        )


def _remind(scheduler: Any, past: Past, view: RunView) -> set[int]:
    if not has_memory(scheduler):
        view.notice("the scheduler starts without its memory of earlier reports")
    return remind(scheduler, past)


def _seed(plan: RunPlan) -> None:
    # Population-based training and ASHA draw from the global generators.
    random.seed(derive_seed(plan.seed, "scheduler"))
    np.random.seed(derive_seed(plan.seed, "scheduler"))  # noqa: NPY002


def trial_spec(plan: RunPlan, store: Store, slots: int, train: TrainFunction | None) -> TrialSpec:
    """Return what all trials of a run have in common.

    Args:
        plan: The plan.
        store: Where states and logs of trials are kept.
        slots: How many train at once.
        train: The training function, where it was handed over.
    """
    return TrialSpec(
        template=plan.template,
        trainer=plan.trainer,
        train=train,
        trusted_modules=plan.trusted_modules,
        criteria=plan.criteria,
        iterations=plan.iterations,
        # Who pauses goes on from a checkpoint, and a population copies it at every look.
        checkpoint_every=1 if plan.scheduler.does_pause else plan.checkpoint_every,
        num_cpus=max(1, int(plan.resources.cpu)),
        num_workers=min(slots, plan.num_trials),
        timeout_s=plan.trial_timeout_s,
        store=store,
        import_path=tuple(path for path in sys.path if path),
        stands_in=str(Path.cwd()),
        sent=sent_folder(plan.cluster),
    )


def _tidy(store: Store) -> None:
    if store.shared_folder is not None:
        meeting = store.shared_folder / TRIALS_FOLDER / WORKERS_FOLDER
        shutil.rmtree(meeting, ignore_errors=True)
    store.clear()
