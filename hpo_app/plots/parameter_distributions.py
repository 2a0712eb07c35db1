"""From a study to bars: which values were tried, and which of them the best trials have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpo_app.analysis.axes import parameter_axes
from hpo_app.analysis.best import rank
from hpo_app.analysis.importance import most_important
from hpo_app.plots.scales import scale_along_x
from hpo_app.plots.style import (
    BLUE,
    add_legend,
    empty_figure,
    inert,
    new_figure,
    new_panels,
)


if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hpo_app.analysis.axes import ParameterAxis
    from hpo_app.study.records import Study, TrialRecord

MAX_PANELS = 12
_COLUMNS = 3
_PANEL_HEIGHT_IN = 2.1
_NUM_BINS = 10
# The best quarter is enough to have a shape; of few trials, so many at least.
_SHARE = 4
_FEWEST = 5
_GREY = "#B8B8B8"


@dataclass(frozen=True)
class Distribution:
    """How often values of one parameter were tried.

    Attributes:
        axis: Where the values stand.
        edges: Places of the ends of the bins, one more than there are bins.
        tried: Share of all trials in each bin; of those that have the parameter.
        top: Share of the best trials in each bin.
    """

    axis: ParameterAxis
    edges: tuple[float, ...]
    tried: tuple[float, ...]
    top: tuple[float, ...]


def parameter_distributions(study: Study, *, top: int | None = None) -> tuple[Distribution, ...]:
    """Return the distribution of each parameter, in the order of the search space.

    Args:
        study: The study, finished or live.
        top: How many of the best trials are set apart; a quarter unless given.
    """
    best = _best(study, top)
    return tuple(_distribution(axis, study, best) for axis in parameter_axes(study).values())


def draw(study: Study, *, top: int | None = None) -> Figure:
    """Draw a panel per parameter, at most `MAX_PANELS`, the most important ones."""
    title, best = "Values that were tried, and those of the best trials", _best(study, top)
    found = [spread for spread in parameter_distributions(study, top=top) if any(spread.tried)]
    if not found or not best:
        return empty_figure(title, study, "has both a parameter and a value")
    shown = found
    if len(found) > MAX_PANELS:
        kept = set(most_important(study, MAX_PANELS))
        shown = [spread for spread in found if spread.axis.name in kept]
        title += f" ({len(shown)} of {len(found)} parameters)"
    rows = -(-len(shown) // _COLUMNS)
    figure = new_figure(title, _description(shown, len(best)), height=_PANEL_HEIGHT_IN * rows + 1.0)
    labels = (f"all {len(study.trials)} trials", f"the best {len(best)}")
    for axes, spread in zip(new_panels(figure, len(shown), _COLUMNS), shown, strict=True):
        _draw_panel(axes, spread, labels)
    figure.supylabel("share of these trials", fontsize=10)
    add_legend(figure)
    return figure


def _best(study: Study, top: int | None) -> Sequence[TrialRecord]:
    ranked = rank(study)
    return ranked[: top if top is not None else max(_FEWEST, len(ranked) // _SHARE)]


def _distribution(axis: ParameterAxis, study: Study, best: Sequence[TrialRecord]) -> Distribution:
    edges = _edges(axis, study)
    tried, top = (_shares(axis, edges, trials) for trials in (study.trials, best))
    return Distribution(axis, edges, tried, top)


def _edges(axis: ParameterAxis, study: Study) -> tuple[float, ...]:
    if axis.words:
        return tuple(place - 0.5 for place in range(len(axis.words) + 1))
    if axis.low == axis.high:
        margin = abs(axis.low) / 10 or 0.5
        return (axis.low - margin, axis.high + margin)
    values = [trial.params[axis.name] for trial in study.trials if axis.name in trial.params]
    is_short = not axis.is_log and axis.high - axis.low < 2 * _NUM_BINS
    if is_short and all(isinstance(value, int) for value in values):
        first, last = round(axis.low), round(axis.high)
        return tuple(place - 0.5 for place in range(first, last + 2))
    return tuple(axis.at(bin_ / _NUM_BINS) for bin_ in range(_NUM_BINS + 1))


def _shares(
    axis: ParameterAxis, edges: Sequence[float], trials: Sequence[TrialRecord]
) -> tuple[float, ...]:
    counts = [0] * (len(edges) - 1)
    for trial in trials:
        if axis.name in trial.params:
            place = axis.place(trial.params[axis.name])
            inside = sum(place >= edge for edge in edges) - 1
            counts[min(max(inside, 0), len(counts) - 1)] += 1
    total = sum(counts)
    return tuple(count / total if total else 0.0 for count in counts)


def _draw_panel(axes: Axes, spread: Distribution, labels: tuple[str, str]) -> None:
    lefts = spread.edges[:-1]
    widths = [after - before for before, after in zip(lefts, spread.edges[1:], strict=True)]
    axes.bar(
        lefts, spread.tried, widths, align="edge", color=_GREY, edgecolor="white", linewidth=0.6,
        label=labels[0],
    )  # fmt: skip
    axes.stairs(spread.top, spread.edges, color=BLUE, linewidth=1.8, label=inert(labels[1]))
    scale_along_x(axes, spread.axis)
    axes.set_ylim(0.0, max(*spread.tried, *spread.top) * 1.12)
    axes.locator_params(axis="y", nbins=4)
    axes.yaxis.set_major_formatter("{x:.0%}")


def _description(shown: Sequence[Distribution], num_best: int) -> str:
    names = ", ".join(spread.axis.name for spread in shown)
    return f"How often values were tried, by all trials and by the best {num_best}: {names}."
