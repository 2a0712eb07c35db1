"""From what one trial took to the rows that say how long a search will take."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hpo_app.plan.duration import (
    confirming_course,
    confirming_trainings,
    expected_course,
    full_course,
)
from hpo_app.report.format import counted, duration
from hpo_app.study.disk import size_text


if TYPE_CHECKING:
    from hpo_app.plan.duration import Course
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.tuning.probe import Probe

# What the driver takes to write down a report and to act on it, measured (BENCHMARKS.md): 160 a
# second on a busy machine. There is one driver, so that reports of many slots wait for each other.
_PER_REPORT_S = 0.007


def time_rows(plan: RunPlan, slots: int, probe: Probe) -> list[tuple[str, str]]:
    """Return how long a search will take, as `(subject, text)`.

    Args:
        plan: The plan.
        slots: How many trials train at once.
        probe: What one took.
    """
    full, expected = full_course(plan, slots), expected_course(plan, slots)
    confirming = confirming_course(plan, full.total, slots)
    start_s = probe.ray_s + probe.worker_s
    most_s = start_s + _seconds(full, probe) + _seconds(confirming, probe)
    waves = counted(math.ceil(plan.num_trials / max(slots, 1)), "wave")
    whole = f"at most {duration(_seconds(full, probe))}: {waves} of {plan.iterations} iterations"
    rows = [("probe", _measured(plan, probe)), ("search", f"{whole}, none stopped early")]
    confirm = f"at most {duration(_seconds(confirming, probe))}: "
    confirm += counted(confirming_trainings(plan, full.total), "training")
    in_all = f"at most {duration(most_s)}"
    if expected is not None:
        shorter = confirming_course(plan, expected.total, slots)
        about_s = start_s + _seconds(expected, probe) + _seconds(shorter, probe)
        rows.append(("", _stopped_early(plan, full, expected, probe)))
        confirm += f"; about {duration(_seconds(shorter, probe))} after such a search"
        in_all += f", about {duration(about_s)}"
    rows += [("confirm", confirm)] if plan.confirm.is_on else []
    rows.append(("in all", f"{in_all}, of it {duration(start_s)} until the first trial trains"))
    return [*rows, *(("", note) for note in _notes(plan, slots, most_s))]


def _seconds(course: Course, probe: Probe) -> float:
    return max(course.longest * (probe.iteration_s + _PER_REPORT_S), course.total * _PER_REPORT_S)


def _measured(plan: RunPlan, probe: Probe) -> str:
    text = (
        f"Ray took {duration(probe.ray_s)} to start, a worker with its imports "
        f"{duration(probe.worker_s)}, the first iteration {duration(probe.iteration_s)}; "
        f"{probe.memory_gb:.2f} GB of memory"
    )
    hint = plan.resources.memory_gb
    if hint is not None and hint < probe.memory_gb:
        text += f", which is more than resources.memory_gb={hint:g}"
    if probe.checkpoint_bytes:
        text += f", a checkpoint of {size_text(probe.checkpoint_bytes)}"
    return text


def _stopped_early(plan: RunPlan, full: Course, expected: Course, probe: Probe) -> str:
    scheduler = plan.choices.get("scheduler", "the scheduler")
    return (
        f"about {duration(_seconds(expected, probe))}: {scheduler} trains "
        f"{expected.total / full.total:.0%} of the iterations where values come in random order "
        f"(simulated over its rungs, {counted(expected.searches, 'time')})"
    )


def _notes(plan: RunPlan, slots: int, most_s: float) -> list[str]:
    notes = []
    limit = plan.time_budget_s
    if limit is not None and limit < most_s:
        notes.append(f"time_budget_s ends it after {duration(limit)}")
    if plan.stop.target is not None or plan.stop.plateau is not None:
        notes.append("stop may end it earlier")
    if slots > 1:
        notes.append("by a trial alone: beside others, each may take longer")
    return notes
