"""From a study to a page that can be sent to a colleague: the result and its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.analysis.best import rank
from hpo_app.analysis.claim import claim_of
from hpo_app.analysis.gain import gain_interval
from hpo_app.analysis.summary import summarize
from hpo_app.analysis.tables import param_names
from hpo_app.analysis.verdict import verdict_of
from hpo_app.analysis.wording import json_text
from hpo_app.report.charts_section import charts_section
from hpo_app.report.columns import judged_cells, judged_heads
from hpo_app.report.confirmed_section import confirmed_sections, confirmed_sentences
from hpo_app.report.format import NOTHING, counted, duration, number, plain, value_text
from hpo_app.report.importance_section import importance_section
from hpo_app.report.markup import element, joined, lines, table
from hpo_app.report.page import page
from hpo_app.report.sentences import (
    baseline_sentences,
    changed_sentence,
    ending_sentence,
    prospect_sentences,
    trial_numbers,
    winner_sentence,
)
from hpo_app.report.trials_section import MAX_ROWS, params_cells, trials_section
from hpo_app.study.files import replace_file


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hpo_app.analysis.summary import StudySummary
    from hpo_app.analysis.verdict import Verdict
    from hpo_app.report.markup import Html
    from hpo_app.study.records import Study, TrialRecord

REPORT_FOLDER = "report"
_MOST_OF_A_TRACEBACK = 6000

_ON_FRONT = (
    "No trial is at least as good as one of these in every objective, and better in one. Each can "
    "be trained anew with action=train and its file."
)
_ON_CHANCE = (
    "Each configuration was trained once. The best of many single trainings tends to look better "
    "than it is: train it again with other seeds before relying on a small gain."
)


def write_report(
    study: Study, folder: Path, *, command: str, train_command: str, has_images: bool = True
) -> Path:
    """Write `index.html` and its images into a folder.

    Args:
        study: The run, ended or not.
        folder: Where to; it must exist. In a run folder it is `report`.
        command: The command that started the run.
        train_command: The command that trains the best configuration.
        has_images: Whether the plots are drawn too, which takes seconds.

    Returns:
        Path of the page. It needs nothing but the images beside it.
    """
    summary, ranked = summarize(study), rank(study)
    known = {trial.number for trial in ranked}
    ordered = [*ranked, *(trial for trial in study.trials if trial.number not in known)]
    plots = [importance_section(study), _plots_section(study, folder)] if has_images else []
    trials, failures = (
        trials_section(study, ordered, len(ranked)),
        _failures_section(study, summary),
    )
    if summary.best is None:
        # Nothing to draw: what went wrong is what a reader wants.
        parts = [failures, trials, *plots]
    else:
        best = _best_section(study, summary, train_command)
        front, charts = _front_sections(study, summary), charts_section(study, ordered)
        parts = [*front, *confirmed_sections(study), best, charts, trials, *plots, failures]
    sections = [
        _head(study, summary, has_images=has_images),
        *parts,
        _reproduction_section(study, command),
    ]
    path = folder / "index.html"
    replace_file(path, page(f"Report of {study.run_id}", joined(sections)))
    return path


def _head(study: Study, summary: StudySummary, *, has_images: bool) -> Html:
    claim, gain = claim_of(study), gain_interval(study)
    # What the noise of the curves says is not worth a sentence beside fresh seeds.
    sure = [element("p", gain.sentence)] if claim is None and gain.low is not None else []
    brought = baseline_sentences(study, summary.best) if claim is None else []
    on_chance = [_ON_CHANCE] if claim is None and summary.best is not None else []
    figures = {
        **_result_figures(summary, verdict_of(study)),
        "trials": f"{summary.num_trials} of {study.num_trials}",
        "iterations trained": number(summary.num_iterations),
        "duration": duration(summary.duration_s),
        "time of all trials": duration(summary.trial_time_s),
    }
    # What won comes first and stands out; what is not known is not shown as a figure.
    looks = [{"class_": "result"}, *({} for _ in figures)]
    boxes = [
        element("div", element("dt", name), element("dd", text), **look)
        for (name, text), look in zip(figures.items(), looks, strict=False)
        if text != NOTHING
    ]
    return joined(
        [
            element("h1", f"Report of {study.run_id}"),
            element("p", winner_sentence(summary), class_="headline"),
            *confirmed_sentences(claim),
            *sure,
            *(element("p", text) for text in brought),
            element("p", ending_sentence(study, summary)),
            *(element("p", text) for text in (prospect_sentences(study) if has_images else [])),
            element("dl", joined(boxes)),
            *(element("p", text, class_="quiet") for text in on_chance),
        ]
    )


def _result_figures(summary: StudySummary, verdict: Verdict) -> dict[str, str]:
    if summary.criteria.has_several:
        return {"on the front": str(len(summary.front))}
    # Beside what fresh seeds say, the value and the gain of one lucky seed would mislead.
    return {
        "best, on fresh seeds" if verdict.is_confirmed else "best": number(verdict.value),
        "default": number(verdict.default),
        "gain": number(verdict.gain),
    }


def _front_sections(study: Study, summary: StudySummary) -> Iterator[Html]:
    """Yield the section of the Pareto front, where there is one."""
    if not summary.front:
        return
    names, judged = param_names(study), judged_heads(study.criteria)
    rows = (
        (
            str(trial.number),
            *judged_cells(trial, study.criteria),
            *params_cells(trial, names),
            f"front/{trial.number}.yaml",
        )
        for trial in summary.front[:MAX_ROWS]
    )
    head = ("trial", *judged, *names, "file")
    yield _section(
        "Pareto front",
        element("p", _ON_FRONT, class_="quiet"),
        table(head, rows, "Pareto front"),
    )


def _best_section(study: Study, summary: StudySummary, train_command: str) -> Html:
    best, default = summary.best, summary.default
    if best is None:
        raise ValueError("a study without a best trial has no best configuration")
    names = [name for name in param_names(study) if name in best.params]
    others = default.params if default is not None else {}
    rows = [
        (
            name,
            value_text(best.params[name]),
            value_text(others[name]) if name in others else NOTHING,
        )
        for name in names
    ]
    head = ("parameter", f"trial {best.number} (best)", "default")
    return _section(
        "Best configuration",
        table(head, rows, "Best configuration"),
        element("p", "Numbers are rounded here.", class_="quiet"),
        element("p", f"{changed_sentence(summary)} {_on_training(study)}".strip()),
        element("pre", element("code", train_command), class_="command"),
        element("details", element("summary", "Its parameters in full, as YAML"), _in_full(best)),
    )


def _in_full(trial: TrialRecord) -> Html:
    # JSON is YAML, on which names and values may hold anything.
    text = "\n".join(
        f"{json_text(name)}: {json_text(value)}" for name, value in trial.params.items()
    )
    return element("pre", element("code", lines(text)), class_="command")


def _on_training(study: Study) -> str:
    if study.stop_reason:
        return "Train it:"
    return "Its file is written when the run ends. Train it then:"


def _plots_section(study: Study, target: Path) -> Html:
    # Matplotlib takes a second to import: a report without images does without.
    from hpo_app.plots import plots_of, save  # noqa: PLC0415

    figures = []
    for name, draw in plots_of(study).items():
        figure = draw(study)
        save(figure, target / f"{name}.png")
        image = element("img", src=f"{name}.png", alt=str(figure.get_label()), loading="lazy")
        figures.append(element("figure", element("a", image, href=f"{name}.png")))
    # Where the charts can be pointed at, the script closes it.
    name = element("summary", f"{counted(len(figures), 'image')}, for documents and mails")
    details = element("details", name, *figures, open_="", id_="images")
    return _section("Plots as images", details)


def _failures_section(study: Study, summary: StudySummary) -> Html:
    if not summary.failures:
        return _section("Failures", element("p", "No trial failed."))
    trials = {trial.number: trial for trial in study.trials}
    parts = []
    for line, numbers in summary.failures.items():
        error = (trials[numbers[0]].error or "")[-_MOST_OF_A_TRACEBACK:]
        name = element("summary", f"{trial_numbers(numbers)}: {line}")
        parts.append(element("details", name, element("pre", lines(error))))
    return _section("Failures", *parts)


def _reproduction_section(study: Study, command: str) -> Html:
    rows = [
        ("seed", str(study.seed)),
        *(("objective", f"{each.mode.value} {each.metric}") for each in study.criteria.objectives),
        *(("constraint", str(constraint)) for constraint in study.criteria.constraints),
        ("iterations of a full trial", str(study.iterations)),
        *_flat(study.facts),
    ]
    return _section(
        "Reproduction",
        element("pre", element("code", command), class_="command"),
        table(("fact", "value"), rows, "Facts of the run"),
    )


def _flat(facts: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in facts.items():
        if name.startswith("hydra/"):
            continue  # Which of Hydra's own parts were used says nothing of the trials.
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif value is not None:
            yield f"{prefix}{name}", plain(str(value))


def _section(title: str, *content: Html) -> Html:
    return element("section", element("h2", title), joined(content))
