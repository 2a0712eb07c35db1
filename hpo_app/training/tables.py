"""From the data settings to a table: features, target, and the rows to train on and to judge on.

A worker reads a table once and all its trials share it. Target and rows cannot be written to, and
nothing of ours writes to the features, so that no trial changes the data of the next.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import datasets
from sklearn.model_selection import train_test_split

from hpo_app.errors import listed, near_miss
from hpo_app.training.columns import coded_target, features_and_target
from hpo_app.training.contract import refusal
from hpo_app.training.reports import checked_count, checked_number, checked_settings
from hpo_app.training.table_files import FORMATS, check_head, read_file, stamp_of


if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

_SHIPPED = {
    "digits": datasets.load_digits,
    "breast_cancer": datasets.load_breast_cancer,
    "diabetes": datasets.load_diabetes,
}
_CLASSIFIED = ("digits", "breast_cancer")
SOURCES = (*_SHIPPED, *FORMATS)
_REQUIRED = ("source", "validation_share", "split_seed")
_OPTIONAL = ("path", "target", "task", "categorical", "drop")


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
        raise refusal("data.source", repr(source), f"one of {listed(SOURCES)}", f"data={near}")
    share = checked_number(settings["validation_share"], "data.validation_share")
    if not 0 < share < 1:
        expected = "a share between 0 and 1"
        fix = "data.validation_share=0.25"
        raise refusal("data.validation_share", str(share), expected, fix)
    if settings["split_seed"] != 0:
        checked_count(settings["split_seed"], "data.split_seed")
    # A file that was changed is read anew.
    stamp = stamp_of(settings) if source in FORMATS else ()
    return _table(json.dumps(settings, sort_keys=True, default=str), stamp)


def check_file(data: Mapping[str, Any]) -> None:
    """Look at the file of a table of a person's own, without its rows; other data is no matter.

    Args:
        data: As for `load_table`.

    Raises:
        ConfigurationError: If a setting is wrong, there is no such file, or a CSV file has no such
            column.
    """
    if data.get("source") not in FORMATS:
        return
    check_head(_checked(data))


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
    features, raw, is_classified = _from_file(settings) if source in FORMATS else _shipped(source)
    target, classes = coded_target(
        raw, settings.get("target") or "target", is_classified=is_classified
    )
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
        raise refusal("data", str(error), "rows enough of every class", fix) from error
    for array in (target, train, validation):
        array.setflags(write=False)
    return Table(features, target, classes, np.sort(train), np.sort(validation))


def _shipped(source: str) -> tuple[pd.DataFrame, pd.Series, bool]:
    bunch = _SHIPPED[source](as_frame=True)
    return bunch.data, bunch.target, source in _CLASSIFIED


def _from_file(settings: Mapping[str, Any]) -> tuple[pd.DataFrame, pd.Series, bool]:
    return features_and_target(read_file(settings), settings)
