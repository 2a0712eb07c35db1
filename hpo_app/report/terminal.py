"""From a study to the last lines in the terminal: the winner, the evidence, and what to type."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from hpo_app.analysis.best import rank
from hpo_app.analysis.claim import claim_of
from hpo_app.analysis.gain import gain_interval
from hpo_app.analysis.summary import summarize
from hpo_app.analysis.wording import json_text
from hpo_app.report.columns import judged_cells, judged_heads
from hpo_app.report.format import duration, params_text, plain
from hpo_app.report.sentences import (
    baseline_sentences,
    changed_sentence,
    ending_sentence,
    failure_sentence,
    prospect_sentences,
    unconfirmed_sentences,
    winner_sentence,
)


if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, JustifyMethod

    from hpo_app.analysis.summary import StudySummary
    from hpo_app.plan.criteria import Criteria
    from hpo_app.study.records import Study, TrialRecord

NUM_SHOWN = 5
# What the other columns take. Params that do not fit beside them on one line stand below the table.
_OTHER_COLUMNS = 62
# What each further metric takes.
_OF_ONE = 14


def print_summary(
    study: Study,
    console: Console,
    *,
    run_folder: Path,
    report_path: Path | None,
    train_command: str,
) -> None:
    """Print the best trials, what was gained, how the run ended, and how to train the best.

    Args:
        study: The run, ended or not.
        console: Where to; its width is kept, but for the paths and the command, which are
            never broken so that they can be copied.
        run_folder: The run folder.
        report_path: The written report, or None if there is none.
        train_command: The command that trains the best configuration.
    """
    summary, ranked = summarize(study), rank(study)
    if ranked:
        _print_top(console, study, ranked[:NUM_SHOWN])
    _say(console, winner_sentence(summary), style="bold")
    claim = claim_of(study)
    for sentence in claim.sentences if claim is not None else ():
        _say(console, sentence, style="bold")
    on_chance = _on_chance(study, summary) if claim is None else []
    for sentence in (*on_chance, ending_sentence(study, summary), *prospect_sentences(study)):
        _say(console, sentence)
    if summary.failures:
        _say(console, failure_sentence(summary), style="red")
    _say_whole(console, f"Folder: {_shown(run_folder)}")
    if report_path is not None:
        _say_whole(console, f"Report: {_shown(report_path)}")
    if summary.best is not None:
        _say(console, f"{changed_sentence(summary)} Train the best configuration:".strip())
        _say_whole(console, train_command)


def _on_chance(study: Study, summary: StudySummary) -> list[str]:
    """Return what single values tell; where fresh seeds spoke, it would mislead."""
    gain = gain_interval(study)
    sure = [gain.sentence] if gain.low is not None else []
    unsure = unconfirmed_sentences(study)
    return [*sure, *baseline_sentences(study, summary.best), *unsure]


def _print_top(console: Console, study: Study, trials: Sequence[TrialRecord]) -> None:
    heads, differing = judged_heads(study.criteria), _differing(study)
    shown = [
        {name: value for name, value in trial.params.items() if name in differing}
        for trial in trials
    ]
    texts = [params_text(params) for params in shown]
    is_wide = console.width - _OTHER_COLUMNS - _OF_ONE * (len(heads) - 1) >= max(map(len, texts))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for name in ("trial", *heads, "iterations", "state", "time"):
        justify: JustifyMethod = "left" if name in {"state", "constraints"} else "right"
        table.add_column(Text(name), justify=justify, overflow="fold", max_width=18)
    if is_wide:
        table.add_column("params", overflow="fold", ratio=1)
    for trial, text in zip(trials, texts, strict=True):
        cells = [*_cells(trial, study.criteria), text]
        table.add_row(*(Text(cell) for cell in cells[: len(table.columns)]))
    console.print(table)
    if not is_wide:
        for trial, text in zip(trials, texts, strict=True):
            _say(console, f"Trial {trial.number}: {text}")


def _cells(trial: TrialRecord, criteria: Criteria) -> list[str]:
    name = f"{trial.number}{' (default)' if trial.is_default else ''}"
    judged, time = judged_cells(trial, criteria), duration(trial.duration_s)
    return [name, *judged, str(trial.iterations), trial.state.value, time]


def _differing(study: Study) -> set[str]:
    """Return the parameters that tell trials apart; all of them where none does."""
    texts_by_name: dict[str, set[str]] = {}
    for trial in study.trials:
        for name, value in trial.params.items():
            texts_by_name.setdefault(name, set()).add(json_text(value))
    several = {name for name, texts in texts_by_name.items() if len(texts) > 1}
    return several or set(texts_by_name)


def _shown(path: Path) -> str:
    path, here = path.absolute(), Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


# Text objects are never read as rich's markup, and `plain` takes out what steers the terminal.
def _say(console: Console, sentence: str, style: str = "") -> None:
    console.print(Text(plain(sentence), style=style))


def _say_whole(console: Console, line: str) -> None:
    console.print(Text(plain(line)), soft_wrap=True)
