"""From the columns of a file to what models are trained on: numbers, categories, and a target."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_datetime64_any_dtype, is_numeric_dtype

from hpo_app.errors import listed, near_miss
from hpo_app.training.contract import refusal


if TYPE_CHECKING:
    from collections.abc import Mapping

_TASKS = ("auto", "classification", "regression")
# A column of text with so large a share of numbers is one of numbers, and some entries are wrong.
_MOSTLY = 0.9
_DATES = ("date", "datetime", "datetime64", "time")
# As 2026-11-30, 30.11.2026 or 11/30/26, with or without a time; eight digits may be anything.
_DATE = r"\s*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))(?!\d)"
# A column of whole numbers with at most so many values counts as classes.
_MOST_CLASSES = 20


def features_and_target(
    frame: pd.DataFrame, settings: Mapping[str, Any]
) -> tuple[pd.DataFrame, pd.Series, bool]:
    """Return the features, the target as it was read, and whether that is one of classes.

    Args:
        frame: The table of a file.
        settings: Data settings: `source`, `target`, `task`, `drop` and `categorical`.

    Raises:
        ConfigurationError: If a column is neither numbers nor categories, no feature or no row is
            left, or there is no such task.
    """
    name, drop = settings["target"], settings.get("drop") or []
    categorical = settings.get("categorical")
    task = settings.get("task") or "auto"
    frame = _without_decimals(frame.drop(columns=[column for column in drop if column != name]))
    _refuse_misread(frame, settings)
    _refuse_dates(frame, settings)
    raw = frame[name]
    features = frame.drop(columns=[name])
    if not len(features.columns) or not len(features):
        raise refusal(
            "data.path",
            f"{frame.shape[0]} rows, {len(features.columns)} features",
            "rows, and columns besides the target",
            "name another file",
        )
    return _typed(features, categorical), raw, _is_classified(raw, task)


def coded_target(
    raw: pd.Series, name: str, *, is_classified: bool
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return a target as `Table` has it, and the names of its classes.

    Raises:
        ConfigurationError: If it is empty in a row, the same in all, or no numbers where it is to
            be.
    """
    empty = int(raw.isna().sum())
    if empty:
        fix = f"remove the rows without {name}, or fill them in"
        raise refusal(
            "data.target",
            f"{empty} of {len(raw)} rows of {name} are empty",
            "a value in every row",
            fix,
        )
    if raw.nunique() < 2:
        got = f"{name} is {raw.iloc[0]!r} in every row" if len(raw) else "no rows"
        raise refusal("data.target", got, "two values or more", "name another column")
    if is_classified:
        codes, uniques = pd.factorize(raw, sort=True)
        return codes.astype(np.int64), tuple(map(str, uniques))
    try:
        numbers = pd.to_numeric(raw).to_numpy(dtype=float, copy=True)
    except (ValueError, TypeError) as error:
        fix = "data.task=classification, or name a column of numbers"
        raise refusal("data.target", str(error)[:200], "numbers", fix) from error
    if not np.isfinite(numbers).all():
        expected, fix = "finite numbers", "remove the rows that are infinite"
        raise refusal("data.target", f"{name} holds infinities", expected, fix)
    return numbers, ()


def _without_decimals(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose decimals of Parquet, which are objects to pandas, are numbers."""
    decimals = [name for name in frame.columns if infer_dtype(frame[name]) == "decimal"]
    return frame.assign(**{name: pd.to_numeric(frame[name]) for name in decimals})


def _refuse_misread(frame: pd.DataFrame, settings: Mapping[str, Any]) -> None:
    """Refuse columns of a CSV file that some entries keep from being the numbers that they are.

    As categories, of which each number would be one, they would tell a model next to nothing.
    """
    if settings["source"] != "csv":
        return  # Its types are those that somebody gave them.
    task, target = settings.get("task") or "auto", settings["target"]
    named = settings.get("categorical")
    for column in [name for name in frame.columns if not is_numeric_dtype(frame[name])]:
        is_meant = task == "classification" if column == target else named is not None
        values = frame[column].dropna().astype(str)
        are_numbers = pd.to_numeric(values.str.replace(",", ""), errors="coerce").notna()
        share = float(are_numbers.mean()) if len(values) else 0.0
        if is_meant or share < _MOSTLY:
            continue
        odd = next(iter(values[pd.to_numeric(values, errors="coerce").isna()]), values.iloc[0])
        got = f"{share:.0%} of its entries are numbers, and {odd!r} among them is none"
        expected = "numbers with a point, and nothing where one is not known; or categories"
        fix = f"mend the file, or data.drop=[{column}]; data.categorical=[…] names categories"
        if column == target:
            fix = "mend the file; data.task=classification, if each value is a class"
        raise refusal(f"column {column}", got, expected, fix)


def _refuse_dates(frame: pd.DataFrame, settings: Mapping[str, Any]) -> None:
    """Refuse dates that hardly two rows share, unless somebody named them as categories."""
    if settings.get("categorical") is not None:
        return
    for column in frame.columns.difference([settings["target"]], sort=False):
        values = frame[column].dropna()
        # A few that come again and again, as three months, are categories like any other.
        if values.nunique() * 2 <= len(values) or not _are_dates(values):
            continue
        got = f"dates, the first of them {values.iloc[0]}"
        expected = "numbers or categories"
        fix = (
            f"data.drop=[{column}], or replace it in the file by what matters of it, as the month; "
            f"data.categorical=[{column}] for one category a date"
        )
        raise refusal(f"column {column}", got, expected, fix)


def _are_dates(values: pd.Series) -> bool:
    if is_datetime64_any_dtype(values) or infer_dtype(values) in _DATES:
        return True
    if infer_dtype(values) != "string":
        return False
    return float(values.astype(str).str.match(_DATE).mean()) >= _MOSTLY


def _typed(features: pd.DataFrame, categorical: list[str] | None) -> pd.DataFrame:
    if categorical is None:
        numbers = features.select_dtypes(["number", "bool"]).columns
        categorical = [column for column in features.columns if column not in numbers]
    typed = features.copy()
    for column in features.columns:
        if column in categorical:
            # As text, so that 1 and 1.0 of another file are not the business of the model.
            values = features[column]
            typed[column] = values.where(values.isna(), values.astype(str)).astype("category")
            continue
        try:
            typed[column] = pd.to_numeric(features[column]).astype(float)
        except (ValueError, TypeError) as error:
            named = ",".join([*categorical, str(column)])
            fix = f"add it: data.categorical=[{named}], or data.drop=[{column}]"
            got = f"no number: {' '.join(str(error).split())[:100]}"
            raise refusal(f"column {column}", got, "numbers", fix) from error
    return typed


def _is_classified(raw: pd.Series, task: str) -> bool:
    if task not in _TASKS:
        near = near_miss(task, _TASKS) or "auto"
        raise refusal("data.task", task, f"one of {listed(_TASKS)}", f"data.task={near}")
    if task != "auto":
        return task == "classification"
    if not is_numeric_dtype(raw) or pd.api.types.is_bool_dtype(raw):
        return True
    if pd.api.types.is_integer_dtype(raw):
        return bool(raw.nunique() <= _MOST_CLASSES)
    # As 0.0 and 1.0: one empty cell makes floats of whole numbers.
    values = raw.dropna().unique()
    return len(values) == 2 and all(float(value).is_integer() for value in values)
