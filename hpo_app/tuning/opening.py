"""From a run folder to a journal that a run writes: a new one, or that of an earlier start."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from hpo_app.study.folder import config_checksums
from hpo_app.study.journal import FILE_NAME, SCHEMA_VERSION, Journal
from hpo_app.study.judging import criteria_fields
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
    }


def _account(earlier: Sequence[EarlierRun]) -> dict[str, Any]:
    return {"warm_start": {run.folder: run.facts for run in earlier}} if earlier else {}


def _learned(earlier: Sequence[EarlierRun]) -> dict[str, Any]:
    # In the journal's first line: after a kill either all of it is there, or no run.
    learned = [trial.to_fields() for run in earlier for trial in run.taken]
    return {"learned": learned} if learned else {}


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
