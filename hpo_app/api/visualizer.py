"""From results to figures, for notebooks and for files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_app.analysis.importance import Importance, Importances, Method
from hpo_app.api.analysis import analyze
from hpo_app.errors import PlanError, Problem, listed, near_miss
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
    save,
    timeline,
)
from hpo_app.plots.overview import overview
from hpo_app.report.document import REPORT_FOLDER, write_report


if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from hpo_app.api.results import Results

_SUMMARY = "summary.png"


class HPOVisualizer:
    """Draws a run.

    Each method returns a matplotlib figure, which a notebook shows, and writes it as PNG where
    `path` says. A figure for which there is nothing to draw says why not.
    """

    def plot_optimization_history(self, results: Results, path: str | Path | None = None) -> Figure:
        """Draw the value of each trial, with the best so far as a line."""
        return _saved(optimization_history.draw(results.study), path)

    def plot_learning_curves(self, results: Results, path: str | Path | None = None) -> Figure:
        """Draw the course of every trial by its outcome."""
        return _saved(learning_curves.draw(results.study), path)

    def plot_parameter_importance(
        self, analysis: Mapping[str, Any], path: str | Path | None = None
    ) -> Figure:
        """Draw a bar per parameter, the most important one on top.

        Args:
            analysis: What `HPOptimizer.analyze_results` returned.
            path: Where to write it.
        """
        measured = Importances(
            Method(analysis["importance_method"]),
            tuple(
                Importance(name, share, analysis["importance_trials"])
                for name, share in analysis["parameter_importance"].items()
            ),
            analysis["importance_iteration"],
            analysis["importance_trials"],
            tuple(analysis["importance_notes"]),
        )
        return _saved(parameter_importance.draw_measured(measured, analysis["metric"]), path)

    def plot_parallel_coordinates(
        self, results: Results, path: str | Path | None = None, *, top: int = 10
    ) -> Figure:
        """Draw a line per trial across the parameters, the best `top` ones in colour."""
        return _saved(parallel_coordinates.draw(results.study, top=top), path)

    def plot_parameter_distributions(
        self, results: Results, path: str | Path | None = None, *, top: int | None = None
    ) -> Figure:
        """Draw which values were tried, and which the best `top` trials have."""
        return _saved(parameter_distributions.draw(results.study, top=top), path)

    def plot_metric_vs_parameter(
        self, results: Results, name: str | None = None, path: str | Path | None = None
    ) -> Figure:
        """Draw the objective against one parameter, or against each.

        Raises:
            PlanError: If the run has no parameter of that name.
        """
        names = None if name is None else _known(results, name)
        return _saved(metric_vs_parameter.draw(results.study, names=names), path)

    def plot_contour(
        self,
        results: Results,
        names: tuple[str, str] | None = None,
        path: str | Path | None = None,
    ) -> Figure:
        """Draw the objective over two parameters, by default the most important ones.

        Raises:
            PlanError: If the run has no parameter of such a name.
        """
        for name in names or ():
            _known(results, name)
        return _saved(contour.draw(results.study, names=names), path)

    def plot_edf(self, results: Results, path: str | Path | None = None) -> Figure:
        """Draw the share of trials that are at least so good, beside the default configuration."""
        return _saved(distribution_of_values.draw(results.study), path)

    def plot_timeline(self, results: Results, path: str | Path | None = None) -> Figure:
        """Draw which worker trained which trial, and when."""
        return _saved(timeline.draw(results.study), path)

    def plot_pbt_lineage(self, results: Results, path: str | Path | None = None) -> Figure:
        """Draw who copied whom in a population, and the schedules that came of it."""
        return _saved(pbt_lineage.draw(results.study), path)

    def plot_pareto_front(self, results: Results, path: str | Path | None = None) -> Figure:
        """Draw the trials by several objectives, and those that no other beats."""
        return _saved(pareto_front.draw(results.study), path)

    def create_summary_report(
        self,
        results: Results,
        analysis: Mapping[str, Any] | None = None,
        output_dir: str | Path | None = None,
    ) -> Figure:
        """Write the report with all figures, and return one figure that sums it up.

        Args:
            results: The run.
            analysis: What `HPOptimizer.analyze_results` returned; its headline stands above the
                figure.
            output_dir: Where to write `report/index.html` with its figures, and `summary.png`; by
                default the run folder.
        """
        folder = results.run_folder if output_dir is None else Path(output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        if folder.resolve() == results.run_folder.resolve():
            results = type(results).load(folder)  # The run may be longer by now.
        target = folder / REPORT_FOLDER
        target.mkdir(exist_ok=True)
        write_report(
            results.study,
            target,
            command=str(results.study.facts.get("command", "")),
            train_command=results.train_command,
        )
        headline = (analysis or analyze(results))["headline"]
        return _saved(overview(results.study, headline), folder / _SUMMARY)


def _known(results: Results, name: str) -> tuple[str]:
    names = list(results.study.space)
    if name not in names:
        near = near_miss(name, names)
        fix = f"write {near!r}" if near else "choose one of them"
        raise PlanError([Problem("name", name, f"a parameter: {listed(names)}", fix)])
    return (name,)


def _saved(figure: Figure, path: str | Path | None) -> Figure:
    if path is not None:
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        save(figure, target)
    return figure
