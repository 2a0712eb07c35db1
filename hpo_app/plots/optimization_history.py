"""From a study to its progress: the value of each trial, and the best so far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpo_app.analysis.best import best_trial
from hpo_app.analysis.progress import best_so_far
from hpo_app.analysis.wording import counted, number
from hpo_app.plots.points import draw_points, point_of
from hpo_app.plots.style import (
    BLACK,
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


if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hpo_app.analysis.progress import BestSoFar
    from hpo_app.plots.points import Point
    from hpo_app.study.records import Study


@dataclass(frozen=True)
class OptimizationHistory:
    """The value of each trial by its number.

    Attributes:
        points: One mark per trial; `x` is its number.
        best_so_far: How the best value came about.
    """

    points: tuple[Point, ...]
    best_so_far: BestSoFar


def optimization_history(study: Study) -> OptimizationHistory:
    """Return the value of each trial and the best so far."""
    winner = best_trial(study)
    points = tuple(point_of(trial, trial.number, study.criteria, winner) for trial in study.trials)
    return OptimizationHistory(points, best_so_far(study))


def draw(study: Study) -> Figure:
    """Draw the value of each trial, with the best so far as a line."""
    history, metric = optimization_history(study), study.objective.metric
    title = f"Optimization history of {metric}"
    if not history.best_so_far.steps:
        return empty_figure(title, study, "has a value")
    figure = new_figure(title, _description(history, metric))
    axes = new_axes(figure)
    numbers = [number for number, _ in history.best_so_far.steps]
    values = [drawable(value) for _, value in history.best_so_far.steps]
    # The last best value holds to the last trial.
    numbers.append(max(point.number for point in history.points))
    values.append(values[-1])
    label = f"best so far {_when(history)}"
    axes.step(numbers, values, where="post", color=BLACK, linewidth=1.5, label=label)
    draw_points(axes, history.points)
    scale_y(axes, [point.y for point in history.points if point.y is not None])
    count_along_x(axes)
    label_axes(axes, "trial", metric_label(study.objective))
    add_legend(figure)
    return figure


def _when(history: OptimizationHistory) -> str:
    iterations = history.best_so_far.iterations
    return "at the end of the training" if iterations is None else f"at iteration {iterations}"


def _description(history: OptimizationHistory, metric: str) -> str:
    (first, start), *_ = history.best_so_far.steps
    last, end = history.best_so_far.steps[-1]
    without = sum(point.y is None for point in history.points)
    course = f"goes from {number(start)} (trial {first}) to {number(end)} (trial {last})"
    return (
        f"{metric} of {counted(len(history.points), 'trial')} by number. The best value "
        f"{_when(history)} {course}. Without a value: {without}."
    )
