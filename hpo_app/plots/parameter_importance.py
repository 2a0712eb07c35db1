"""From a study to bars: how much of the objective hangs on each parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.analysis.importance import Method, parameter_importance
from hpo_app.analysis.wording import counted
from hpo_app.plots.style import (
    BLUE,
    TICK_SIZE,
    inert,
    label_axes,
    message_figure,
    new_axes,
    new_figure,
    say_above,
)


if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hpo_app.analysis.importance import Importances
    from hpo_app.study.records import Study

MAX_BARS = 20
_BAR_HEIGHT_IN = 0.28
_HOW = {
    Method.PED_ANOVA: "share in what sets the best trials apart",
    Method.FANOVA: "share of the variance that parameters explain on their own",
}


def draw(study: Study, *, method: Method | None = None) -> Figure:
    """Draw a bar per parameter, the most important one on top, at most `MAX_BARS`."""
    return draw_measured(parameter_importance(study, method), study.objective.metric)


def draw_measured(measured: Importances, metric: str) -> Figure:
    """Draw what was measured, for whoever has no study any more."""
    title = f"Importance of the parameters for {metric}"
    if not measured.parameters:
        return message_figure(title, f"{' '.join(measured.notes)} There is nothing to draw.")
    shown = measured.parameters[:MAX_BARS]
    if len(measured.parameters) > MAX_BARS:
        title += f" (the first {MAX_BARS} of {len(measured.parameters)})"
    figure = new_figure(title, _description(measured), height=1.6 + _BAR_HEIGHT_IN * len(shown))
    axes = new_axes(figure)
    axes.grid(visible=False, axis="y")
    places, shares = range(len(shown)), [each.share for each in shown]
    axes.barh(places, shares, color=BLUE, height=0.65)
    for place, share in zip(places, shares, strict=True):
        axes.annotate(
            f"{share:.0%}", (share, place), xytext=(4, 0), textcoords="offset points",
            va="center", fontsize=TICK_SIZE,
        )  # fmt: skip
    axes.set_yticks(places, [inert(each.name, limit=32) for each in shown], parse_math=False)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_xlim(0.0, min(1.0, max(shares) * 1.1) + 0.03)
    axes.xaxis.set_major_formatter("{x:.0%}")
    label_axes(axes, _HOW[measured.method])
    say_above(axes, " ".join([_compared(measured), *measured.notes]))
    return figure


def _compared(measured: Importances) -> str:
    trials = counted(measured.num_trials, "trial")
    return f"By {measured.method.label}, {trials} at iteration {measured.iteration}."


def _description(measured: Importances) -> str:
    listed = ", ".join(f"{each.name} {each.share:.0%}" for each in measured.parameters[:MAX_BARS])
    return " ".join([f"Importance by parameter: {listed}.", _compared(measured), *measured.notes])
