"""From the folder of a sweep to the command line that goes on with it."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from hpo_app.config.overrides import overrides_in, quoted, read_override
from hpo_app.config.render import TRUSTED as TRUST
from hpo_app.config.stored import CHANGEABLE
from hpo_app.errors import PlanError, Problem, listed
from hpo_app.study.sweep import is_sweep, read_sweep


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

# How a sweep is run, in words that name neither code nor another machine.
_HARMLESS = re.compile(
    r"hydra/(?:launcher|sweeper|sweeper/sampler)"
    r"|hydra\.launcher\.at_once"
    r"|hydra\.sweeper\.(?:n_trials|n_jobs|direction|max_failure_rate|max_batch_size|sampler\.seed)"
    r"|hydra\.sweeper\.params\..*"
    r"|hydra\.(?:sweep\.subdir|mode)"
)
# Where the Ray of a sweep reads what `ray` says; a search of it starts none.
_OF_SHARED_RAY = {
    "ray.num_cpus": "hydra.launcher.ray.init.num_cpus",
    "ray.num_gpus": "hydra.launcher.ray.init.num_gpus",
    "ray.dashboard": "hydra.launcher.ray.init.include_dashboard",
}
_OF_HYDRA = ("hydra.", "hydra/")
_FLAGS_OF_FOLDERS = ("--config-dir", "-cd")


def decided(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return what of a command line only a person may decide: whom to trust, and where to look."""
    chosen: list[str] = []
    for text, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if text.startswith(_FLAGS_OF_FOLDERS):
            chosen += [text] if "=" in text else [text, following]
    chosen += [each.text for each in overrides_in(arguments) if _is_decided(each.key)]
    return tuple(chosen)


def undecided(overrides: Sequence[str]) -> frozenset[str]:
    """Return the overrides of a search that say what it is, in no order."""
    return frozenset(text for text in overrides if not _is_decided(read_override(text).key))


def lasting(changes: Sequence[str]) -> tuple[str, ...]:
    """Return the changes that a later start takes over, the last one of each key.

    What only a person may decide is none of them.
    """
    by_key = {each.key: each.text for each in overrides_in(changes) if not _is_decided(each.key)}
    return tuple(by_key.values())


def sweep_arguments(
    folder: Path, arguments: Sequence[str]
) -> tuple[list[str], tuple[str, ...]] | None:
    """Return the command line that goes on with a sweep, and what changes in its searches.

    Args:
        folder: What `run` names.
        arguments: The command line as it was typed, with `action=resume`.

    Returns:
        None if the folder is not that of a sweep.

    Raises:
        RunFolderError: If the record of the sweep cannot be read.
        PlanError: If something has to be typed again, or may not change.
    """
    if not is_sweep(folder):
        return None
    record = read_sweep(folder)
    stored = record.arguments
    again, typed = decided(arguments), overrides_in(arguments)
    others = [each for each in typed if each.key not in ("action", "run")]
    changes = [each for each in others if not each.key.startswith(_OF_HYDRA)]
    problems = [*_missing(decided(stored), again)]
    problems += [_refusal(each.text) for each in changes if each.root not in CHANGEABLE]
    if problems:
        raise PlanError(problems)
    # What changes in the searches comes on top: the sweeper has to propose what it did before.
    own = {each.key for each in typed if each not in changes}
    kept = [
        each.text
        for each in overrides_in(stored)
        if not _is_decided(each.key) and each.key not in own and each.key != "hydra.sweep.dir"
    ]
    how = [each.text for each in others if each not in changes and each.text not in again]
    place = f"hydra.sweep.dir={quoted(str(folder))}"
    trust = [each.text for each in changes if each.text in again]
    flags_first = [text for text in again if text not in trust]
    texts = [each.text for each in changes]
    earlier = [text for text in lasting([*record.changes, *texts]) if text not in texts]
    all_changes = (*earlier, *texts)
    shared = _of_shared_ray(all_changes) if "hydra/launcher=ray" in (*kept, *how) else []
    whole = ["--multirun", *flags_first, *trust, *kept, *how, *shared, place]
    return whole, all_changes


def _of_shared_ray(changes: Iterable[str]) -> list[str]:
    of_ray = (each for each in overrides_in(changes) if each.key in _OF_SHARED_RAY)
    return [f"{_OF_SHARED_RAY[each.key]}={each.value}" for each in of_ray]


def _is_decided(key: str) -> bool:
    if key in (TRUST, "ray.address", "storage"):
        return True
    is_hydras = key.startswith(_OF_HYDRA) and key != "hydra.sweep.dir"
    return is_hydras and not _HARMLESS.fullmatch(key)


def _missing(stored: Iterable[str], again: Sequence[str]) -> list[Problem]:
    known = {read_override(text).key for text in again if "=" in text}
    problems = []
    for text in stored:
        if text in again or ("=" in text and read_override(text).key in known):
            continue
        expected = "to be typed again: the folder of a sweep cannot decide it"
        fix = f"if it is yours, add {shlex.quote(text)}, or what takes its place"
        problems.append(Problem(read_override(text).key, text, expected, fix))
    return problems


def _refusal(text: str) -> Problem:
    override = read_override(text)
    return Problem(
        override.key,
        override.value,
        f"one of {listed(CHANGEABLE)}: anything else would make its trials incomparable",
        "leave it out, or start a new sweep with it",
        f"command line: {text}",
    )
