"""From argv to what Hydra composes, and what applies to a file or folder that already exists."""

from __future__ import annotations

from pathlib import Path

from hpo_app.config.best import is_change
from hpo_app.errors import Problem, RunFolderError
from hpo_app.study.journal import FILE_NAME


def split_changes(arguments: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the arguments for Hydra, and the overrides to apply to what `best` or `run` names.

    Hydra would look for the keys of a stored config in conf/, where they may be missing.

    Raises:
        RunFolderError: If `run` names no run folder.
    """
    values = dict(text.split("=", maxsplit=1) for text in arguments if "=" in text)
    if values.get("action") == "resume":
        return _resuming(arguments, values.get("run", ""))
    if "best" in values:
        changes = tuple(text for text in arguments if is_change(text))
        return [text for text in arguments if text not in changes], changes
    return arguments, ()


def _resuming(arguments: list[str], run: str) -> tuple[list[str], tuple[str, ...]]:
    if not run or not (Path(run) / FILE_NAME).is_file():
        fix = "name one, for example run=outputs/DATE/TIME"
        raise RunFolderError([Problem("run", run or "nothing", "a run folder", fix)])
    # Hydra writes into the same folder, but not over the config that the run started with.
    own = ["action=resume", f"run={_quoted(run)}", f"hydra.run.dir={_quoted(run)}"]
    changes = tuple(text for text in arguments if not text.startswith(("action=", "run=")))
    return [*own, "hydra.output_subdir=null"], changes


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
