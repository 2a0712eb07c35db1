"""From a run folder to the files of other tools: Optuna, spreadsheets, data frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.actions.command import Outcome
from hpo_app.actions.typed import shown_path
from hpo_app.analysis.curves import curves_frame, parquet_of
from hpo_app.analysis.tables import trials_frame, write_csv
from hpo_app.errors import EXIT_COMPLETE, PlanError, Problem, RunFolderError, listed, near_miss
from hpo_app.report.format import plain
from hpo_app.study.files import replace_file
from hpo_app.study.replay import load_study


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hpo_app.actions.command import Command
    from hpo_app.study.records import Study


def run(command: Command) -> Outcome:
    """Write what a run recorded in the format that `to` names, and say where it is.

    Raises:
        PlanError: If `to` names no format.
        RunFolderError: If `run` names no folder that can be read, or nothing can be written.
    """
    reading = command.reading
    if reading.to not in FORMATS:
        miss = near_miss(reading.to, FORMATS) or "optuna"
        expected = f"one of {listed(FORMATS)}"
        raise PlanError([Problem("to", reading.to or "nothing", expected, f"write to={miss}")])
    folder = reading.only_run
    study = load_study(folder)
    target = reading.output or folder / "export"
    try:
        target.mkdir(parents=True, exist_ok=True)
        written = FORMATS[reading.to](study, target)
    except OSError as error:
        got = f"{error.filename2 or error.filename or target}: {error.strerror or error}"
        problem = Problem("output", got, "a folder that can be written", "name one by output=")
        raise RunFolderError([problem]) from None
    for path in written:
        command.console.print(plain(shown_path(path)), markup=False, soft_wrap=True)
    if reading.to == "optuna":
        url = f"sqlite:///{shown_path(written[0])}"
        hint = f"To look at it: pip install optuna-dashboard, then optuna-dashboard {url}"
        command.console.print(plain(hint), markup=False, soft_wrap=True)
    return Outcome(EXIT_COMPLETE, keeps_folder=False)


def _to_optuna(study: Study, folder: Path) -> list[Path]:
    # Optuna takes a second to import.
    from hpo_app.search.export import write_optuna  # noqa: PLC0415

    write_optuna(study, folder / "optuna.db")
    return [folder / "optuna.db"]


def _to_csv(study: Study, folder: Path) -> list[Path]:
    frames = {"trials.csv": trials_frame(study), "curves.csv": curves_frame(study)}
    for name, frame in frames.items():
        write_csv(frame, folder / name)
    return [folder / name for name in frames]


def _to_parquet(study: Study, folder: Path) -> list[Path]:
    frames = {"trials.parquet": trials_frame(study), "curves.parquet": curves_frame(study)}
    for name, frame in frames.items():
        replace_file(folder / name, parquet_of(frame))
    return [folder / name for name in frames]


FORMATS: dict[str, Callable[[Study, Path], list[Path]]] = {
    "optuna": _to_optuna,
    "csv": _to_csv,
    "parquet": _to_parquet,
}
