"""From results to figures, for notebooks and for files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from hpo_app.analysis.importance import Importance, Importances, Method
from hpo_app.api.analysis import analyze
from hpo_app.api.results import Results
from hpo_app.errors import PlanError, Problem, listed, near_miss
from hpo_app.plots import PLOTS, parameter_importance, save
from hpo_app.plots.overview import overview
from hpo_app.report.document import REPORT_FOLDER, write_report


if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

_SUMMARY = "summary.png"
_RESULTS = "what HPOptimizer.optimize or HPOptimizer.load_results returned"
_SUBJECT = "the arguments"
_ANALYSIS = "what HPOptimizer.analyze_results returned"


class HPOVisualizer:
    """Draws a run.

    Each method returns a matplotlib figure, which a notebook shows, and writes it where `path`
    says, in the format of its suffix (`.png`, `.svg`, `.pdf`, …). A figure for which there is
    nothing to draw says why not. What is no run is refused by a PlanError.
    """

    def plot_optimization_history(self, results: Results, path: str | Path | None = None) -> Figure:
        """Draw the value of each trial, with the best so far as a line."""
        return _drawn("optimization_history", results, path)

    def plot_learning_curves(self, results: Results, path: str | Path | None = None) -> Figure:
        """Draw the course of every trial by its outcome."""
        return _drawn("learning_curves", results, path)

    def plot_parameter_importance(
        self, analysis: Mapping[str, Any] | Results, path: str | Path | None = None
    ) -> Figure:
        """Draw a bar per parameter, the most important one on top.

        Args:
            analysis: What `HPOptimizer.analyze_results` returned, or the results themselves.
            path: Where to write it.
        """
        told: Any = analyze(analysis) if isinstance(analysis, Results) else analysis
        if not isinstance(told, Mapping) or "importance_method" not in told:
            raise _refused("analysis", told, f"{_ANALYSIS}, or results")
        measured = Importances(
            Method(told["importance_method"]),
            tuple(
                Importance(name, share, told["importance_trials"])
                for name, share in told["parameter_importance"].items()
            ),
            told["importance_iteration"],
            told["importance_trials"],
            tuple(told["importance_notes"]),
        )
        return _saved(parameter_importance.draw_measured(measured, told["metric"]), path)

    def plot_parallel_coordinates(
        self, results: Results, path: str | Path | None = None, *, top: int = 10
    ) -> Figure:
        """Draw a line per trial across the parameters, the best `top` ones in colour."""
        return _drawn("parallel_coordinates", results, path, top=_count(top))

    def plot_parameter_distributions(
        self, results: Results, path: str | Path | None = None, *, top: int | None = None
    ) -> Figure:
        """Draw which values were tried, and which the best `top` trials have."""
        top = None if top is None else _count(top)
        return _drawn("parameter_distributions", results, path, top=top)

    def plot_metric_vs_parameter(
        self, results: Results, name: str | None = None, path: str | Path | None = None
    ) -> Figure:
        """Draw the objective against one parameter, or against each.

        Raises:
            PlanError: If the run has no parameter of that name.
        """
        names = None if name is None else _known(results, (name,))
        return _drawn("metric_vs_parameter", results, path, names=names)

    def plot_contour(
        self,
        results: Results,
        names: str | Sequence[str] | None = None,
        path: str | Path | None = None,
    ) -> Figure:
        """Draw the objective over two parameters.

        Args:
            results: The run.
            names: Both, or one of them; the most important ones take the places that are left.
            path: Where to write it.

        Raises:
            PlanError: If the run has no parameter of such a name, or there are more than two.
        """
        named = (names,) if isinstance(names, str) else () if names is None else names
        return _drawn("contour", results, path, names=_known(results, named, most=2))

    def plot_edf(self, results: Results, path: str | Path | None = None) -> Figure:
        """Draw the share of trials that are at least so good, beside the default configuration."""
        return _drawn("distribution_of_values", results, path)

    def plot_timeline(self, results: Results, path: str | Path | None = None) -> Figure:
        """Draw which worker trained which trial, and when."""
        return _drawn("timeline", results, path)

    def plot_pbt_lineage(self, results: Results, path: str | Path | None = None) -> Figure:
        """Draw who copied whom in a population, and the schedules that came of it."""
        return _drawn("pbt_lineage", results, path)

    def plot_pareto_front(self, results: Results, path: str | Path | None = None) -> Figure:
        """Draw the trials by several objectives, and those that no other beats."""
        return _drawn("pareto_front", results, path)

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
        if not isinstance(results, Results):
            raise _refused("results", results, _RESULTS)
        told: Any = analyze(results) if analysis is None else analysis
        if not isinstance(told, Mapping) or "headline" not in told:
            raise _refused("analysis", told, f"{_ANALYSIS}, or nothing")
        folder = results.run_folder if output_dir is None else Path(output_dir)
        _make_folder("output_dir", folder)
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
        return _saved(overview(results.study, told["headline"]), folder / _SUMMARY)


def _drawn(name: str, results: Results, path: str | Path | None, **options: Any) -> Figure:
    if not isinstance(results, Results):
        raise _refused("results", results, _RESULTS)
    return _saved(PLOTS[name](results.study, **options), path)


def _known(results: Results, named: Any, most: int = 1) -> tuple[str, ...]:
    """Return names that the run has parameters of."""
    if not isinstance(results, Results):
        raise _refused("results", results, _RESULTS)
    known = list(results.study.space)
    if not isinstance(named, (list, tuple)) or len(named) > most:
        raise _refused("names", named, f"at most {most} of the parameters {listed(known)}")
    problems = []
    for name in named:
        if name not in known:
            near = near_miss(str(name), known)
            fix = f"write {near!r}" if near else "choose one of them"
            problems.append(Problem("name", str(name), f"a parameter: {listed(known)}", fix))
    if problems:
        raise PlanError(problems, _SUBJECT)
    return tuple(named)


def _count(top: Any) -> int:
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise _refused("top", top, "a whole number of at least 1", "write top=10")
    return top


def _refused(key: str, got: object, expected: str, fix: str = "") -> PlanError:
    text = f"{got!r:.60} ({type(got).__name__})"
    return PlanError([Problem(key, text, expected, fix or "hand that over")], _SUBJECT)


def _saved(figure: Figure, path: str | Path | None) -> Figure:
    if path is None:
        return figure
    if not isinstance(path, (str, PurePath)):
        raise _refused("path", path, "the path of a file", "write path='history.png'")
    target = Path(path)
    _make_folder("path", target.parent)
    try:
        save(figure, target)
    except ValueError as error:
        told = Problem("path", str(path), str(error).partition(": ")[2], "write another suffix")
        raise PlanError([told], _SUBJECT) from None
    return figure


def _make_folder(key: str, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:  # The latter where there is a NUL in it.
        why = getattr(error, "strerror", None) or error
        expected, fix = "a place where a folder can be made", "name another one"
        raise PlanError(
            [Problem(key, f"{str(folder)!r}: {why}", expected, fix)], _SUBJECT
        ) from None
