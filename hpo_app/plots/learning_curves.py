"""From a study to its curves: how the objective went in each trial."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.collections import LineCollection

from hpo_app.analysis.best import best_trial
from hpo_app.analysis.wording import counted
from hpo_app.plots.points import LOOKS, Point, draw_points
from hpo_app.plots.style import (
    GREEN,
    PURPLE,
    add_legend,
    count_along_x,
    drawable,
    empty_figure,
    label_axes,
    metric_label,
    new_axes,
    new_figure,
    scale_y,
)
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hpo_app.study.records import Study


@dataclass(frozen=True)
class Curve:
    """The course of one trial.

    Attributes:
        number: Number of the trial.
        state: How it stands.
        points: `(iteration, value)` of each report with the objective, at least one.
        is_default: Whether it is the default configuration.
        is_best: Whether it is the winner.
    """

    number: int
    state: TrialState
    points: tuple[tuple[int, float], ...]
    is_default: bool = False
    is_best: bool = False


@dataclass(frozen=True)
class LearningCurves:
    """The course of all trials.

    Attributes:
        curves: By number of the trial; failed trials are there with what they reported.
        num_without_report: Trials that never reported the objective.
    """

    curves: tuple[Curve, ...]
    num_without_report: int


def learning_curves(study: Study) -> LearningCurves:
    """Return the curve of every trial that reported the objective."""
    best = best_trial(study)
    curves = tuple(
        Curve(trial.number, trial.state, tuple(points), trial.is_default, trial is best)
        for trial in study.trials
        if (points := trial.curve(study.objective.metric))
    )
    return LearningCurves(curves, len(study.trials) - len(curves))


def draw(study: Study) -> Figure:
    """Draw the course of every trial, with its last report as a mark."""
    learned, metric = learning_curves(study), study.objective.metric
    title = f"Learning curves of {metric}"
    if not learned.curves:
        return empty_figure(title, study, f"reported {metric}")
    figure = new_figure(title, _description(learned, metric))
    axes = new_axes(figure)
    _draw_lines(axes, learned.curves)
    draw_points(axes, [_end_of(curve) for curve in learned.curves])
    scale_y(axes, [value for curve in learned.curves for _, value in curve.points])
    count_along_x(axes)
    label_axes(axes, "iteration", metric_label(study.objective))
    add_legend(figure)
    return figure


def _draw_lines(axes: Axes, curves: Sequence[Curve]) -> None:
    # A thousand curves are a texture: thinner ink keeps the two that matter in sight.
    alpha = 0.45 if len(curves) <= 100 else 0.15
    for state, look in LOOKS.items():
        style = ":" if state is TrialState.STOPPED else "-"
        lines = [_line_of(curve) for curve in curves if curve.state is state]
        width = 1.0 if state is TrialState.FINISHED else 0.8
        axes.add_collection(
            LineCollection(
                lines, colors=look.colour, linestyles=style, linewidths=width, alpha=alpha
            )
        )
    for curve in curves:
        if curve.is_default or curve.is_best:
            iterations, values = zip(*_line_of(curve), strict=True)
            colour = GREEN if curve.is_best else PURPLE
            axes.plot(iterations, values, color=colour, linewidth=2.0)


def _line_of(curve: Curve) -> list[tuple[float, float]]:
    return [(iteration, drawable(value)) for iteration, value in curve.points]


def _end_of(curve: Curve) -> Point:
    iteration, value = curve.points[-1]
    return Point(curve.number, iteration, value, curve.state, curve.is_default, curve.is_best)


def _description(learned: LearningCurves, metric: str) -> str:
    curves, without = learned.curves, learned.num_without_report
    furthest = max(curve.points[-1][0] for curve in curves)
    stopped = sum(curve.state is TrialState.STOPPED for curve in curves)
    return (
        f"{metric} by iteration of {counted(len(curves), 'trial')}, up to iteration {furthest}. "
        f"Stopped early: {stopped}. Never reported, so not drawn: {without}."
    )
