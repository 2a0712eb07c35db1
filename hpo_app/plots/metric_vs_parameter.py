"""From a study to slices: the objective against each parameter on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpo_app.analysis.axes import parameter_axes
from hpo_app.analysis.best import best_trial
from hpo_app.plots.points import draw_points, point_of, spread
from hpo_app.plots.style import (
    add_legend,
    empty_figure,
    few_ticks_along_x,
    label_axes,
    label_ticks,
    metric_label,
    new_figure,
    new_panels,
    scale_y,
)


if TYPE_CHECKING:
    from collections.abc import Collection

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hpo_app.analysis.axes import ParameterAxis
    from hpo_app.plots.points import Point
    from hpo_app.study.records import Study, TrialRecord

MAX_PANELS = 12
_COLUMNS = 3
_PANEL_HEIGHT_IN = 2.5


@dataclass(frozen=True)
class Slice:
    """The objective against one parameter.

    Attributes:
        name: Name of the parameter.
        points: One mark per trial that has the parameter; `x` is its value, or near the place
            of its value among the categories, spread so that equal values do not hide each other.
        categories: The values in words, for a parameter that is not a number on an axis.
        is_log: Whether equal steps are equal ratios.
    """

    name: str
    points: tuple[Point, ...]
    categories: tuple[str, ...] = ()
    is_log: bool = False


def metric_vs_parameter(study: Study) -> tuple[Slice, ...]:
    """Return a slice per parameter in the order of the search space, without a limit."""
    best = best_trial(study)
    return tuple(_slice(study, axis, best) for axis in parameter_axes(study).values())


def draw(study: Study, *, names: Collection[str] | None = None) -> Figure:
    """Draw one panel per parameter, at most `MAX_PANELS`; of all, or of the named ones."""
    slices, metric = metric_vs_parameter(study), study.objective.metric
    if names is not None:
        slices = tuple(cut for cut in slices if cut.name in names)
    title = f"{metric} by parameter"
    has_value = any(point.y is not None for cut in slices for point in cut.points)
    if not has_value:
        return empty_figure(title, study, "has both a parameter and a value")
    shown, left_out = slices[:MAX_PANELS], len(slices) - MAX_PANELS
    if left_out > 0:
        title += f" (the first {MAX_PANELS} of {len(slices)} parameters)"
    rows = -(-len(shown) // _COLUMNS)
    description = f"{metric} against each parameter: {', '.join(cut.name for cut in shown)}."
    figure = new_figure(title, description, height=_PANEL_HEIGHT_IN * rows + 1.0)
    panels = new_panels(figure, len(shown), _COLUMNS, sharey=True)
    for axes, cut in zip(panels, shown, strict=True):
        _draw_panel(axes, cut)
    values = [point.y for cut in shown for point in cut.points if point.y is not None]
    scale_y(figure.axes[0], values)
    figure.supylabel(metric_label(study.objective), fontsize=10, parse_math=False)
    add_legend(figure)
    return figure


def _draw_panel(axes: Axes, cut: Slice) -> None:
    draw_points(axes, cut.points)
    if cut.categories:
        label_ticks(axes, cut.categories)
        axes.set_xlim(-0.6, len(cut.categories) - 0.4)
    elif cut.is_log:
        axes.set_xscale("log")
    else:
        few_ticks_along_x(axes)
    label_axes(axes, cut.name)


def _slice(study: Study, axis: ParameterAxis, best: TrialRecord | None) -> Slice:
    points = []
    for trial in study.trials:
        if axis.name in trial.params:
            x = axis.place(trial.params[axis.name])
            x += 0.4 * spread(trial.number) if axis.words else 0.0
            points.append(point_of(trial, x, study.criteria, best))
    return Slice(axis.name, tuple(points), axis.words, axis.is_log)
