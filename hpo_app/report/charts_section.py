"""From a study to the charts that one can point at: their places, and the data they draw."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.report.format import counted
from hpo_app.report.markup import data_block, element
from hpo_app.report.page_data import MAX_DRAWN, page_data


if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpo_app.report.markup import Html
    from hpo_app.study.records import Study, TrialRecord

_HOW = (
    "Point at a trial, or go from one to the next with the arrow keys, to see its configuration. "
    "Drag over a chart, or along an axis of the parallel coordinates, to keep only those trials in "
    "the table below; Escape or a click beside them lets all come back."
)
# The script draws into these; in the order of the page, the first with several objectives only.
_FRONT = {"front": "Pareto front"}
_CHARTS = {
    "history": "Optimization history",
    "parallel": "Parallel coordinates",
    "curves": "Learning curves",
}


def _place(name: str, title: str) -> Html:
    how = f"{title}: arrow keys go from trial to trial, Escape lets all come back"
    return element(
        "svg", class_="chart", id_=f"chart-{name}", tabindex="0", role="application", aria_label=how
    )


def charts_section(study: Study, ordered: Sequence[TrialRecord]) -> Html:
    """Return the section of the charts, which stays hidden where no script runs."""
    has_several = study.criteria.has_several
    charts = [
        element(
            "figure",
            element("figcaption", title),
            element("div", _place(name, title), class_="frame"),
        )
        for name, title in ({**_FRONT, **_CHARTS} if has_several else _CHARTS).items()
    ]
    more = len(ordered) - MAX_DRAWN
    left_out = f" Not drawn: {counted(more, 'trial')} further down the ranking." if more > 0 else ""
    return element(
        "section",
        element("h2", "Charts"),
        element("p", _HOW + left_out, class_="quiet"),
        # The script puts in what is chosen from, where there are several objectives.
        element("p", id_="charts-objective", hidden=""),
        *charts,
        element("div", id_="tip", role="status", class_="tip", hidden=""),
        data_block("study", page_data(study, ordered)),
        id_="charts",
        hidden="",
    )
