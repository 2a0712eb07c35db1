"""From a study to a curve: the share of trials that are at least so good, against the default."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpo_app.analysis.axes import is_far_apart
from hpo_app.analysis.comparable import compare_at_one_iteration
from hpo_app.analysis.wording import counted, number
from hpo_app.plots.style import (
    BLUE,
    PURPLE,
    add_legend,
    drawable,
    empty_figure,
    label_axes,
    metric_label,
    new_axes,
    new_figure,
    say_above,
)


if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hpo_app.study.records import Study


@dataclass(frozen=True)
class DistributionOfValues:
    """The empirical distribution function of the objective.

    Attributes:
        values: The values of the trials at one iteration, the best first.
        shares: For each value, the share of these trials that are at least so good.
        default: Value of the default configuration; None if it did not get there.
        share_better: Share of these trials that are better than the default; None without one.
        iteration: The iteration at which the trials are compared.
        num_short: Trials with a value that did not get there.
        num_failed: Failed trials.
    """

    values: tuple[float, ...]
    shares: tuple[float, ...]
    default: float | None
    share_better: float | None
    iteration: int
    num_short: int
    num_failed: int


def distribution_of_values(study: Study) -> DistributionOfValues:
    """Return how the objective is distributed over the trials, compared at one iteration."""
    compared, sign = compare_at_one_iteration(study), study.objective.sign
    # Less is better here: what is at least so good stands at its place or before.
    ordered = sorted(-sign * trial.value for trial in compared.trials)
    values = tuple(-sign * loss for loss in ordered)
    count, default = len(values), compared.default
    return DistributionOfValues(
        values,
        tuple(bisect_right(ordered, loss) / count for loss in ordered),
        default,
        None if default is None else bisect_left(ordered, -sign * default) / count,
        compared.iteration,
        compared.num_short,
        compared.num_failed,
    )


def draw(study: Study) -> Figure:
    """Draw the share of trials that are at least so good, with the default as a line."""
    spread, metric = distribution_of_values(study), study.objective.metric
    title = f"How good the trials are by {metric}"
    if not spread.values:
        return empty_figure(title, study, "has a value")
    figure = new_figure(title, _description(spread, metric))
    axes = new_axes(figure)
    xs = [drawable(value) for value in spread.values]
    axes.step(
        [xs[0], *xs], [0.0, *spread.shares], where="post", color=BLUE, linewidth=2.0,
        label="trials at least so good",
    )  # fmt: skip
    if spread.default is not None and spread.share_better is not None:
        label = f"default configuration: {spread.share_better:.0%} are better"
        axes.axvline(
            drawable(spread.default), color=PURPLE, linestyle="--", linewidth=2.0, label=label
        )
    if is_far_apart(spread.values):
        axes.set_xscale("log")
    axes.set_ylim(0.0, 1.05)
    axes.yaxis.set_major_formatter("{x:.0%}")
    label_axes(axes, metric_label(study.objective), "share of the trials")
    say_above(axes, _compared(spread))
    add_legend(figure)
    return figure


def _compared(spread: DistributionOfValues) -> str:
    text = f"{counted(len(spread.values), 'trial')} at iteration {spread.iteration}"
    left = [
        f"{count} {why}"
        for count, why in ((spread.num_short, "did not get there"), (spread.num_failed, "failed"))
        if count
    ]
    return f"{text}; {' and '.join(left)}." if left else f"{text}."


def _description(spread: DistributionOfValues, metric: str) -> str:
    text = f"Distribution of {metric} over {_compared(spread)} Best {number(spread.values[0])}, "
    text += f"worst {number(spread.values[-1])}."
    if spread.share_better is None:
        return f"{text} The default configuration is not among them."
    return f"{text} Better than the default configuration: {spread.share_better:.0%}."
