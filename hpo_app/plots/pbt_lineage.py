"""From a population to its lineage: who went on from whose state, with which values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.collections import LineCollection

from hpo_app.analysis.axes import parameter_axes
from hpo_app.analysis.best import best_trial
from hpo_app.analysis.lineage import course_of, stretches_of
from hpo_app.analysis.wording import counted, json_text
from hpo_app.plots.points import LOOKS
from hpo_app.plots.scales import scale_along_y
from hpo_app.plots.style import (
    BLACK,
    GREEN,
    GREY,
    TICK_SIZE,
    count_along_x,
    count_along_y,
    dress,
    empty_figure,
    label_axes,
    new_figure,
)
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hpo_app.analysis.axes import ParameterAxis
    from hpo_app.analysis.lineage import Stretch
    from hpo_app.study.records import Study

MAX_SCHEDULES = 4
_SCHEDULE_HEIGHT_IN = 1.3


@dataclass(frozen=True)
class Copy:
    """One exploit step.

    Attributes:
        source: Number of the trial whose state was copied.
        target: Number of the trial that went on from it.
        iteration: Iteration of the state.
    """

    source: int
    target: int
    iteration: int


@dataclass(frozen=True)
class Lineage:
    """The course of a population.

    Attributes:
        stretches: Of all members, by number and then in order.
        copies: All exploit steps, by target and then in order.
        winning: The stretches that led to the best trial's state, from the first iteration on.
        failed: `(member, iteration)` where members failed.
        changed: Names of the parameters that changed in any step, in the order of the space.
    """

    stretches: tuple[Stretch, ...]
    copies: tuple[Copy, ...]
    winning: tuple[Stretch, ...]
    failed: tuple[tuple[int, int], ...]
    changed: tuple[str, ...]


def pbt_lineage(study: Study) -> Lineage:
    """Return who went on from whom; without an exploit step there are stretches only."""
    by_number = {trial.number: stretches_of(trial) for trial in study.trials}
    copies = [
        Copy(clone.source, trial.number, clone.iteration)
        for trial in study.trials
        for clone in trial.clones
    ]
    failed = [(trial.number, trial.iterations) for trial in study.in_state(TrialState.FAILED)]
    return Lineage(
        tuple(stretch for stretches in by_number.values() for stretch in stretches),
        tuple(copies),
        course_of(best_trial(study), study),
        tuple(failed),
        _changed(study, by_number.values()),
    )


def draw(study: Study) -> Figure:
    """Draw a row per member with its copies, and below the schedule of each changed parameter."""
    lineage, title = pbt_lineage(study), "Lineage of the population"
    if not lineage.copies:
        return empty_figure(title, study, "went on from another's state")
    shown = lineage.changed[:MAX_SCHEDULES]
    if len(lineage.changed) > MAX_SCHEDULES:
        title += f" (schedules of {MAX_SCHEDULES} of {len(lineage.changed)} parameters)"
    rows = min(1.5 + 0.1 * len(study.trials), 4.5)
    heights = [rows, *[_SCHEDULE_HEIGHT_IN] * len(shown)]
    figure = new_figure(title, _description(lineage), height=sum(heights) + 1.0)
    panels = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    first, *others = panels[:, 0]
    _draw_members(first, lineage)
    known = parameter_axes(study)
    for axes, name in zip(others, shown, strict=True):
        _draw_schedule(axes, lineage, known[name])
    count_along_x(panels[-1, 0])
    panels[-1, 0].set_xlabel("iteration")
    handles, labels = first.get_legend_handles_labels()
    figure.legend(
        handles, labels, loc="outside lower center", fontsize=TICK_SIZE, frameon=False, ncols=4
    )
    return figure


def _changed(study: Study, all_stretches: Iterable[list[Stretch]]) -> tuple[str, ...]:
    seen: dict[str, bool] = dict.fromkeys(study.space, False)
    for stretches in all_stretches:
        for stretch in stretches[1:]:
            for name, value in stretch.params.items():
                before = stretches[0].params.get(name)
                seen[name] = seen.get(name, False) or json_text(before) != json_text(value)
    return tuple(name for name, is_changed in seen.items() if is_changed)


def _draw_members(axes: Axes, lineage: Lineage) -> None:
    dress(axes)
    axes.grid(visible=False, axis="y")
    _draw_rows(axes, lineage.stretches, GREY, 1.0, "member")
    ends = [
        [(copy.iteration, copy.source), (copy.iteration, copy.target)] for copy in lineage.copies
    ]
    axes.add_collection(LineCollection(ends, colors=GREY, linewidths=0.5, alpha=0.6))
    axes.scatter(
        [copy.iteration for copy in lineage.copies], [copy.target for copy in lineage.copies],
        s=16, color=BLACK, zorder=3, label="goes on from another's state",
    )  # fmt: skip
    _draw_rows(axes, lineage.winning, GREEN, 3.0, "led to the best trial")
    jumps = [
        [(after.start, before.member), (after.start, after.member)]
        for before, after in zip(lineage.winning, lineage.winning[1:], strict=False)
    ]
    axes.add_collection(LineCollection(jumps, colors=GREEN, linewidths=1.6, zorder=2.5))
    if lineage.failed:
        look = LOOKS[TrialState.FAILED]
        members, iterations = zip(*lineage.failed, strict=True)
        axes.scatter(
            iterations, members, marker="x", color=look.colour, s=36, zorder=4, label=look.label
        )
    rows = [stretch.member for stretch in lineage.stretches]
    axes.set_ylim(max(rows) + 0.8, min(rows) - 0.8)
    count_along_y(axes)
    label_axes(axes, "", "member (trial)")


def _draw_rows(
    axes: Axes, stretches: Sequence[Stretch], colour: str, width: float, label: str
) -> None:
    rows = [[(s.start, s.member), (s.end, s.member)] for s in stretches]
    axes.add_collection(
        LineCollection(rows, colors=colour, linewidths=width, label=label, zorder=2)
    )
    axes.autoscale_view()


def _draw_schedule(axes: Axes, lineage: Lineage, parameter: ParameterAxis) -> None:
    dress(axes)
    for stretches, colour, width, alpha in (
        (lineage.stretches, GREY, 1.0, 0.5),
        (lineage.winning, GREEN, 3.0, 1.0),
    ):
        levels = [
            [(stretch.start, place), (stretch.end, place)]
            for stretch in stretches
            if parameter.name in stretch.params
            for place in [parameter.place(stretch.params[parameter.name])]
        ]
        axes.add_collection(LineCollection(levels, colors=colour, linewidths=width, alpha=alpha))
    axes.autoscale_view()
    scale_along_y(axes, parameter)


def _description(lineage: Lineage) -> str:
    members = len({stretch.member for stretch in lineage.stretches})
    path = " then ".join(str(stretch.member) for stretch in lineage.winning)
    return (
        f"{counted(members, 'member')}, {counted(len(lineage.copies), 'exploit step')}. The best "
        f"trial's state came through trials {path}. Schedules: {', '.join(lineage.changed)}."
    )
