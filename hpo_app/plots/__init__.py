"""Figures of a study: the room where matplotlib is spoken."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from hpo_app.plots import (
    learning_curves,
    metric_vs_parameter,
    optimization_history,
    pareto_front,
)
from hpo_app.plots.style import DPI
from hpo_app.study.files import replace_file


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.figure import Figure

    from hpo_app.study.records import Study

# In the order of the report. A figure's description for those who cannot see it is its label.
PLOTS: dict[str, Callable[[Study], Figure]] = {
    "optimization_history": optimization_history.draw,
    "learning_curves": learning_curves.draw,
    "metric_vs_parameter": metric_vs_parameter.draw,
}


def plots_of(study: Study) -> dict[str, Callable[[Study], Figure]]:
    """Return what is worth drawing of a study: with several objectives, their front comes first."""
    return {"pareto_front": pareto_front.draw, **PLOTS} if study.criteria.has_several else PLOTS


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all; equal figures give equal files."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    replace_file(path, buffer.getvalue())
