"""From a study to one figure that sums it up: its four most telling figures on one sheet."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from hpo_app.plots import plots_of
from hpo_app.plots.style import DPI, TITLE_SIZE, WIDTH_IN, inert, new_figure


if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hpo_app.study.records import Study

# The first of these that are worth drawing, in this order.
_CHOICE = (
    "pareto_front",
    "optimization_history",
    "learning_curves",
    "parameter_importance",
    "parallel_coordinates",
    "metric_vs_parameter",
)
_PANELS = 4
_COLUMNS = 2
_HEAD_IN = 1.0


def overview(study: Study, headline: str) -> Figure:
    """Draw up to four figures of a study on one sheet.

    Args:
        study: The study.
        headline: What stands above, as a sentence.
    """
    drawn = plots_of(study)
    names = [name for name in _CHOICE if name in drawn][:_PANELS]
    images = [_pixels(drawn[name](study)) for name in names]
    rows = -(-len(images) // _COLUMNS)
    # All are drawn at one width; a row is as high as its higher figure.
    heights = [
        max(image.shape[0] / image.shape[1] for image in images[row * _COLUMNS :][:_COLUMNS])
        for row in range(rows)
    ]
    figure = new_figure("", f"{headline} Below: {', '.join(names)}.")
    # Each panel as large as the figure is alone, so that its words can be read.
    figure.set_size_inches(WIDTH_IN * _COLUMNS, WIDTH_IN * sum(heights) + _HEAD_IN)
    text = textwrap.fill(inert(headline, limit=400), 110)
    figure.suptitle(text, fontsize=TITLE_SIZE + 4, parse_math=False)
    panels = figure.subplots(rows, _COLUMNS, squeeze=False, height_ratios=heights)
    for axes in panels.flat:
        axes.set_axis_off()
    for axes, image in zip(panels.flat, images, strict=False):
        axes.imshow(image, interpolation="antialiased")
        axes.set_anchor("N")
    return figure


def _pixels(figure: Figure) -> np.ndarray[Any, Any]:
    """Return a figure as an image of shape (height, width, 4), colours from 0 to 255."""
    canvas: Any = FigureCanvasAgg(figure)
    figure.set_dpi(DPI)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())
