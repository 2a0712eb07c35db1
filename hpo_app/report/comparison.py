"""From several runs to a page that sets them side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.analysis.best import best_trial
from hpo_app.analysis.progress import best_so_far
from hpo_app.analysis.summary import summarize
from hpo_app.analysis.verdict import verdict_of
from hpo_app.errors import first_of, listed
from hpo_app.report.format import NOTHING, duration, number, plain, value_text
from hpo_app.report.markup import element, joined, table
from hpo_app.report.page import page
from hpo_app.report.sentences import result_text
from hpo_app.report.step_chart import NUM_LOOKS, step_chart
from hpo_app.report.sweep_table import HEADS
from hpo_app.study.files import replace_file


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from hpo_app.plan.run_plan import Objective
    from hpo_app.report.markup import Html
    from hpo_app.report.sweep_table import SweepRow
    from hpo_app.study.records import Study

# On what is trained, and for how long; of models and ways to search, a comparison may be.
_OF_THE_PROBLEM = ("data.", "training.iterations", "training.steps_per_iteration")
_MOST_NAMED = 3
_ON_CHANCE = (
    "Each run is one draw: another seed gives another course. A difference between two runs says "
    "little of what differs between them before it came back with other seeds."
)


def write_comparison(
    studies: Mapping[str, Study], settings: Mapping[str, Mapping[str, str]], folder: Path
) -> Path:
    """Write `index.html` into a folder.

    Args:
        studies: Runs with the same objectives, by the names to show.
        settings: What each was set to, by key.
        folder: Where to; it must exist.

    Returns:
        Path of the page, which needs nothing beside it.
    """
    title = f"Comparison of {len(studies)} runs"
    sections = [
        element("h1", title),
        element("p", comparison_sentence(studies, settings), class_="headline"),
        element("p", _ON_CHANCE, class_="quiet"),
        *_side_by_side(studies, settings),
    ]
    return _write(title, sections, folder)


def write_sweep_page(
    rows: Sequence[SweepRow], settings: Mapping[str, Mapping[str, str]], folder: Path
) -> Path:
    """Write `index.html` on the searches of a sweep into a folder.

    Values of different metrics do not compare: searches are set side by side with those that have
    the same objectives.

    Args:
        rows: The searches.
        settings: What each was set to, by its name and key.
        folder: Where to; it must exist.

    Returns:
        Path of the page, which needs nothing beside it.
    """
    groups: dict[tuple[Objective, ...], dict[str, Study]] = {}
    for row in rows:
        if row.study is not None:
            groups.setdefault(row.study.criteria.objectives, {})[row.name] = row.study
    title = f"Sweep of {len(rows)} searches"
    sections = [
        element("h1", title),
        element("p", _ON_CHANCE, class_="quiet"),
        _section("The searches", table(HEADS, [row.cells() for row in rows], "The searches")),
    ]
    for objectives, studies in groups.items():
        if len(groups) > 1:
            sections.append(element("h1", " and ".join(map(str, objectives))))
        sentence = comparison_sentence(studies, settings)
        sections.append(element("p", sentence, class_="headline"))
        sections += _side_by_side(studies, {name: settings[name] for name in studies})
    return _write(title, sections, folder)


def _side_by_side(
    studies: Mapping[str, Study], settings: Mapping[str, Mapping[str, str]]
) -> list[Html]:
    names = list(studies)
    return [
        _section("Best so far", _legend(names), _chart(studies)),
        _section("The runs", _runs(studies)),
        _section("Best configurations", _configurations(studies)),
        _section("Settings that differ", _settings(names, settings)),
    ]


def _write(title: str, sections: Sequence[Html], folder: Path) -> Path:
    path = folder / "index.html"
    replace_file(path, page(title, joined(sections)))
    return path


def comparison_sentence(
    studies: Mapping[str, Study], settings: Mapping[str, Mapping[str, str]]
) -> str:
    """Return which run came to the best value, what the others came to, and whether that compares.

    Args:
        studies: Runs with the same objectives, by the names to show.
        settings: What each was set to, by key.
    """
    criteria = next(iter(studies.values())).criteria
    texts = {
        name: f"{name} has {result_text(study) or 'no value'}" for name, study in studies.items()
    }
    best = {name: trial for name, study in studies.items() if (trial := best_trial(study))}
    if not best:
        return "No trial of any run has a value."
    without = [text for name, text in texts.items() if name not in best]
    warning = _warning(_differing([settings[name] for name in studies]))
    if criteria.has_several:
        balanced = "; ".join([*(texts[name] for name in best), *without])
        return f"The most balanced trials: {balanced}.{warning}"

    def standing(name: str) -> tuple[float, float]:
        # A run whose best trial keeps the constraints comes before one where none does.
        value = verdict_of(studies[name]).value or 0.0
        return criteria.violation(best[name].last), -criteria.objective.sign * value

    first, *others = [texts[name] for name in sorted(best, key=standing)]
    rest = "; ".join([*others, *without])
    return f"{first}{'' if warning else ', the best'}{f'; {rest}' if rest else ''}.{warning}"


def _warning(differing: Sequence[str]) -> str:
    """Return that values may be of different problems; empty where the runs had the same one."""
    keys = [key for key in differing if key.startswith(_OF_THE_PROBLEM)]
    if not keys:
        return ""
    return (
        f" The runs differ in {listed(first_of(keys, _MOST_NAMED))}: values of different problems "
        "do not compare."
    )


def _differing(settings: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the keys that runs were not set to alike."""
    keys = dict.fromkeys(key for each in settings for key in each)
    return [key for key in keys if len({each.get(key) for each in settings}) > 1]


def _chart(studies: Mapping[str, Study]) -> Html:
    lines = {name: best_so_far(study).steps for name, study in studies.items()}
    ends = {
        name: max((trial.number for trial in study.trials), default=0)
        for name, study in studies.items()
    }
    return element("figure", step_chart(lines, ends))


def _legend(names: Sequence[str]) -> Html:
    entries = [
        element("span", element("span", class_=f"swatch run-{place % NUM_LOOKS}"), name)
        for place, name in enumerate(names)
    ]
    return element("p", *entries, class_="legend")


def _runs(studies: Mapping[str, Study]) -> Html:
    head = ("run", "best", "trial", "iterations", "default", "trials", "duration", "how it ended")
    return table(
        head, [tuple(_run_row(name, study)) for name, study in studies.items()], "The runs"
    )


def _run_row(name: str, study: Study) -> Iterator[str]:
    summary = summarize(study)
    best = summary.best
    yield name
    yield result_text(study) or NOTHING
    yield str(best.number) if best else NOTHING
    yield f"{best.iterations} of {study.iterations}" if best else NOTHING
    yield number(verdict_of(study).default)
    yield f"{summary.num_trials} of {study.num_trials}"
    yield duration(study.duration_s)
    yield plain(study.stop_reason) or "it has not ended"


def _configurations(studies: Mapping[str, Study]) -> Html:
    best = {name: best_trial(study) for name, study in studies.items()}
    params = list(
        dict.fromkeys(key for trial in best.values() if trial is not None for key in trial.params)
    )
    rows = (
        (key, *(value_text(trial.params[key]) if trial and key in trial.params else NOTHING
                for trial in best.values()))
        for key in params
    )  # fmt: skip
    return table(("parameter", *best), rows, "Best configurations")


def _settings(names: Sequence[str], settings: Mapping[str, Mapping[str, str]]) -> Html:
    differing = _differing([settings[name] for name in names])
    if not differing:
        return element("p", "None: the runs were set up alike.")
    rows = (
        (key, *(plain(settings[name].get(key, NOTHING)) for name in names)) for key in differing
    )
    return table(("key", *names), rows, "Settings that differ")


def _section(title: str, *content: Html) -> Html:
    return element("section", element("h2", title), joined(content))
