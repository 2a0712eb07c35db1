"""From taste to settings: colours, sizes and labels that every figure shares.

Nothing here changes matplotlib's global state: a figure is made without pyplot, so it is freed
with its last reference, and figures may be drawn beside a user's own.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import MaxNLocator

from hpo_app.analysis.axes import LARGEST, is_far_apart
from hpo_app.analysis.wording import counted, plain


if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from hpo_app.plan.run_plan import Objective
    from hpo_app.study.records import Study

# Told apart with any kind of colour vision, and in grey.
# Source: Okabe and Ito (2008), "Color Universal Design", https://jfly.uni-koeln.de/color/
BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#7A7A7A"

WIDTH_IN = 8.0
HEIGHT_IN = 4.5
DPI = 130
TITLE_SIZE = 12
LABEL_SIZE = 10
TICK_SIZE = 9
MAX_LABEL = 48


def new_figure(title: str, description: str, *, height: float = HEIGHT_IN) -> Figure:
    """Return an empty figure with a title.

    Args:
        title: What is drawn; shortened to one line.
        description: What is to be seen, for a person who cannot see it; kept as the figure's
            label, where a report finds it.
        height: Inches.
    """
    figure = Figure(figsize=(WIDTH_IN, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.set_label(description)
    figure.suptitle(inert(title, limit=80), fontsize=TITLE_SIZE, parse_math=False)
    return figure


def message_figure(title: str, reason: str) -> Figure:
    """Return a figure that says why there is nothing to draw."""
    figure = new_figure(title, reason, height=HEIGHT_IN / 2)
    text = textwrap.fill(inert(reason, limit=400), 70)
    figure.text(0.5, 0.45, text, ha="center", va="center", color=GREY, parse_math=False)
    return figure


def empty_figure(title: str, study: Study, lacks: str) -> Figure:
    """Return a figure that says what none of the trials has, for example `has a value`."""
    count = counted(len(study.trials), "trial")
    return message_figure(title, f"None of {count} {lacks}: there is nothing to draw.")


def new_axes(figure: Figure) -> Axes:
    """Return the figure's only axes, dressed."""
    axes = figure.subplots()
    dress(axes)
    return axes


def new_panels(figure: Figure, count: int, columns: int, *, sharey: bool = False) -> list[Axes]:
    """Return so many panels, dressed, from left to right and then down."""
    columns = min(columns, count)
    rows = -(-count // columns)
    panels = list(figure.subplots(rows, columns, squeeze=False, sharey=sharey).flat)
    for axes in panels[:count]:
        dress(axes)
    for axes in panels[count:]:
        axes.set_visible(False)
    return panels[:count]


def say_above(axes: Axes, text: str) -> None:
    """Write a remark in small letters above the axes."""
    text = textwrap.fill(inert(text, limit=300), 80)
    axes.set_title(text, fontsize=TICK_SIZE, loc="left", color=GREY, parse_math=False)


def dress(axes: Axes) -> None:
    """Give axes a light grid, no box, and ticks that can be read at report size."""
    axes.grid(visible=True, color="#E4E4E4", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=TICK_SIZE)
    axes.margins(y=0.1)  # room below the lowest value for trials without one


def label_axes(axes: Axes, x: str = "", y: str = "") -> None:
    """Write both axis labels; a name is never read as mathematics."""
    axes.set_xlabel(inert(x), fontsize=LABEL_SIZE, parse_math=False)
    axes.set_ylabel(inert(y), fontsize=LABEL_SIZE, parse_math=False)


def label_ticks(axes: Axes, labels: Sequence[str]) -> None:
    """Name the places 0, 1, … of the x axis; of many names, evenly chosen ones."""
    every = -(-len(labels) // 10)
    texts = [inert(label, limit=14) for label in labels][::every]
    is_long = sum(len(text) for text in texts) > 30
    axes.set_xticks(
        range(0, len(labels), every),
        texts,
        parse_math=False,
        rotation=35 if is_long else 0,
        ha="right" if is_long else "center",
    )


def few_ticks_along_x(axes: Axes) -> None:
    """Put at most five ticks on the x axis of a small panel."""
    axes.xaxis.set_major_locator(MaxNLocator(4))


def count_along_x(axes: Axes) -> None:
    """Put the ticks of the x axis on whole numbers."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def count_along_y(axes: Axes) -> None:
    """Put the ticks of the y axis on whole numbers."""
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def add_legend(figure: Figure) -> None:
    """Write one legend for all panels below them, where it hides no trial."""
    handles_by_label = {
        label: handle
        for axes in figure.axes
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    if handles_by_label:
        figure.legend(
            handles_by_label.values(),
            handles_by_label.keys(),
            loc="outside lower center",
            fontsize=TICK_SIZE,
            frameon=False,
            ncols=len(handles_by_label) if len(handles_by_label) <= 4 else 3,
        )


def scale_y(axes: Axes, values: Sequence[float]) -> None:
    """Make the y axis logarithmic if the values are positive and far apart."""
    if is_far_apart(values):
        axes.set_yscale("log")


def drawable(value: float) -> float:
    """Return a value, or the nearest one whose axis limits matplotlib can still compute."""
    return min(max(value, -LARGEST), LARGEST)


def metric_label(objective: Objective) -> str:
    """Return the metric's name with the end that is better."""
    direction = "higher" if objective.sign > 0 else "lower"
    return f"{inert(objective.metric, limit=30)} ({direction} is better)"


def inert(text: str, *, limit: int = MAX_LABEL) -> str:
    """Return text that matplotlib can draw: one line, not too long, only glyphs that exist."""
    known = get_font(findfont(FontProperties())).get_charmap()
    drawable = "".join(
        letter if ord(letter) in known else "\N{WHITE SQUARE}" for letter in plain(text)
    )
    return drawable if len(drawable) <= limit else f"{drawable[: limit - 1]}…"
