"""From a study to lines across axes: which values go together, and what came of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from matplotlib.collections import LineCollection
from matplotlib.lines import Line2D

from hpo_app.analysis.axes import ParameterAxis, is_far_apart, parameter_axes
from hpo_app.analysis.best import best_trial, rank
from hpo_app.analysis.importance import most_important
from hpo_app.analysis.wording import counted, number
from hpo_app.plots.points import spread
from hpo_app.plots.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    PURPLE,
    TICK_SIZE,
    VERMILLION,
    drawable,
    empty_figure,
    inert,
    metric_label,
    new_figure,
)
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hpo_app.study.records import Study, TrialRecord

    LineStyle: TypeAlias = Literal["-", "--", ":"]
    # Label, colour, style, width and lines.
    Group: TypeAlias = tuple[str, str, LineStyle, float, list["Line"]]

MAX_AXES = 12
_TOP = 10
_MOST_WORDS = 10
# So many letters fit side by side above the axes.
_ROW_OF_LETTERS = 90
# Where a line runs that has no place on an axis: below it.
_NOWHERE = -0.12


@dataclass(frozen=True)
class Line:
    """One trial across the axes.

    Attributes:
        number: Number of the trial.
        heights: Its place on each axis as a share of it; None where it has no value.
        state: How the trial stands.
        is_top: Whether it is among the best.
        is_default: Whether it is the default configuration.
        is_best: Whether it is the winner.
    """

    number: int
    heights: tuple[float | None, ...]
    state: TrialState
    is_top: bool = False
    is_default: bool = False
    is_best: bool = False


@dataclass(frozen=True)
class ParallelCoordinates:
    """All trials across the axes of the parameters.

    Attributes:
        axes: The parameters in the order of the search space; the objective is the last axis.
        lines: By number of the trial.
        num_left_out: Parameters that have no axis, because there are too many.
    """

    axes: tuple[ParameterAxis, ...]
    lines: tuple[Line, ...]
    num_left_out: int


def parallel_coordinates(study: Study, *, top: int = _TOP) -> ParallelCoordinates:
    """Return every trial across the axes.

    Args:
        study: The study, finished or live.
        top: How many of the best trials are marked as such.
    """
    known = parameter_axes(study)
    kept = set(most_important(study, MAX_AXES) if len(known) > MAX_AXES else known)
    axes = [axis for name, axis in known.items() if name in kept]
    best, ahead = best_trial(study), {trial.number for trial in rank(study)[:top]}
    outcome = _outcome(study)
    lines = tuple(
        Line(
            trial.number,
            (*(_height(axis, trial) for axis in axes), _reached(outcome, trial)),
            trial.state,
            trial.number in ahead,
            trial.is_default,
            trial is best,
        )
        for trial in study.trials
    )
    return ParallelCoordinates((*axes, outcome), lines, len(known) - len(axes))


def draw(study: Study, *, top: int = _TOP) -> Figure:
    """Draw a line per trial, the best ones in colour; at most `MAX_AXES`, the most important."""
    crossed, metric = parallel_coordinates(study, top=top), study.objective.metric
    title = f"Parameters of the best trials by {metric}"
    if not any(line.heights[-1] is not None for line in crossed.lines) or len(crossed.axes) < 2:
        return empty_figure(title, study, "has both a parameter and a value")
    if crossed.num_left_out:
        shown = len(crossed.axes) - 1
        title += f" ({shown} of {shown + crossed.num_left_out} parameters)"
    figure = new_figure(title, _description(crossed, metric))
    axes = figure.subplots()
    axes.axis("off")
    _draw_axes(axes, crossed, metric_label(study.objective))
    handles = [
        handle for group in _groups(crossed.lines, top) if (handle := _draw_group(axes, *group))
    ]
    figure.legend(
        handles=handles, loc="outside lower center", fontsize=TICK_SIZE, frameon=False,
        ncols=len(handles),
    )  # fmt: skip
    return figure


def _outcome(study: Study) -> ParameterAxis:
    metric = study.objective.metric
    values = [
        drawable(value) for trial in study.trials if (value := trial.value(metric)) is not None
    ]
    low, high = min(values, default=0.0), max(values, default=1.0)
    return ParameterAxis(metric, low, high, is_log=is_far_apart(values))


def _height(axis: ParameterAxis, trial: TrialRecord) -> float | None:
    if axis.name not in trial.params:
        return None
    place = axis.place(trial.params[axis.name])
    share = axis.position(place)
    # Equal words are spread a little, or the lines of one word would be one line.
    pitch = 1.0 / max(len(axis.words) - 1, 1)
    return share + 0.3 * pitch * spread(trial.number) if axis.words else share


def _reached(outcome: ParameterAxis, trial: TrialRecord) -> float | None:
    value = trial.value(outcome.name)
    return None if value is None else outcome.position(drawable(value))


def _groups(lines: Sequence[Line], top: int) -> list[Group]:
    """Return the lines by what is special about them; a later group lies on top."""
    special = {line.number for line in lines if line.is_top or line.is_default or line.is_best}
    failed = [line for line in lines if line.state is TrialState.FAILED]
    plain = [line for line in lines if line.number not in special]
    rest = [line for line in plain if line.state is not TrialState.FAILED]
    label = f"the best {min(top, sum(line.is_top for line in lines))}"
    return [
        ("others", GREY, "-", 0.6, rest),
        ("failed", VERMILLION, ":", 1.0, failed),
        (label, BLUE, "-", 1.2, [line for line in lines if line.is_top and not line.is_best]),
        ("default configuration", PURPLE, "--", 2.0, [line for line in lines if line.is_default]),
        ("best trial", GREEN, "-", 2.6, [line for line in lines if line.is_best]),
    ]


def _draw_group(
    axes: Axes, label: str, colour: str, style: LineStyle, width: float, lines: list[Line]
) -> Line2D | None:
    if not lines:
        return None
    courses = [
        [(x, _NOWHERE if height is None else height) for x, height in enumerate(line.heights)]
        for line in lines
    ]
    alpha = 0.75 if len(lines) <= 30 else max(0.05, 12.0 / len(lines))
    axes.add_collection(
        LineCollection(courses, colors=colour, linestyles=style, linewidths=width, alpha=alpha)
    )
    return Line2D([], [], color=colour, linestyle=style, linewidth=width, label=label)


def _draw_axes(axes: Axes, crossed: ParallelCoordinates, outcome_label: str) -> None:
    last = len(crossed.axes) - 1
    names = [axis.name for axis in crossed.axes]
    is_tight = last > 5 or max(len(name) for name in names) > _ROW_OF_LETTERS / (last + 1)
    if not is_tight:
        names[-1] = outcome_label
    for x, (axis, name) in enumerate(zip(crossed.axes, names, strict=True)):
        axes.plot([x, x], [0.0, 1.0], color=BLACK, linewidth=1.2, zorder=3)
        axes.text(
            x, 1.06, inert(name, limit=20 if is_tight else 30), va="bottom",
            ha="left" if is_tight else "center",
            rotation=30 if is_tight else 0, fontsize=TICK_SIZE + 1, parse_math=False,
        )  # fmt: skip
        for height, text in _ticks(axis):
            axes.text(
                x + 0.03, height, inert(text, limit=12), va="center", fontsize=TICK_SIZE - 1.5,
                parse_math=False, zorder=4,
                bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.6},
            )  # fmt: skip
    if any(height is None for line in crossed.lines for height in line.heights):
        axes.text(
            -0.06, _NOWHERE, "no value", ha="right", va="center", fontsize=TICK_SIZE - 1, color=GREY
        )
    axes.set_xlim(-0.5, last + 0.6)
    axes.set_ylim(_NOWHERE - 0.05, 1.1)


def _ticks(axis: ParameterAxis) -> list[tuple[float, str]]:
    if axis.words:
        every = -(-len(axis.words) // _MOST_WORDS)
        places = range(0, len(axis.words), every)
        return [(axis.position(place), axis.words[place]) for place in places]
    if axis.low == axis.high:
        return [(0.5, number(axis.low))]
    shares = [0.0, 0.25, 0.5, 0.75, 1.0] if not axis.is_log else _decades(axis)
    return [(share, number(axis.at(share))) for share in shares]


def _decades(axis: ParameterAxis) -> list[float]:
    first, last = math.ceil(math.log10(axis.low) - 1e-9), math.floor(math.log10(axis.high) + 1e-9)
    if last - first < 1:
        return [0.0, 0.5, 1.0]
    every = -(-(last - first + 1) // 7)
    return [axis.position(10.0**power) for power in range(first, last + 1, every)]


def _description(crossed: ParallelCoordinates, metric: str) -> str:
    best = next((line.number for line in crossed.lines if line.is_best), None)
    names = ", ".join(axis.name for axis in crossed.axes[:-1])
    return (
        f"{counted(len(crossed.lines), 'trial')} across the axes of {names} and {metric}. "
        f"Best: trial {best}."
    )
