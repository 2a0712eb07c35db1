"""From a run folder to the config that it was started with, and the few changes it allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from hpo_app.config.compose import Origin, conf_dir
from hpo_app.config.overrides import read_override
from hpo_app.config.resolvers import register_resolvers
from hpo_app.errors import PlanError, Problem, RunFolderError, listed


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from omegaconf import DictConfig

# What a run may be continued with. Everything else decides what its trials are: with another space
# or metric, the trials of before and after could not be compared.
CHANGEABLE = (
    "num_trials",
    "time_budget_s",
    "trial_timeout_s",
    "stall_timeout_s",
    "max_failures",
    "max_same_failures",
    "resources",
    "ray",
    "trusted_modules",
)


def stored_config(folder: Path, changes: Sequence[str] = ()) -> tuple[DictConfig, Origin]:
    """Return the config of a run folder with changes on top, and where its values came from.

    Args:
        folder: The run folder, with `.hydra/` in it.
        changes: Overrides, those of earlier continuations first.

    Raises:
        RunFolderError: If the stored config cannot be read.
        PlanError: If a change is none that a run may be continued with.
    """
    register_resolvers()
    refused = [_refusal(change) for change in changes if not _is_allowed(change)]
    if refused:
        raise PlanError(refused)
    dotlist = [read_override(change).plain for change in changes]
    path = folder / ".hydra" / "config.yaml"
    try:
        config: Any = OmegaConf.load(path)
        hydra: Any = OmegaConf.load(folder / ".hydra" / "hydra.yaml")
        typed: Any = OmegaConf.to_container(hydra.hydra.overrides.task, resolve=False)
        choices: Any = OmegaConf.to_container(hydra.hydra.runtime.choices)
        changed: Any = OmegaConf.merge(config, OmegaConf.from_dotlist(dotlist))
    except (OSError, YAMLError, OmegaConfBaseException, ValueError, TypeError) as error:
        text = " ".join(str(error).split())
        expected = "the config that the run was started with"
        fix = "restore the file from a copy, or start a new run"
        raise RunFolderError([Problem(str(path), text, expected, fix)]) from error
    named = {str(group): str(choice) for group, choice in choices.items()}
    return changed, Origin((*map(str, typed), *changes), named, (conf_dir(),))


def _is_allowed(change: str) -> bool:
    override = read_override(change)
    return override.root in CHANGEABLE and override.mark != "~"


def _refusal(change: str) -> Problem:
    override = read_override(change)
    return Problem(
        override.key,
        override.value,
        f"one of {listed(CHANGEABLE)}: anything else would make its trials incomparable",
        "leave it out, or start a new run with it",
        f"command line: {change}",
    )
