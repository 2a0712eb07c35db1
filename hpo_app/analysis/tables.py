"""From a study to a table with one row per trial, for pandas and for a spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from hpo_app.analysis.failures import error_line
from hpo_app.analysis.pareto import pareto_front
from hpo_app.analysis.wording import json_text
from hpo_app.study.files import replace_file


if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hpo_app.study.records import Study, TrialRecord

# What a spreadsheet takes for the start of a formula.
# Source: https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def param_names(study: Study) -> list[str]:
    """Return the parameters in the order of the search space, then any others by name."""
    others = {name for trial in study.trials for name in trial.params} - set(study.space)
    return [*study.space, *sorted(others)]


def trials_frame(study: Study) -> pd.DataFrame:
    """Return one row per trial, by number, with columns in a fixed order.

    First what every trial has, `on_front` with several objectives, and `keeps_constraints` where
    there are some, then `params.<name>` in the order of the search space, then `metrics.<name>` of
    the last report by name, then the last line of the error. Lists and mappings are JSON text. A
    parameter that a trial does not have is None, and so is one whose value is None.
    """
    trials = study.trials
    columns: dict[str, pd.Series[Any]] = {
        "number": pd.Series([trial.number for trial in trials], dtype="int64"),
        "state": _plain_column(trial.state.value for trial in trials),
        "value": _float_column(trial.value(study.objective.metric) for trial in trials),
        **_judgement(study),
        "iterations": pd.Series([trial.iterations for trial in trials], dtype="int64"),
        "duration_s": _float_column(trial.duration_s for trial in trials),
        "started_s": _float_column(trial.started_s for trial in trials),
        "seed": _plain_column(trial.seed for trial in trials),
        "is_default": pd.Series([trial.is_default for trial in trials], dtype="bool"),
        "retries": pd.Series([trial.retries for trial in trials], dtype="int64"),
    }
    for name in param_names(study):
        columns[encodable(f"params.{name}")] = _plain_column(
            _cell(trial.params.get(name)) for trial in trials
        )
    for name in sorted({name for trial in trials for name in _last_metrics(trial)}):
        values = (_last_metrics(trial).get(name) for trial in trials)
        columns[encodable(f"metrics.{name}")] = _float_column(values)
    columns["error"] = _plain_column(_cell(error_line(trial.error)) for trial in trials)
    return pd.DataFrame(columns)


def _judgement(study: Study) -> dict[str, pd.Series[Any]]:
    criteria, columns = study.criteria, {}
    if criteria.has_several:
        front = {trial.number for trial in pareto_front(study)}
        on_front = [trial.number in front for trial in study.trials]
        columns["on_front"] = pd.Series(on_front, dtype="bool")
    if criteria.constraints:
        columns["keeps_constraints"] = _plain_column(
            not trial.unmet(criteria) if criteria.are_in(trial.last) else None
            for trial in study.trials
        )
    return columns


def write_trials_csv(study: Study, path: Path) -> None:
    """Write `trials_frame` as CSV, whole or not at all; see `write_csv`."""
    write_csv(trials_frame(study), path)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, whole or not at all.

    Text that a spreadsheet would run as a formula gets a leading apostrophe; numbers do not.
    """
    # Column by column as objects: pandas would make floats of whole numbers beside a None.
    columns = {
        name: pd.Series([_without_formula(value) for value in column], dtype="object")
        if not pd.api.types.is_numeric_dtype(column)
        else column
        for name, column in frame.items()
    }
    replace_file(path, pd.DataFrame(columns).to_csv(index=False))


def _last_metrics(trial: TrialRecord) -> dict[str, float]:
    return dict(trial.reports[-1].metrics) if trial.reports else {}


def _cell(value: object) -> object:
    if isinstance(value, (list, tuple, dict)):
        value = json_text(value)
    return encodable(value) if isinstance(value, str) else value


def encodable(text: str) -> str:
    """Return text in which a lone surrogate, which pandas cannot hold, is its escape."""
    return text.encode("utf-8", "backslashreplace").decode()


def _float_column(values: Iterable[float | None]) -> pd.Series[Any]:
    return pd.Series(list(values), dtype="float64")


def _plain_column(values: Iterable[object]) -> pd.Series[Any]:
    # Objects keep 256 beside None and True beside 1; pandas would make floats of them.
    column = pd.Series(list(values), dtype="object")
    kinds = {type(value) for value in column}
    return column.infer_objects() if len(kinds) == 1 else column


def _without_formula(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value
