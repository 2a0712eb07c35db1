"""From a parameter's axis to an axis of a figure: its scale, its ticks and its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.plots.style import LABEL_SIZE, inert, label_ticks


if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hpo_app.analysis.axes import ParameterAxis

_MOST_WORDS = 12


def scale_along_x(axes: Axes, parameter: ParameterAxis) -> None:
    """Make the x axis that of a parameter."""
    if parameter.words:
        label_ticks(axes, parameter.words)
        axes.set_xlim(-0.6, len(parameter.words) - 0.4)
    elif parameter.is_log:
        axes.set_xscale("log")
    else:
        axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel(inert(parameter.name, limit=26), fontsize=LABEL_SIZE, parse_math=False)


def scale_along_y(axes: Axes, parameter: ParameterAxis) -> None:
    """Make the y axis that of a parameter."""
    if parameter.words:
        every = -(-len(parameter.words) // _MOST_WORDS)
        texts = [inert(word, limit=14) for word in parameter.words][::every]
        axes.set_yticks(range(0, len(parameter.words), every), texts, parse_math=False)
        axes.set_ylim(-0.6, len(parameter.words) - 0.4)
    elif parameter.is_log:
        axes.set_yscale("log")
    axes.set_ylabel(inert(parameter.name), fontsize=LABEL_SIZE, parse_math=False)
