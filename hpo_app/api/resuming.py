"""From a run folder and keyword arguments to what the command line would go on with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from hpo_app.api.plain import plain_config
from hpo_app.config.secrets import hide_secrets
from hpo_app.config.stored import stored_config
from hpo_app.errors import PlanError, Problem, RunFolderError
from hpo_app.study.folder import refuse_altered_config, refuse_links
from hpo_app.study.journal import FILE_NAME
from hpo_app.study.replay import stored_changes


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from omegaconf import DictConfig

    from hpo_app.config.compose import Origin


def stored_request(
    folder: Path, changes: Mapping[str, Any], trusted: Sequence[str]
) -> tuple[tuple[DictConfig, Origin], tuple[str, ...]]:
    """Return the config of a run with changes on top, where it came from, and the changes as text.

    Args:
        folder: The run folder.
        changes: Settings by name; those of a section as a mapping, or by their dotted name.
        trusted: Packages that code may be named from.

    Raises:
        PlanError: If a change is none that a run may be continued with.
        RunFolderError: If it is no run folder, or its config was altered.
    """
    if not (folder / FILE_NAME).is_file():
        expected = f"a run folder, which holds a {FILE_NAME}"
        fix = "name one, for example results.run_folder"
        raise RunFolderError([Problem("path", str(folder), expected, fix, "resume()")])
    refuse_links(folder)
    refuse_altered_config(folder)
    problems: list[Problem] = []
    plain = plain_config(dict(changes), "resume()", problems)
    if problems:
        raise PlanError(problems)
    texts = tuple(
        _overrides("", {**plain, **({"trusted_modules": list(trusted)} if trusted else {})})
    )
    source = stored_config(folder, texts, stored_changes(folder))
    hide_secrets(source[0])
    return source, texts


def refuse_other_function(config: DictConfig, name: str | None) -> None:
    """Raise if a run would go on with another training function than it was started with.

    Raises:
        PlanError: Its trials could not be compared.
    """
    stored = OmegaConf.select(config, "model.trainer")
    if name is not None and name != stored:
        expected = f"{stored}, with which the run was started: its trials could not be compared"
        fix = "hand over that function, or start a new run"
        raise PlanError([Problem("training_engine", name, expected, fix, "resume()")])


def _overrides(prefix: str, values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _overrides(f"{prefix}{key}.", value)
        else:
            yield f"{prefix}{key}={json.dumps(value)}"  # JSON is YAML, in which overrides are read.
