"""From a path to a table whose columns have the names that the data settings name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from hpo_app.errors import listed, near_miss
from hpo_app.training.contract import refusal


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _read_csv(path: Path, rows: int | None = None) -> pd.DataFrame:
    # Without the blanks that some put after a comma, which nobody types in a name.
    return pd.read_csv(path, skipinitialspace=True, nrows=rows)


FORMATS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "csv": _read_csv,
    "parquet": pd.read_parquet,
}
# Of files that spreadsheets write and call CSV all the same.
_SEPARATORS = (";", "\t", "|")


def read_file(settings: Mapping[str, Any]) -> pd.DataFrame:
    """Return the table in a file, its columns named by text.

    Args:
        settings: Data settings: `source`, one of `FORMATS`, `path`, and the columns that `target`,
            `drop` and `categorical` name.

    Raises:
        ConfigurationError: If the file cannot be read, or lacks such a column.
    """
    frame = _read(settings, FORMATS[settings["source"]])
    columns = [str(column) for column in frame.columns]
    frame.columns = pd.Index(columns)
    _check_names(settings, columns)
    return frame


def check_head(settings: Mapping[str, Any]) -> None:
    """Look at a file without its rows.

    Args:
        settings: As for `read_file`.

    Raises:
        ConfigurationError: If there is no such file, or a CSV file has no such column.
    """
    stamp_of(settings)
    if settings["source"] == "csv":
        # What is wrong with the rest of the file, only the rest shows.
        head = _read(settings, lambda path: _read_csv(path, rows=0))
        _check_names(settings, [str(column) for column in head.columns])


def stamp_of(settings: Mapping[str, Any]) -> tuple[int, ...]:
    """Return what is another one once the file is another one.

    Raises:
        ConfigurationError: If there is no such file.
    """
    path = settings.get("path")
    if not isinstance(path, str) or not path:
        fix = f"data.path=my_data.{settings['source']} data.target=my_column"
        raise refusal("data.path", repr(path), "a file with a table", fix)
    try:
        found = Path(path).stat()
    except OSError as error:
        got = f"{Path(path).absolute()}: {error.strerror}"
        expected = "a file that can be read, relative to where the run was started"
        raise refusal("data.path", got, expected, "correct the path") from error
    return found.st_mtime_ns, found.st_size


def _read(settings: Mapping[str, Any], reader: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
    path = Path(settings["path"])
    try:
        return reader(path)
    # pandas, pyarrow and the codecs each fail in their own way.
    except Exception as error:
        expected = f"a file in the format {settings['source']}, with a line of column names"
        got = f"{path.absolute()}: {' '.join(str(error).split())[:300]}"
        raise refusal("data.path", got, expected, "name another file, or mend it") from error


def _check_names(settings: Mapping[str, Any], columns: list[str]) -> None:
    """Refuse columns that are not there, or that nobody told apart."""
    separator = next((each for each in _SEPARATORS if each in columns[0]), "") if columns else ""
    if len(columns) == 1 and separator:
        got = f"one column, {columns[0]!r}"
        expected = "columns separated by commas, and a point in numbers"
        reading = f"pandas.read_csv(FILE, sep={separator!r}, decimal=…)"
        fix = f"write it anew: {reading}.to_csv(…, index=False)"
        raise refusal("data.path", got, expected, fix)
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
        raise refusal("data.path", got, expected, fix)


def _check_columns(names: object, key: str, columns: list[str]) -> None:
    for name in names if isinstance(names, list) else [names]:
        if name in columns:
            continue
        near = near_miss(str(name), columns)
        some = listed(columns[:20]) + (f" and {len(columns) - 20} more" if columns[20:] else "")
        fix = f"{key}={near or columns[-1] if columns else '…'}"
        raise refusal(key, "nothing" if name is None else repr(name), f"a column: {some}", fix)
