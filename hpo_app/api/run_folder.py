"""From a composed config to a run folder like one that the command line makes."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import OmegaConf

from hpo_app.errors import Problem, RunFolderError
from hpo_app.study.files import replace_file
from hpo_app.study.folder import CONFIG_FILES
from hpo_app.study.journal import FILE_NAME


if TYPE_CHECKING:
    from omegaconf import DictConfig

    from hpo_app.config.compose import Origin


def new_folder(run_dir: Path | str | None) -> Path:
    """Return the folder of a new run: the one that is named, or one by the time under `outputs/`.

    Raises:
        RunFolderError: If the named one holds a run already.
    """
    if run_dir is None:
        now = datetime.now().astimezone()
        name = f"{now:%H-%M-%S}-{secrets.token_hex(4)}"
        return Path("outputs", f"{now:%Y-%m-%d}", name).absolute()
    folder = Path(run_dir).absolute()
    if (folder / FILE_NAME).exists():
        fix = f"go on with it by HPOptimizer(…).resume({str(folder)!r}), or name another folder"
        raise RunFolderError(
            [Problem("run_dir", str(folder), "a folder that holds no run yet", fix, "optimize()")]
        )
    return folder


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
