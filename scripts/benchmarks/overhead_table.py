"""From measurements to a table: medians with their range, and ratios of the medians."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NOTHING = "-"
HEAD = (
    "work",
    "contender",
    "start s",
    "work s",
    "total s",
    "work ÷ pool",
    "work ÷ hpo_app",
    "total ÷ pool",
    "total ÷ hpo_app",
    "trials/s",
)
NOTES = (
    "start: from the start of the process until its imports are done and Ray runs.",
    "work: from there until the last result is in hand, the start of the workers included.",
    "total: start + work. Times are medians (lowest-highest), ratios are those of the medians.",
)


@dataclass(frozen=True)
class Measurement:
    """One run of one contender.

    Attributes:
        work: Name of the work.
        title: What the work is, in words.
        contender: Who did it.
        trials: How many trials the work has.
        measured_trials: How many of them were run.
        start_s: Seconds until ready.
        work_s: Seconds of the whole work; scaled, if not all of it was run.
        first_result_s: Seconds of work until the first result.
        values_sum: Sum of what the trials reported last.
        error: Why there is no measurement; empty if there is one.
    """

    work: str
    title: str
    contender: str
    trials: int
    measured_trials: int = 0
    start_s: float = math.nan
    work_s: float = math.nan
    first_result_s: float = math.nan
    values_sum: float = math.nan
    error: str = ""

    @property
    def total_s(self) -> float:
        """Seconds from the start of the process to the last result."""
        return self.start_s + self.work_s


def scaled_work_s(first_s: float, work_s: float, measured: int, trials: int) -> float:
    """Return how long all trials would take: what comes before the first result counts once."""
    if measured == trials:
        return work_s
    if measured < 2:
        return work_s * trials / measured
    return first_s + (work_s - first_s) / (measured - 1) * (trials - 1)


def rows(measurements: Sequence[Measurement]) -> list[tuple[str, ...]]:
    """Return one row of text per work and contender, in the order of the first measurements."""
    groups: dict[tuple[str, str], list[Measurement]] = {}
    for item in measurements:
        groups.setdefault((item.work, item.contender), []).append(item)
    return [_row(group, groups) for group in groups.values()]


def notes(measurements: Sequence[Measurement]) -> list[str]:
    """Return what a reader of the table has to know."""
    found = dict.fromkeys(
        f"{item.contender}, {item.work}: measured on {item.measured_trials} trials and scaled to "
        f"{item.trials}; what comes before the first result is counted once."
        for item in measurements
        if not item.error and item.measured_trials != item.trials
    )
    failed = [f"{item.contender}, {item.work}: {item.error}" for item in measurements if item.error]
    return [*NOTES, *found, *failed, *_other_work(measurements)]


def as_text(table: Sequence[tuple[str, ...]]) -> str:
    """Return an aligned table for a terminal."""
    lines = [HEAD, *table]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    rule = tuple("-" * width for width in widths)
    return "\n".join(_aligned(line, widths) for line in (HEAD, rule, *table))


def as_markdown(table: Sequence[tuple[str, ...]]) -> str:
    """Return the table as Markdown."""
    rule = tuple("---" if column < 2 else "---:" for column in range(len(HEAD)))
    return "\n".join(f"| {' | '.join(line)} |" for line in (HEAD, rule, *table))


def _row(
    group: list[Measurement], groups: dict[tuple[str, str], list[Measurement]]
) -> tuple[str, ...]:
    one = group[0]
    pool, ours = (groups.get((one.work, name), []) for name in ("pool", "hpo_app"))
    work_s = _median(group, _work_s)
    return (
        one.title,
        one.contender,
        _spread(group, lambda item: item.start_s),
        _spread(group, _work_s),
        _spread(group, _total_s),
        _number(work_s / _median(pool, _work_s)),
        _number(work_s / _median(ours, _work_s)),
        _number(_median(group, _total_s) / _median(pool, _total_s)),
        _number(_median(group, _total_s) / _median(ours, _total_s)),
        _number(one.trials / work_s),
    )


def _work_s(item: Measurement) -> float:
    return item.work_s


def _total_s(item: Measurement) -> float:
    return item.total_s


def _seconds(group: Sequence[Measurement], value: Callable[[Measurement], float]) -> list[float]:
    return [value(item) for item in group if not item.error]


def _median(group: Sequence[Measurement], value: Callable[[Measurement], float]) -> float:
    found = _seconds(group, value)
    return median(found) if found else math.nan


def _spread(group: Sequence[Measurement], value: Callable[[Measurement], float]) -> str:
    found = _seconds(group, value)
    if len(found) < 2:
        return _number(found[0] if found else math.nan)
    return f"{_number(median(found))} ({_number(min(found))}-{_number(max(found))})"


def _number(value: float) -> str:
    if not math.isfinite(value):
        return NOTHING
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _aligned(line: tuple[str, ...], widths: Sequence[int]) -> str:
    cells = [
        cell.ljust(width) if column < 2 else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _other_work(measurements: Sequence[Measurement]) -> list[str]:
    """Say so if contenders trained different agents: then they did not do the same work."""
    sums = {item.values_sum for item in measurements if item.work == "ppo" and not item.error}
    if len(sums) < 2:
        return []
    shown = ", ".join(f"{value:g}" for value in sorted(sums))
    return [f"ppo: the final rewards differ between runs (sums {shown}): not the same work!"]
