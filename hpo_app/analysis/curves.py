"""From a study to all that its trials reported, as one long table."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pandas as pd

from hpo_app.analysis.tables import encodable
from hpo_app.analysis.wording import json_text


if TYPE_CHECKING:
    from hpo_app.study.records import Study


def curves_frame(study: Study) -> pd.DataFrame:
    """Return a row per report: `trial`, `iteration`, `at_s` and a column `metrics.<name>` each.

    A metric that a report does not have is NaN. Rows are in the order of trials and iterations.
    """
    reports = [(trial.number, report) for trial in study.trials for report in trial.reports]
    names = sorted({name for _, report in reports for name in report.metrics})
    columns = {
        "trial": pd.Series([number for number, _ in reports], dtype="int64"),
        "iteration": pd.Series([report.iteration for _, report in reports], dtype="int64"),
        "at_s": pd.Series([report.at_s for _, report in reports], dtype="float64"),
    }
    for name in names:
        values = [report.metrics.get(name) for _, report in reports]
        columns[encodable(f"metrics.{name}")] = pd.Series(values, dtype="float64")
    return pd.DataFrame(columns)


def parquet_of(frame: pd.DataFrame) -> bytes:
    """Return a table in the Parquet format; a column of several types becomes JSON text."""
    buffer = io.BytesIO()
    frame.apply(_of_one_type).to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()


def _of_one_type(column: pd.Series) -> pd.Series:
    if column.dtype != "object":
        return column
    kinds = {type(value) for value in column if value is not None}
    # Whole numbers may be larger than any that Parquet has.
    if kinds <= {str} or kinds <= {bool}:
        return column
    return column.map(lambda value: None if value is None else json_text(value))
