"""From a run folder to a journal that a run writes: a new one, or that of an earlier start."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hpo_app.errors import Problem, RunFolderError
from hpo_app.plan.baselines import misfits
from hpo_app.study.folder import config_checksums
from hpo_app.study.journal import FILE_NAME, SCHEMA_VERSION, Journal, no_event, read_events
from hpo_app.study.judging import criteria_fields
from hpo_app.study.replay import baselines_in
from hpo_app.tuning.past import Past


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.study.earlier import EarlierRun


def opened_fields(
    plan: RunPlan, folder: Path, facts: dict[str, Any], earlier: Sequence[EarlierRun]
) -> dict[str, Any]:
    """Return the fields of a journal's first event.

    Args:
        plan: What is to run.
        folder: The run folder, whose stored config is remembered by its checksums.
        facts: Plain values for the record.
        earlier: Earlier runs that the sampler learns from.
    """
    return {
        "schema": SCHEMA_VERSION,
        "run_id": folder.name,
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
        "stored": config_checksums(folder),
        **({"confirms": True} if plan.confirm.is_on else {}),
        **_learned(earlier),
        **_brought(plan),
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
def open_journal(folder: Path, *, resumes: bool) -> Iterator[tuple[Journal, Past | None]]:
    """Give the journal of a run folder, and what an earlier start left behind, if there was one.

    Raises:
        RunFolderError: If the run goes on, and its journal cannot be read.
        StorageError: If the disk is full or cannot be written.
    """
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
