"""From a study with several objectives to its Pareto front, and the trials behind it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hpo_app.analysis.best import best_trial
from hpo_app.analysis.pareto import pareto_front
from hpo_app.analysis.wording import counted
from hpo_app.plots.points import draw_points, point_of
from hpo_app.plots.style import (
    BLACK,
    add_legend,
    drawable,
    empty_figure,
    label_axes,
    metric_label,
    new_figure,
    new_panels,
)


if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hpo_app.plan.run_plan import Objective
    from hpo_app.plots.points import Point
    from hpo_app.study.records import Study

MAX_PANELS = 6
_COLUMNS = 2
_PANEL_HEIGHT_IN = 4.0


@dataclass(frozen=True)
class Pair:
    """All trials by two of the objectives.

    Attributes:
        x: The objective along the x axis.
        y: The objective along the y axis.
        points: One mark per trial that has both values.
        front: `(x, y)` of the trials on the Pareto front, from left to right.
    """

    x: Objective
    y: Objective
    points: tuple[Point, ...]
    front: tuple[tuple[float, float], ...]


def pareto_pairs(study: Study) -> tuple[Pair, ...]:
    """Return the trials by each pair of objectives, without a limit."""
    pairs = itertools.combinations(study.criteria.objectives, 2)
    return tuple(_pair(study, x, y) for x, y in pairs)


def draw(study: Study) -> Figure:
    """Draw one panel per pair of objectives, at most `MAX_PANELS`."""
    title, pairs = "Pareto front", pareto_pairs(study)
    if not any(pair.points for pair in pairs):
        return empty_figure(title, study, "has all values")
    shown, left_out = pairs[:MAX_PANELS], len(pairs) - MAX_PANELS
    if left_out > 0:
        title += f" (the first {MAX_PANELS} of {len(pairs)} pairs of objectives)"
    columns = min(_COLUMNS, len(shown))
    rows = -(-len(shown) // columns)
    figure = new_figure(title, _description(study), height=_PANEL_HEIGHT_IN * rows + 1.0)
    for axes, pair in zip(new_panels(figure, len(shown), columns), shown, strict=True):
        _draw_panel(axes, pair)
    add_legend(figure)
    return figure


def _pair(study: Study, x: Objective, y: Objective) -> Pair:
    best, criteria = best_trial(study), study.criteria
    points = []
    for trial in study.trials:
        across, up = trial.value(x.metric), trial.value(y.metric)
        if across is not None and up is not None:
            points.append(replace(point_of(trial, drawable(across), criteria, best), y=up))
    front = sorted((t.last[x.metric], t.last[y.metric]) for t in pareto_front(study))
    return Pair(x, y, tuple(points), tuple(front))


def _draw_panel(axes: Axes, pair: Pair) -> None:
    draw_points(axes, pair.points)
    if pair.front:
        xs, ys = zip(*((drawable(x), drawable(y)) for x, y in pair.front), strict=True)
        # Between two of them nothing was tried, so that no line is drawn.
        axes.scatter(
            xs, ys, s=90, facecolors="none", edgecolors=BLACK, linewidths=1.2, zorder=4,
            label="Pareto front",
        )  # fmt: skip
    label_axes(axes, metric_label(pair.x), metric_label(pair.y))


def _description(study: Study) -> str:
    metrics = " and ".join(objective.metric for objective in study.criteria.objectives)
    front = pareto_front(study)
    return (
        f"{metrics} of {counted(len(study.trials), 'trial')}, each against the others. On the "
        f"Pareto front: {counted(len(front), 'trial')}."
    )
