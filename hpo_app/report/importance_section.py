"""From the importance of parameters to a table with a bar for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.report.format import counted
from hpo_app.report.markup import element, joined, scrolling


if TYPE_CHECKING:
    from hpo_app.report.markup import Html
    from hpo_app.study.records import Study


def importance_section(study: Study) -> Html:
    """Return the section that says how much of the objective hangs on each parameter."""
    # Its evaluators come from Optuna, which takes a second to import; see `write_report`.
    from hpo_app.analysis.importance import parameter_importance  # noqa: PLC0415

    measured = parameter_importance(study)
    notes = [element("p", note, class_="quiet") for note in measured.notes]
    if not measured.parameters:
        return element("section", element("h2", "Importance"), *notes)
    rows = [
        element(
            "tr",
            element("td", each.name),
            element("td", element("meter", value=f"{each.share:.4f}", min_="0", max_="1"),
                    f" {each.share:.0%}"),
            element("td", str(each.num_trials)),
        )
        for each in measured.parameters
    ]  # fmt: skip
    heads = ("parameter", "share of the importance", "trials")
    head = element("tr", *(element("th", name, scope="col") for name in heads))
    inner = element("table", element("thead", head), element("tbody", joined(rows)))
    compared = counted(measured.num_trials, "trial")
    how = f"By {measured.method.label}, from {compared} at iteration {measured.iteration}."
    return element(
        "section",
        element("h2", "Importance"),
        element("p", how, class_="quiet"),
        scrolling(inner, "Importance"),
        *notes,
    )
