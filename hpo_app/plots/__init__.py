"""Figures of a study: the room where matplotlib is spoken."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from matplotlib import rc_context

from hpo_app.errors import listed
from hpo_app.plots import (
    contour,
    distribution_of_values,
    learning_curves,
    metric_vs_parameter,
    optimization_history,
    parallel_coordinates,
    parameter_distributions,
    parameter_importance,
    pareto_front,
    pbt_lineage,
    timeline,
)
from hpo_app.plots.style import DPI
from hpo_app.study.files import replace_file


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure

    from hpo_app.study.records import Study

# What would tell files of equal figures apart, by format.
_STAMPS = {
    "png": ("Software",),
    "svg": ("Date",),
    "svgz": ("Date",),
    "pdf": ("CreationDate",),
}

# In the order of the report. Each draws a study, and may take options beside it. A figure's
# description for those who cannot see it is its label.
PLOTS: dict[str, Callable[..., Figure]] = {
    "pareto_front": pareto_front.draw,
    "optimization_history": optimization_history.draw,
    "learning_curves": learning_curves.draw,
    "parameter_importance": parameter_importance.draw,
    "parallel_coordinates": parallel_coordinates.draw,
    "metric_vs_parameter": metric_vs_parameter.draw,
    "contour": contour.draw,
    "parameter_distributions": parameter_distributions.draw,
    "distribution_of_values": distribution_of_values.draw,
    "pbt_lineage": pbt_lineage.draw,
    "timeline": timeline.draw,
}

# Of fewer trials with a value, these figures show chance, or no more than the others.
_FEWEST_TRIALS = 8
_OF_MANY_TRIALS = {
    "parameter_importance",
    "parallel_coordinates",
    "contour",
    "parameter_distributions",
    "distribution_of_values",
    "timeline",
}
_OF_TWO_PARAMETERS = {"parameter_importance", "parallel_coordinates", "contour"}


def plots_of(study: Study) -> dict[str, Callable[..., Figure]]:
    """Return what is worth drawing of a study, in the order of the report."""
    left_out = set()
    if not study.criteria.has_several:
        left_out.add("pareto_front")
    if not any(trial.clones for trial in study.trials):
        left_out.add("pbt_lineage")
    metric = study.objective.metric
    if sum(trial.value(metric) is not None for trial in study.trials) < _FEWEST_TRIALS:
        left_out |= _OF_MANY_TRIALS
    if len(study.space) < 2:
        left_out |= _OF_TWO_PARAMETERS
    return {name: draw for name, draw in PLOTS.items() if name not in left_out}


def save(figure: Figure, path: Path) -> None:
    """Write a figure in the format of the path's suffix, whole or not at all; PNG without one.

    Equal figures give equal files.

    Raises:
        ValueError: If matplotlib does not know the format.
    """
    kind = path.suffix.lower().removeprefix(".") or "png"
    known = figure.canvas.get_supported_filetypes()
    if kind not in known:
        raise ValueError(
            f"{path}: a figure cannot be written as {kind}; take {listed(sorted(known))}"
        )
    buffer = io.BytesIO()
    # When and by what it was made would differ from file to file.
    unstamped: dict[str, Any] = dict.fromkeys(_STAMPS.get(kind, ()))
    stamps: dict[str, Any] = {"metadata": unstamped} if unstamped else {}
    with rc_context({"svg.hashsalt": "hpo_app"}):
        figure.savefig(buffer, format=kind, dpi=DPI, **stamps)
    replace_file(path, buffer.getvalue())
