"""From the data settings to a table: features, target, and the rows to train on and to judge on.

A worker reads a table once and all its trials share it. Target and rows cannot be written to, and
nothing of ours writes to the features, so that no trial changes the data of the next.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_datetime64_any_dtype, is_numeric_dtype
from sklearn import datasets
from sklearn.model_selection import train_test_split

from hpo_app.errors import Problem, listed, near_miss
from hpo_app.training.contract import ConfigurationError
from hpo_app.training.reports import checked_count, checked_number, checked_settings


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SHIPPED = {
    "digits": datasets.load_digits,
    "breast_cancer": datasets.load_breast_cancer,
    "diabetes": datasets.load_diabetes,
}
_CLASSIFIED = ("digits", "breast_cancer")


def _read_csv(path: Path, rows: int | None = None) -> pd.DataFrame:
    # Without the blanks that some put after a comma, which nobody types in a name.
    return pd.read_csv(path, skipinitialspace=True, nrows=rows)


_FILES: dict[str, Callable[[Path], pd.DataFrame]] = {
    "csv": _read_csv,
    "parquet": pd.read_parquet,
}
SOURCES = (*_SHIPPED, *_FILES)
_REQUIRED = ("source", "validation_share", "split_seed")
_OPTIONAL = ("path", "target", "task", "categorical", "drop")
_TASKS = ("auto", "classification", "regression")
# Of files that spreadsheets write and call CSV all the same.
_SEPARATORS = (";", "\t", "|")
# A column of text with so large a share of numbers is one of numbers, and some entries are wrong.
_MOSTLY = 0.9
_DATES = ("date", "datetime", "datetime64", "time")
# As 2026-11-30, 30.11.2026 or 11/30/26, with or without a time; eight digits may be anything.
_DATE = r"\s*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))(?!\d)"
# A column of whole numbers with at most so many values counts as classes.
_MOST_CLASSES = 20


@dataclass(frozen=True, eq=False)
class Table:
    """A table and its split.

    Attributes:
        features: One column a feature, `n` rows; categorical ones have the type `category`.
        target: `n` values: whole numbers below `len(classes)`, or floats in the target's own unit.
        classes: Names of the classes, in order; empty for a regression.
        train: Rows to train on, ascending.
        validation: Rows to judge on, ascending; none of them in `train`.
    """

    features: pd.DataFrame
    target: np.ndarray
    classes: tuple[str, ...]
    train: np.ndarray
    validation: np.ndarray


def load_table(data: Mapping[str, Any]) -> Table:
    """Return the table that the data settings name, read at most once per process.

    Args:
        data: `source`, one of `SOURCES`; `validation_share` of the rows, between 0 and 1, and
            `split_seed`, by which they are drawn, stratified by class; for files `path`, relative
            to where the run was started, `target`, the column to predict, `task` (`auto` takes
            text, flags, whole numbers of few values and floats that are two whole ones for
            classes),
            `categorical`, a list of columns or null for all that are not numbers, and `drop`,
            columns to leave out.

    Raises:
        ConfigurationError: If a setting is wrong, a file cannot be read, a column is missing, or
            the target is empty, constant or not of the task.
    """
    settings = _checked(data)
    source = settings["source"]
    if source not in SOURCES:
        near = near_miss(str(source), SOURCES) or SOURCES[0]
        raise _refusal("data.source", repr(source), f"one of {listed(SOURCES)}", f"data={near}")
    share = checked_number(settings["validation_share"], "data.validation_share")
    if not 0 < share < 1:
        expected = "a share between 0 and 1"
        fix = "data.validation_share=0.25"
        raise _refusal("data.validation_share", str(share), expected, fix)
    if settings["split_seed"] != 0:
        checked_count(settings["split_seed"], "data.split_seed")
    # A file that was changed is read anew.
    stamp = _stamp(settings) if source in _FILES else ()
    return _table(json.dumps(settings, sort_keys=True, default=str), stamp)


def check_file(data: Mapping[str, Any]) -> None:
    """Look at the file of a table of a person's own, without its rows; other data is no matter.

    Args:
        data: As for `load_table`.

    Raises:
        ConfigurationError: If a setting is wrong, there is no such file, or a CSV file has no such
            column.
    """
    if data.get("source") not in _FILES:
        return
    settings = _checked(data)
    _stamp(settings)
    if settings["source"] == "csv":
        # What is wrong with the rest of the file, only the rest shows.
        head = _read(settings, lambda path: _read_csv(path, rows=0))
        _check_names(settings, [str(column) for column in head.columns])


def _checked(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings after checking their keys, and the names of columns as text."""
    settings = checked_settings(data, "data", _REQUIRED, _OPTIONAL)
    # On a command line, the name 7 is a number.
    for key in ("drop", "categorical"):
        if isinstance(settings.get(key), list):
            settings[key] = [str(name) for name in settings[key]]
    if settings.get("target") is not None:
        settings["target"] = str(settings["target"])
    return settings


@lru_cache(maxsize=4)
def _table(settings_json: str, _stamp: tuple[int, ...]) -> Table:
    settings = json.loads(settings_json)
    source = settings["source"]
    features, raw, is_classified = _from_file(settings) if source in _FILES else _shipped(source)
    target, classes = _target(raw, settings.get("target") or "target", is_classified=is_classified)
    rows = np.arange(len(target))
    try:
        train, validation = train_test_split(
            rows,
            test_size=settings["validation_share"],
            random_state=settings["split_seed"],
            stratify=target if classes else None,
        )
    except ValueError as error:  # too few rows, of a class or in all
        fix = "set another data.validation_share, or leave rare classes out of the data"
        raise _refusal("data", str(error), "rows enough of every class", fix) from error
    for array in (target, train, validation):
        array.setflags(write=False)
    return Table(features, target, classes, np.sort(train), np.sort(validation))


def _shipped(source: str) -> tuple[pd.DataFrame, pd.Series, bool]:
    bunch = _SHIPPED[source](as_frame=True)
    return bunch.data, bunch.target, source in _CLASSIFIED


def _from_file(settings: Mapping[str, Any]) -> tuple[pd.DataFrame, pd.Series, bool]:
    frame = _read(settings, _FILES[settings["source"]])
    columns = [str(column) for column in frame.columns]
    frame.columns = pd.Index(columns)
    _check_names(settings, columns)
    name, drop = settings["target"], settings.get("drop") or []
    categorical = settings.get("categorical")
    task = settings.get("task") or "auto"
    frame = _without_decimals(frame.drop(columns=[column for column in drop if column != name]))
    _refuse_misread(frame, settings)
    _refuse_dates(frame, settings)
    raw = frame[name]
    features = frame.drop(columns=[name])
    if not len(features.columns) or not len(features):
        raise _refusal(
            "data.path",
            f"{frame.shape[0]} rows, {len(features.columns)} features",
            "rows, and columns besides the target",
            "name another file",
        )
    return _typed(features, categorical), raw, _is_classified(raw, task)


def _read(settings: Mapping[str, Any], reader: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
    path = Path(settings["path"])
    try:
        return reader(path)
    # pandas, pyarrow and the codecs each fail in their own way.
    except Exception as error:
        expected = f"a file in the format {settings['source']}, with a line of column names"
        got = f"{path.absolute()}: {' '.join(str(error).split())[:300]}"
        raise _refusal("data.path", got, expected, "name another file, or mend it") from error


def _check_names(settings: Mapping[str, Any], columns: list[str]) -> None:
    """Refuse columns that are not there, or that nobody told apart."""
    separator = next((each for each in _SEPARATORS if each in columns[0]), "") if columns else ""
    if len(columns) == 1 and separator:
        got = f"one column, {columns[0]!r}"
        expected = "columns separated by commas, and a point in numbers"
        reading = f"pandas.read_csv(FILE, sep={separator!r}, decimal=…)"
        fix = f"write it anew: {reading}.to_csv(…, index=False)"
        raise _refusal("data.path", got, expected, fix)
    _refuse_row_numbers(settings, columns)
    _check_columns([settings.get("target")], "data.target", columns)
    _check_columns(settings.get("drop") or [], "data.drop", columns)
    _check_columns(settings.get("categorical") or [], "data.categorical", columns)


def _refuse_row_numbers(settings: Mapping[str, Any], columns: list[str]) -> None:
    """Refuse a first column without a name: in a sorted table it gives the target away."""
    # What pandas calls it where to_csv wrote the numbers of the rows, too.
    name = "Unnamed: 0"
    is_used = columns[:1] == [name] and name not in (settings.get("drop") or [])
    if settings["source"] == "csv" and is_used:
        got = "a first column without a name"
        expected = "a name for each column: most such columns are the numbers of the rows"
        fix = f"data.drop=['{name}'] to leave it out, or give it a name in the file"
        raise _refusal("data.path", got, expected, fix)


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
        raise _refusal(f"column {column}", got, expected, fix)


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
        raise _refusal(f"column {column}", got, expected, fix)


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
            raise _refusal(f"column {column}", got, "numbers", fix) from error
    return typed


def _target(
    raw: pd.Series, name: str, *, is_classified: bool
) -> tuple[np.ndarray, tuple[str, ...]]:
    empty = int(raw.isna().sum())
    if empty:
        fix = f"remove the rows without {name}, or fill them in"
        raise _refusal(
            "data.target",
            f"{empty} of {len(raw)} rows of {name} are empty",
            "a value in every row",
            fix,
        )
    if raw.nunique() < 2:
        got = f"{name} is {raw.iloc[0]!r} in every row" if len(raw) else "no rows"
        raise _refusal("data.target", got, "two values or more", "name another column")
    if is_classified:
        codes, uniques = pd.factorize(raw, sort=True)
        return codes.astype(np.int64), tuple(map(str, uniques))
    try:
        numbers = pd.to_numeric(raw).to_numpy(dtype=float, copy=True)
    except (ValueError, TypeError) as error:
        fix = "data.task=classification, or name a column of numbers"
        raise _refusal("data.target", str(error)[:200], "numbers", fix) from error
    if not np.isfinite(numbers).all():
        expected, fix = "finite numbers", "remove the rows that are infinite"
        raise _refusal("data.target", f"{name} holds infinities", expected, fix)
    return numbers, ()


def _is_classified(raw: pd.Series, task: str) -> bool:
    if task not in _TASKS:
        near = near_miss(task, _TASKS) or "auto"
        raise _refusal("data.task", task, f"one of {listed(_TASKS)}", f"data.task={near}")
    if task != "auto":
        return task == "classification"
    if not is_numeric_dtype(raw) or pd.api.types.is_bool_dtype(raw):
        return True
    if pd.api.types.is_integer_dtype(raw):
        return bool(raw.nunique() <= _MOST_CLASSES)
    # As 0.0 and 1.0: one empty cell makes floats of whole numbers.
    values = raw.dropna().unique()
    return len(values) == 2 and all(float(value).is_integer() for value in values)


def _check_columns(names: object, key: str, columns: list[str]) -> None:
    for name in names if isinstance(names, list) else [names]:
        if name in columns:
            continue
        near = near_miss(str(name), columns)
        some = listed(columns[:20]) + (f" and {len(columns) - 20} more" if columns[20:] else "")
        fix = f"{key}={near or columns[-1] if columns else '…'}"
        raise _refusal(key, "nothing" if name is None else repr(name), f"a column: {some}", fix)


def _stamp(settings: Mapping[str, Any]) -> tuple[int, ...]:
    path = settings.get("path")
    if not isinstance(path, str) or not path:
        fix = f"data.path=my_data.{settings['source']} data.target=my_column"
        raise _refusal("data.path", repr(path), "a file with a table", fix)
    try:
        found = Path(path).stat()
    except OSError as error:
        got = f"{Path(path).absolute()}: {error.strerror}"
        expected = "a file that can be read, relative to where the run was started"
        raise _refusal("data.path", got, expected, "correct the path") from error
    return found.st_mtime_ns, found.st_size


def _refusal(key: str, got: str, expected: str, fix: str) -> ConfigurationError:
    return ConfigurationError([Problem(key=key, got=got, expected=expected, fix=fix)])
