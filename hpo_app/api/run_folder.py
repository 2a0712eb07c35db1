"""From a composed config to a run folder like one that the command line makes."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from omegaconf import OmegaConf

from hpo_app.errors import Problem, RunFolderError
from hpo_app.study.files import replace_file
from hpo_app.study.folder import CONFIG_FILES
from hpo_app.study.journal import FILE_NAME


if TYPE_CHECKING:
    from collections.abc import Iterator

    from omegaconf import DictConfig

    from hpo_app.config.compose import Origin


def new_folder(run_dir: Path | str | None) -> Path:
    """Return the folder of a new run: the one that is named, or one by the time under `outputs/`.

    Raises:
        RunFolderError: If the named one holds a run already, or cannot be a folder.
    """
    if run_dir is None:
        now = datetime.now().astimezone()
        name = f"{now:%H-%M-%S}-{secrets.token_hex(4)}"
        return Path("outputs", f"{now:%Y-%m-%d}", name).absolute()
    folder = Path(run_dir).absolute()
    _refuse_impossible(folder, "run_dir")
    if (folder / FILE_NAME).exists():
        fix = f"go on with it by HPOptimizer(…).resume({str(folder)!r}), or name another folder"
        raise RunFolderError(
            [Problem("run_dir", str(folder), "a folder that holds no run yet", fix)]
        )
    return folder


def _refuse_impossible(path: Path, key: str) -> None:
    """Raise if a disk cannot have such a path: too long a name, a NUL in it, a closed folder."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return  # Whoever makes or reads it says what is wrong.
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        got = f"{str(path)!r:.60}: {why}"
        problem = Problem(key, got, "a path that can be looked up", "name another one")
        raise RunFolderError([problem]) from None


def run_folder_of(path: object, call: str) -> Path:
    """Return the run folder that is meant: the path itself, or that of a file inside it.

    Args:
        path: The run folder, its `journal.jsonl`, or another file of it.
        call: Who asks, for messages.

    Raises:
        RunFolderError: If there is none.
    """
    if isinstance(path, (str, PurePath)):
        named = Path(path).absolute()
        _refuse_impossible(named, "path")
        # `best.yaml` stands in it, `report/index.html` one folder below.
        above = list(named.parents)[:2] if named.is_file() else []
        for folder in (named, *above):
            if (folder / FILE_NAME).is_file():
                return folder
        newest = max(_journals_below(named), key=lambda each: each.stat().st_mtime, default=None)
        got = str(path) if named.exists() else f"{path}, which is not there"
    else:
        newest, got = None, f"{path!r:.60} ({type(path).__name__})"
    fix = "name one, for example results.run_folder"
    if newest is not None:
        fix = f"name one, for example {str(newest.parent)!r}, the newest below it"
    expected = f"a run folder, which holds a {FILE_NAME}"
    raise RunFolderError([Problem("path", got, expected, fix, call)])


def _journals_below(folder: Path) -> Iterator[Path]:
    """Yield the journals in `outputs/`, or in a day of it, and not all that a disk holds."""
    yield from folder.glob(f"*/{FILE_NAME}")
    yield from folder.glob(f"*/*/{FILE_NAME}")


def store_config(config: DictConfig, origin: Origin, folder: Path) -> None:
    """Write what a run is read back from, as Hydra does on the command line."""
    hydra = {
        "hydra": {
            "overrides": {"task": list(origin.overrides)},
            "runtime": {"choices": dict(origin.choices)},
        }
    }
    texts = dict(
        zip(CONFIG_FILES, (OmegaConf.to_yaml(config), OmegaConf.to_yaml(hydra)), strict=True)
    )
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text)
