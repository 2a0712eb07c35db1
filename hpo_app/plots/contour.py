"""From a study to a map: the objective over the two most important parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from hpo_app.analysis.axes import is_far_apart, parameter_axes
from hpo_app.analysis.best import best_trial
from hpo_app.analysis.comparable import compare_at_one_iteration
from hpo_app.analysis.importance import most_important
from hpo_app.analysis.wording import counted
from hpo_app.plan.run_plan import Mode
from hpo_app.plots.points import draw_points, point_of, spread
from hpo_app.plots.scales import scale_along_x, scale_along_y
from hpo_app.plots.style import (
    LABEL_SIZE,
    TICK_SIZE,
    add_legend,
    drawable,
    message_figure,
    metric_label,
    new_axes,
    new_figure,
)


if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from hpo_app.analysis.axes import ParameterAxis
    from hpo_app.analysis.comparable import Comparable
    from hpo_app.plan.search_space import Params
    from hpo_app.plots.points import Point
    from hpo_app.study.records import Study, TrialRecord

_CELLS = 50
# How far a trial tells of its surroundings, as a share of an axis; twice as far, nothing is drawn.
_REACH = 0.08
_NUM_LEVELS = 12
# The worst tenth gets the colour of its best: a few values far off would take all the colours.
_CLIPPED = 0.9
_FEWEST_TRIALS = 3


@dataclass(frozen=True)
class Landscape:
    """The objective over two parameters.

    Attributes:
        x: The parameter along the x axis, the most important one.
        y: The parameter along the y axis.
        points: One mark per trial that has both, at the places of the values it started with.
        heights: `(cells along y, cells along x)`, mean of the objective around the middle of each
            cell, weighted by nearness; NaN where no trial is near.
        is_log: Whether the mean is that of the logarithms, and so are the colours.
        iteration: The iteration at which the trials were compared.
    """

    x: ParameterAxis
    y: ParameterAxis
    points: tuple[Point, ...]
    heights: NDArray[np.float64]
    is_log: bool
    iteration: int


def landscape(study: Study, names: Sequence[str] = ()) -> Landscape | None:
    """Return the objective over two parameters: those named, and then the most important ones.

    None if there are fewer, or not three trials that have both and a value. Over words without an
    order nothing is averaged.
    """
    known = parameter_axes(study)
    wanted = dict.fromkeys([*names, *most_important(study, 2 + len(names))])
    chosen = [name for name in wanted if name in known]
    if len(chosen) < 2:
        return None
    x, y = known[chosen[0]], known[chosen[1]]
    comparison = compare_at_one_iteration(study)
    trials = [trial for trial in comparison.trials if {x.name, y.name} <= set(trial.params)]
    if len(trials) < _FEWEST_TRIALS:
        return None
    values = np.array([drawable(trial.value) for trial in trials])
    is_log = is_far_apart(values.tolist())
    heights = _smoothed(x, y, trials, _clipped(np.log10(values) if is_log else values, study))
    return Landscape(x, y, _points(study, x, y), heights, is_log, comparison.iteration)


def draw(study: Study, *, names: Sequence[str] = ()) -> Figure:
    """Draw the objective as colours over two parameters, with the trials on top."""
    land, metric = landscape(study, names), study.objective.metric
    if land is None:
        count = counted(len(study.trials), "trial")
        return message_figure(
            f"{metric} over two parameters",
            f"Of {count}, fewer than {_FEWEST_TRIALS} have a value and two parameters: there is "
            "nothing to draw.",
        )
    title = f"{metric} over {land.x.name} and {land.y.name}"
    figure = new_figure(title, _description(land, metric), height=5.2)
    axes = new_axes(figure)
    axes.grid(visible=False)
    _draw_heights(figure, axes, land, study)
    # A halo keeps grey marks in sight on any colour.
    halo = [(point.x, point.y) for point in land.points if point.y is not None]
    xs, ys = zip(*halo, strict=True)
    axes.scatter(xs, ys, s=42, color="white", alpha=0.5, linewidths=0)
    draw_points(axes, land.points)
    scale_along_x(axes, land.x)
    scale_along_y(axes, land.y)
    add_legend(figure)
    return figure


def _clipped(values: NDArray[np.float64], study: Study) -> NDArray[np.float64]:
    is_min = study.objective.mode is Mode.MIN
    worst = np.quantile(values, _CLIPPED if is_min else 1.0 - _CLIPPED)
    clipped: NDArray[np.float64] = (np.minimum if is_min else np.maximum)(values, worst)
    return clipped


def _smoothed(
    x: ParameterAxis, y: ParameterAxis, trials: Sequence[Comparable], values: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the mean of the values near each cell.

    Source:
        Nadaraya (1964) and Watson (1964), kernel regression with a Gaussian kernel.
    """
    across, up = _nearness(x, trials), _nearness(y, trials)
    weights = up[:, None, :] * across[None, :, :]
    total = weights.sum(axis=2)
    farthest = float(np.exp(-0.5 * 2.0**2))
    nearest = weights.max(axis=2)
    scale = float(np.abs(values).max()) or 1.0
    means = (weights @ (values / scale)) / np.maximum(total, np.finfo(float).tiny) * scale
    heights: NDArray[np.float64] = np.where(nearest >= farthest, means, np.nan)
    return heights


def _nearness(axis: ParameterAxis, trials: Sequence[Comparable]) -> NDArray[np.float64]:
    """Return how near trials are to the cells of an axis: `(cells, trials)`, in `[0, 1]`."""
    places = [axis.place(trial.params[axis.name]) for trial in trials]
    if axis.words:
        same = np.arange(len(axis.words))[:, None] == np.array(places)[None, :]
        return np.where(same, 1.0, 0.0)
    there = np.array([axis.position(place) for place in places])
    distances = (np.array(_middles())[:, None] - there[None, :]) / _REACH
    nearness: NDArray[np.float64] = np.exp(-0.5 * distances**2)
    return nearness


def _middles() -> list[float]:
    return [(cell + 0.5) / _CELLS for cell in range(_CELLS)]


def _edges(axis: ParameterAxis) -> list[float]:
    if axis.words:
        return [place - 0.5 for place in range(len(axis.words) + 1)]
    return [axis.at(cell / _CELLS) for cell in range(_CELLS + 1)]


def _points(study: Study, x: ParameterAxis, y: ParameterAxis) -> tuple[Point, ...]:
    best = best_trial(study)
    return tuple(
        replace(
            point_of(trial, _place(x, trial, trial.number), study.criteria, best),
            # Another seed of the spread, or all marks of two words would stand on a diagonal.
            y=_place(y, trial, trial.number * 7 + 3),
        )
        for trial in study.trials
        if {x.name, y.name} <= set(_started_with(trial))
    )


def _started_with(trial: TrialRecord) -> Params:
    return trial.params if trial.own_params is None else trial.own_params


def _place(axis: ParameterAxis, trial: TrialRecord, seed: int) -> float:
    return axis.place(_started_with(trial)[axis.name]) + (0.6 * spread(seed) if axis.words else 0.0)


def _draw_heights(figure: Figure, axes: Axes, land: Landscape, study: Study) -> None:
    # Bright is better, whatever the direction.
    colours = "viridis_r" if study.objective.mode is Mode.MIN else "viridis"
    shown = np.ma.masked_invalid(land.heights)
    axes.set_facecolor("#F2F2F2")
    if shown.min() == shown.max():
        return
    mesh = axes.pcolormesh(_edges(land.x), _edges(land.y), shown, cmap=colours, alpha=0.85)
    if not land.x.words and not land.y.words:
        middles = [[axis.at(share) for share in _middles()] for axis in (land.x, land.y)]
        axes.contour(*middles, shown, levels=_NUM_LEVELS, colors="white", linewidths=0.5)
    bar = figure.colorbar(mesh, ax=axes, pad=0.02)
    bar.ax.tick_params(labelsize=TICK_SIZE)
    kind = "logarithm of " if land.is_log else ""
    label = f"{kind}{metric_label(study.objective)}\nat iteration {land.iteration}, smoothed"
    bar.set_label(label, fontsize=LABEL_SIZE, parse_math=False)


def _description(land: Landscape, metric: str) -> str:
    return (
        f"{metric} at iteration {land.iteration} as colours over {land.x.name} and {land.y.name}, "
        f"smoothed, with {counted(len(land.points), 'trial')} as marks."
    )
