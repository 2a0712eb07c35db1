"""From a run folder and keyword arguments to what the command line would go on with."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from hpo_app.api.plain import plain_value
from hpo_app.config.render import TRUSTED as KEY
from hpo_app.config.secrets import hide_secrets
from hpo_app.config.stored import stored_config
from hpo_app.errors import PlanError, Problem
from hpo_app.study.folder import refuse_altered_config, refuse_links
from hpo_app.study.replay import stored_changes


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from omegaconf import DictConfig

    from hpo_app.config.compose import Origin


# What `optimize` calls a setting, and the config.
_SETTINGS = {
    "resources_per_trial": "resources",
    "max_concurrent_trials": "resources.max_concurrent_trials",
    "include_dashboard": "dashboard",
}


def changes_as_text(
    changes: Mapping[str, Any], ray_config: Mapping[str, Any], trusted: Sequence[str]
) -> tuple[str, ...]:
    """Return what a run is to go on with as overrides of its config.

    Args:
        changes: Settings by the names that `optimize` has for them, or the config; those of a
            section as a mapping, or by their dotted name.
        ray_config: Where it goes on.
        trusted: Packages that code may be named from.

    Raises:
        PlanError: If a value is none that a config can hold.
    """
    problems: list[Problem] = []
    plain = {
        _SETTINGS.get(key, key): plain_value(value, key, problems) for key, value in changes.items()
    }
    if problems:
        raise PlanError(problems, "the arguments of resume()")
    ray = {f"ray.{_SETTINGS.get(key, key)}": value for key, value in ray_config.items()}
    return tuple(_overrides("", {**plain, **ray, **({KEY: list(trusted)} if trusted else {})}))


def stored_request(folder: Path, texts: Sequence[str]) -> tuple[DictConfig, Origin]:
    """Return the config of a run with changes on top, and where it came from.

    Args:
        folder: The run folder.
        texts: The changes, as overrides.

    Raises:
        PlanError: If a change is none that a run may be continued with.
        RunFolderError: If its config was altered.
    """
    refuse_links(folder)
    refuse_altered_config(folder)
    config, origin = stored_config(folder, texts, stored_changes(folder))
    hide_secrets(config)
    return config, origin


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
