"""From a plan to what this machine's disks must hold, said before anything starts."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, NamedTuple

from hpo_app.errors import Problem, ResourceError
from hpo_app.plan.capacity import this_machine
from hpo_app.plan.rules import check_capacity
from hpo_app.redaction import redact
from hpo_app.study.disk import MB, existing, room_at, size_of, size_text, write_refusal
from hpo_app.tuning.kept import CHECKPOINT_PREFIX, OF_RUNNING
from hpo_app.tuning.own_ray import starts_ray_here
from hpo_app.tuning.store import folder_of
from hpo_app.tuning.temp_folder import LONGEST, ray_temp_folder, scratch_folder


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.tuning.kept import KeptCheckpoints

# What a run writes beside its checkpoints, measured: report and tables; journal and log of a
# trial, and of each of its reports. A trainer that prints much writes more.
_RESULTS = 2 * MB
_PER_TRIAL = 2_000
_PER_REPORT = 500
# What a Ray of our own writes into its folder: logs, for the most part.
_RAY = 50 * MB


def refuse_at_start(plan: RunPlan, folder: Path) -> None:
    """Raise if this machine cannot hold a run, with everything that is in its way.

    Args:
        plan: The plan.
        folder: The run folder.

    Raises:
        ResourceError: With what is asked for and what there is.
    """
    problems: list[Problem] = []
    slots = plan.num_trials  # Nobody knows before a cluster, or a Ray that runs, is asked.
    if starts_ray_here(plan.cluster):
        capacity = this_machine(plan.cluster)
        problems += check_capacity(plan, capacity)
        slots = capacity.slots(plan.resources)
    problems += disk_problems(plan, folder, slots)
    problems += storage_problems(plan)
    if problems:
        raise ResourceError(problems)


class Need(NamedTuple):
    """What a run will write.

    Attributes:
        records: Bytes of journal, logs and results.
        num_checkpoints: How many checkpoints there are at once, at most.
    """

    records: int
    num_checkpoints: int


def need_of(plan: RunPlan, slots: int) -> Need:
    """Return what a run will write into its folder; the size of a checkpoint is not known yet.

    Args:
        plan: The plan.
        slots: How many trials train at once.
    """
    per_trial = _PER_TRIAL + plan.iterations * _PER_REPORT
    records = _RESULTS + plan.num_trials * per_trial
    if not plan.checkpoint_every and not plan.scheduler.does_pause:
        return Need(records, 0)
    training = min(slots, plan.num_trials)
    alive = plan.num_trials if plan.scheduler.does_pause else training
    best = min(plan.checkpoints.keep_best, plan.num_trials)
    if plan.criteria.has_several and best:
        best = plan.num_trials  # All may be on the Pareto front.
    # Each that trains may be writing one more.
    return Need(records, OF_RUNNING * alive + training + best)


def disk_problems(plan: RunPlan, folder: Path, slots: int) -> Iterator[Problem]:
    """Yield what is wrong with the disks that a run on this machine would write to.

    Args:
        plan: The plan.
        folder: The run folder.
        slots: How many trials train at once.
    """
    need = need_of(plan, slots)
    size = max(size_of_earlier_checkpoints(folder), expected_checkpoint(plan))
    # At the least: each trial that trains writes one before it can let go of another.
    checkpoints = min(slots, plan.num_trials) * size
    if plan.storage:
        checkpoints = size  # The winner's is copied here.
        if "://" not in plan.storage and size:
            number = min(slots, plan.num_trials)
            place, fix = folder_of(plan.storage), "free some space, or set another storage"
            yield from _of_folder(place, number * size, "a checkpoint of each trial at once", fix)
    records = max(need.records - size_of(folder), MB)
    what = f"{size_text(records)} for journal, logs and report"
    what += f", {size_text(checkpoints)} for checkpoints" if checkpoints else ""
    fix = "free some space, or write elsewhere with hydra.run.dir=PATH"
    yield from _of_folder(folder, records + checkpoints, what, fix)
    if not plan.cluster.is_local:
        return
    ray_folder, _ = ray_temp_folder()
    fix = "free some space, or set TMPDIR to a folder on another disk"
    yield from _of_folder(ray_folder, _RAY, "Ray's logs", fix)
    if len(str(ray_folder).encode()) > LONGEST:
        expected = f"at most {LONGEST} bytes, because sockets are made in it"
        yield Problem("TMPDIR", str(ray_folder), expected, "set TMPDIR to a shorter folder")
    scratch = scratch_folder()
    if need.num_checkpoints and not _is_same_disk(scratch, ray_folder):
        bytes_each = max(size, MB) * min(slots, plan.num_trials)
        yield from _of_folder(scratch, bytes_each, "a checkpoint of each trial at once", fix)


def storage_problems(plan: RunPlan) -> Iterator[Problem]:
    """Yield why nothing can be kept where the states of trials are to be."""
    if not plan.storage:
        return
    # Not above: it brings Ray and PyArrow, which most plans do without.
    from hpo_app.tuning.store_apart import mark, wipe  # noqa: PLC0415

    name = f".seen-{uuid.uuid4().hex}"
    reason = mark(plan.storage, name)
    wipe(plan.storage, name)
    if reason:
        expected = "a folder or a bucket that this user may write to"
        fix = "correct it; for a bucket, look at AWS_PROFILE or AWS_ACCESS_KEY_ID, and AWS_REGION"
        yield Problem("storage", redact(f"{plan.storage} ({reason})"), expected, fix)


def expected_checkpoint(plan: RunPlan) -> int:
    """Return the bytes that a checkpoint takes at most, as its config says; 0 if it does not."""
    return int((plan.checkpoint_mb or 0) * MB)


def size_of_earlier_checkpoints(folder: Path) -> int:
    """Return the bytes of the largest checkpoint that an earlier start left; 0 without one."""
    return max(map(size_of, folder.glob(f"trials/*/{CHECKPOINT_PREFIX}*")), default=0)


def disk_row(plan: RunPlan, folder: Path, slots: int) -> str:
    """Return what the disks have, and what of it a run needs, in one line."""
    need = need_of(plan, slots)
    text = f"{room_at(folder)}; {size_text(need.records)} for journal, logs and report"
    if need.num_checkpoints:
        size = expected_checkpoint(plan)
        number = f"{need.num_checkpoints} checkpoints"
        text += f", and up to {number} "
        text += (
            f"of {size_text(size)}, {size_text(need.num_checkpoints * size)} in all"
            if size
            else "(their size shows with the first)"
        )
    return text


def checkpoint_note(plan: RunPlan, folder: Path, slots: int, checkpoints: KeptCheckpoints) -> str:
    """Return what a person should know now that the size of a checkpoint is known; or ""."""
    number = need_of(plan, slots).num_checkpoints
    size = max(checkpoints.largest, expected_checkpoint(plan))
    total = (
        f"a checkpoint takes {size_text(size)}: up to {number} at once, {size_text(number * size)}"
    )
    room = room_at(folder)
    if number * size > room.free:
        return f"{total}, may not fit: {room}"
    budget_gb = plan.checkpoints.budget_gb
    if budget_gb is not None and number * size > budget_gb * 1e9:
        return f"{total}, are more than checkpoints.budget_gb={budget_gb:g}: fewer will be kept"
    return ""


def _of_folder(folder: Path, needed: int, what: str, fix: str) -> Iterator[Problem]:
    refusal = write_refusal(folder)
    room = room_at(folder)
    if refusal and room.free:
        yield Problem(str(folder), refusal, "a folder that this user may write to", fix)
    elif room.free < needed:
        expected = f"at least {size_text(needed)}: {what}"
        yield Problem(f"disk of {folder}", str(room), expected, fix)


def _is_same_disk(one: Path, other: Path) -> bool:
    return existing(one).stat().st_dev == existing(other).stat().st_dev
