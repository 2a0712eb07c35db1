"""From a run folder to a journal that a run writes: a new one, or that of an earlier start."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hpo_app.errors import PlanError, Problem, RunFolderError
from hpo_app.plan.baselines import misfits
from hpo_app.study.folder import config_checksums
from hpo_app.study.journal import FILE_NAME, SCHEMA_VERSION, Journal, no_event, read_events
from hpo_app.study.judging import criteria_fields
from hpo_app.study.replay import baselines_in
from hpo_app.tuning.past import Past
from hpo_app.tuning.store import TRIALS_FOLDER, new_key, store_of


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.study.earlier import EarlierRun
    from hpo_app.tuning.store import Store


def opened_fields(
    plan: RunPlan, store: Store, facts: dict[str, Any], earlier: Sequence[EarlierRun]
) -> dict[str, Any]:
    """Return the fields of a journal's first event.

    Args:
        plan: What is to run.
        store: Where the run keeps its states; beside the stored config, of which the checksums are
            remembered.
        facts: Plain values for the record.
        earlier: Earlier runs that the sampler learns from.
    """
    return {
        "schema": SCHEMA_VERSION,
        "run_id": store.folder.name,
        **criteria_fields(plan.criteria),
        "space": plan.space_entries,
        "num_trials": plan.num_trials,
        "iterations": plan.iterations,
        "seed": plan.seed,
        "facts": {
            **facts,
            "choices": dict(plan.choices),
            "trainer": plan.trainer,
            **_account(earlier),
        },
        "stored": config_checksums(store.folder),
        **({"kept_as": store.key} if store.key else {}),
        **({"confirms": True} if plan.confirm.is_on else {}),
        **_learned(earlier),
        **_brought(plan),
    }


def resumed_fields(plan: RunPlan, facts: dict[str, Any], changes: Sequence[str]) -> dict[str, Any]:
    """Return the fields of the event with which a start goes on.

    Args:
        plan: What is to run.
        facts: Plain values for the record.
        changes: The overrides that this start adds.
    """
    return {
        "num_trials": plan.num_trials,
        "changes": list(changes),
        "confirms": plan.confirm.is_on,
        "facts": facts,
    }


def _account(earlier: Sequence[EarlierRun]) -> dict[str, Any]:
    return {"warm_start": {run.folder: run.facts for run in earlier}} if earlier else {}


def _learned(earlier: Sequence[EarlierRun]) -> dict[str, Any]:
    # In the journal's first line: after a kill either all of it is there, or no run.
    learned = [trial.to_fields() for run in earlier for trial in run.taken]
    return {"learned": learned} if learned else {}


def _brought(plan: RunPlan) -> dict[str, Any]:
    brought = [{"source": each.source, "params": each.params} for each in plan.baselines]
    return {"baselines": brought} if brought else {}


def as_begun(plan: RunPlan, folder: Path) -> RunPlan:
    """Return the plan of a run that goes on, with the baselines that it began with.

    Raises:
        RunFolderError: If the journal cannot be read, or has values that the space has not.
    """
    path = folder / FILE_NAME
    opened = next(iter(read_events(path)), None)
    if opened is None:
        raise RunFolderError([no_event(path)])
    baselines = baselines_in(opened.fields)
    wrong = [each for baseline in baselines for each in misfits(plan.space, baseline.params)]
    if wrong:
        fix = "restore the run folder from a copy, or start a new run"
        raise RunFolderError(
            [Problem(f"{path}: baseline", f"{m.name}: {m.got}", m.expected, fix) for m in wrong[:5]]
        )
    return replace(plan, baselines=baselines)


@contextlib.contextmanager
def open_journal(
    folder: Path, *, resumes: bool, storage: str = ""
) -> Iterator[tuple[Journal, Store, Past | None]]:
    """Give the journal of a run, where its states are kept, and what an earlier start left behind.

    Args:
        folder: The run folder.
        resumes: Whether the run goes on.
        storage: Where the states of trials are kept; empty for there.

    Raises:
        RunFolderError: If the run goes on, and its journal cannot be read.
        PlanError: If it has kept its states apart and is not to any more, or the other way round.
        StorageError: If the disk is full or cannot be written.
    """
    path = folder / FILE_NAME
    past, store = None, store_of(folder, storage, new_key(folder))
    if resumes:
        journal, events = Journal.reopen(path)
        try:
            store = _store(folder, storage, events[0].fields.get("kept_as", ""))
            past = Past(folder, events, store)
        except BaseException:
            journal.close()
            raise
    else:
        journal = Journal.create(path)
    try:
        yield journal, store, past
    finally:
        journal.close()


def _store(folder: Path, storage: str, key: str) -> Store:
    """Return where a run that goes on has kept its states, if that is where it is to keep them."""
    got, expected = storage or "null", "null: this run has its checkpoints in the run folder"
    if key:
        expected = f"where this run has kept its checkpoints since it began, as {key}"
    if bool(storage) == bool(key):
        store = store_of(folder, storage, key)
        if store.is_there or not any(folder.glob(f"{TRIALS_FOLDER}/*/checkpoint_*")):
            return store
        got = f"{storage}, which has no {key}"
    fix = "set storage to that place" if key else "set storage=null"
    raise PlanError([Problem("storage", got, expected, fix)])
