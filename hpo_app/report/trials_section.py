"""From the trials of a study to a table that can be read without a script, and sorted with one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.analysis.tables import param_names
from hpo_app.report.columns import judged_cells, judged_heads
from hpo_app.report.format import NOTHING, counted, duration, value_text
from hpo_app.report.markup import element, joined, scrolling
from hpo_app.report.shown_trials import shown_trials


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hpo_app.report.markup import Html
    from hpo_app.study.records import Study, TrialRecord

MAX_ROWS = 200

_ON_RANKING = (
    "Trials that were trained further come first, because a good value early in the training is "
    "often luck; then the better last value, then the better mean on the way."
)
_ON_BALANCE = (
    "Trials that were trained further come first; then those that fewer others beat, in all "
    "objectives at once; then the more balanced ones, which are nearer to the best value of each."
)
_ON_CONSTRAINTS = (
    "Trials that keep all constraints come first; of the others, those that are less far beyond. "
)


def trials_section(study: Study, ordered: Sequence[TrialRecord], num_ranked: int) -> Html:
    """Return the section of all trials.

    Args:
        study: The run.
        ordered: Its trials, the best first, those without a value at the end.
        num_ranked: How many of them have a value.
    """
    names = param_names(study)
    head = ("rank", "trial", *judged_heads(study.criteria), "iterations", "state", "time", *names)
    rows = (
        _row(trial, str(place) if place <= num_ranked else NOTHING, study, names)
        for place, trial in shown_trials(ordered, MAX_ROWS)
    )
    header = element("tr", *(element("th", name, scope="col") for name in head))
    inner = element(
        "table", element("thead", header), element("tbody", joined(rows)), id_="trials-table"
    )
    more = len(ordered) - MAX_ROWS
    note = f"{counted(more, 'more trial')} in trials.csv." if more > 0 else ""
    return element(
        "section",
        element("h2", "All trials"),
        element("p", _on_ranking(study), class_="quiet"),
        element("div", id_="trials-controls"),
        scrolling(inner, "All trials"),
        *([element("p", note)] if note else []),
        id_="trials",
    )


def params_cells(trial: TrialRecord, names: Sequence[str]) -> Iterator[str]:
    """Yield the value of each parameter in words."""
    for name in names:
        yield value_text(trial.params[name]) if name in trial.params else NOTHING


def _on_ranking(study: Study) -> str:
    ranking = _ON_BALANCE if study.criteria.has_several else _ON_RANKING
    return f"{_ON_CONSTRAINTS}{ranking}" if study.criteria.constraints else ranking


def _row(trial: TrialRecord, place: str, study: Study, names: Sequence[str]) -> Html:
    seconds = "" if trial.duration_s is None else f"{trial.duration_s:.3f}"
    cells = [
        element("td", place),
        element("td", f"{trial.number}{' (default)' if trial.is_default else ''}",
                data_sort=str(trial.number)),
        *(element("td", cell) for cell in judged_cells(trial, study.criteria)),
        element("td", str(trial.iterations)),
        element("td", trial.state.value),
        element("td", duration(trial.duration_s), data_sort=seconds),
        *(element("td", cell) for cell in params_cells(trial, names)),
    ]  # fmt: skip
    return element("tr", *cells, data_trial=str(trial.number))
