"""From a command line that does not compose to everything that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hydra.errors import HydraException, MissingConfigException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError, Problem, listed, near_miss


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_ERRORS = (HydraException, OmegaConfBaseException)


def diagnose(
    overrides: Sequence[str], error: Exception, config_dir: Path | None = None
) -> PlanError:
    """Return all problems of overrides that Hydra refused to compose.

    Hydra names the first one only. Here overrides are added one by one, choices of groups first;
    one that does not go in is put on record and left out, and the rest is checked as a plan.

    Args:
        overrides: The command line's overrides.
        error: What Hydra said; shown if nothing better is found.
        config_dir: A person's own config groups.
    """
    accepted: list[str] = []
    problems: list[Problem] = []
    if _refusal([], config_dir) is not None:
        return PlanError([_plain(error)])  # The files themselves are at fault.
    for override in sorted(overrides, key=lambda text: "." in text.split("=", maxsplit=1)[0]):
        refusal = _refusal([*accepted, override], config_dir)
        if refusal is None:
            accepted.append(override)
        else:
            problems.append(_problem(override, refusal, accepted, config_dir))
    try:
        parse_plan(*compose_config(accepted, config_dir))
    except PlanError as more:
        problems += more.problems
    return PlanError(problems or [_plain(error)])


def _refusal(overrides: Sequence[str], config_dir: Path | None) -> Exception | None:
    try:
        compose_config(overrides, config_dir)
    except _ERRORS as error:
        return error
    return None


def _problem(
    override: str, error: Exception, accepted: Sequence[str], config_dir: Path | None
) -> Problem:
    key, _, value = override.lstrip("+~").partition("=")
    set_by = f"command line: {override}"
    if isinstance(error, MissingConfigException) and error.options:
        choices = [str(option) for option in error.options]
        miss = near_miss(value, choices)
        fix = f"write {key}={miss}" if miss else "choose one of them"
        return Problem(key, value, f"one of {listed(choices)}", fix, set_by)
    known = _neighbours(key, accepted, config_dir)
    if known and "=" in override and key.split(".")[-1] not in known:
        name = key.split(".")[-1]
        miss = near_miss(name, known)
        parent = key.removesuffix(name)
        fix = f"write {parent}{miss}={value}" if miss else "leave it out"
        where = parent.rstrip(".") or "the config"
        return Problem(key, value, f"a key of {where}: {listed(known)}", fix, set_by)
    text = " ".join(str(error).split())
    return Problem(key, override, "an override that Hydra can apply", text, set_by)


def _neighbours(key: str, accepted: Sequence[str], config_dir: Path | None) -> list[str]:
    config, origin = compose_config(accepted, config_dir)
    parent = key.rpartition(".")[0]
    node = OmegaConf.select(config, parent) if parent else config
    if not OmegaConf.is_dict(node):
        return []
    groups = [] if parent else [group for group in origin.choices if "/" not in group]
    return sorted({*(str(name) for name in node), *groups})


def _plain(error: Exception) -> Problem:
    text = " ".join(f"{error} {error.__cause__ or ''}".split())
    return Problem("config", text, "config files that Hydra can compose", "correct the file named")
