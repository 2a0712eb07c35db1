"""From the folder of a sweep to the command line that goes on with it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from hpo_app.config.app_trust import TYPED_ANEW
from hpo_app.config.compose import compose_config
from hpo_app.config.diagnose import COMPOSITION_ERRORS, diagnose
from hpo_app.config.overrides import overrides_in, quoted, read_override, single_values
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import TRUSTED as TRUST
from hpo_app.config.stored import CHANGEABLE, is_allowed
from hpo_app.config.trust import packages_of_functions
from hpo_app.errors import PlanError, Problem, listed
from hpo_app.study.sweep import is_sweep, read_sweep


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hpo_app.config.overrides import Override
    from hpo_app.study.sweep import SweepRecord

# How a sweep is run, in words that name neither code nor another machine.
_HARMLESS = re.compile(
    r"hydra/(?:launcher|sweeper|sweeper/sampler)"
    r"|hydra\.launcher\.at_once"
    r"|hydra\.sweeper\.(?:n_trials|n_jobs|direction|max_failure_rate|max_batch_size|sampler\.seed)"
    r"|hydra\.(?:sweep\.subdir|mode)"
)
# Where the Ray of a sweep reads what `ray` says; a search of it starts none.
_OF_SHARED_RAY = {
    "ray.num_cpus": "hydra.launcher.ray.init.num_cpus",
    "ray.num_gpus": "hydra.launcher.ray.init.num_gpus",
    "ray.dashboard": "hydra.launcher.ray.init.include_dashboard",
}
_PARAMS = "hydra.sweeper.params."
_OF_HYDRA = ("hydra.", "hydra/")
_TYPED_AGAIN = "to be typed again: the folder of a sweep cannot decide it"
_FLAGS_OF_FOLDERS = ("--config-dir", "-cd")


def decided(arguments: Sequence[str]) -> tuple[str, ...]:
    """Return what of a command line only a person may decide: whom to trust, and where to look."""
    chosen: list[str] = [text for flag in flags_of_folders(arguments) for text in flag]
    overrides = overrides_in(arguments)
    chosen += [each.text for each in overrides if _is_decided(each.key)]
    # Of a run that goes on, a training function is trusted by its package.
    singles = [one for each in overrides for one in _singles(each)]
    packages = dict.fromkeys(packages_of_functions(singles))
    if packages and all(each.key != TRUST for each in overrides):
        chosen.append(f"{TRUST}=[{','.join(packages)}]")
    return tuple(chosen)


def flags_of_folders(arguments: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the flags that say where config groups are, each with what follows it."""
    pairs = zip(arguments, [*arguments[1:], ""], strict=False)
    found = [pair for pair in pairs if pair[0].startswith(_FLAGS_OF_FOLDERS)]
    return [(flag,) if "=" in flag else (flag, folder) for flag, folder in found]


def _singles(override: Override) -> list[str]:
    return single_values(override.text) if override.key == "model.function" else []


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
    problems = [*_missing_folders(stored, arguments), *_missing(decided(stored), again)]
    texts = [each.text for each in changes]
    earlier = lasting([*record.changes, *texts])
    problems += [_refusal(text) for text in (*texts, *earlier) if not is_allowed(text)]
    problems = problems or _wrong_values(record, texts, again)
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
    all_changes = (*(text for text in earlier if text not in texts), *texts)
    shared = _of_shared_ray(all_changes) if "hydra/launcher=ray" in (*kept, *how) else []
    whole = ["--multirun", *flags_first, *trust, *kept, *how, *shared, place]
    return whole, all_changes


def _wrong_values(
    record: SweepRecord, changes: Sequence[str], again: Sequence[str]
) -> list[Problem]:
    """Return what is wrong with changes: the record would keep them for all later starts."""
    if not changes or not record.searches:
        return []
    folders = [flag[-1].rpartition("=")[2] for flag in flags_of_folders(again)]
    texts = [*record.searches[0].overrides, *changes]
    folder = Path(folders[-1]) if folders else None
    found: Sequence[Problem] = ()
    try:
        parse_plan(*compose_config(texts, folder))
    except PlanError as error:
        found = error.problems
    except COMPOSITION_ERRORS as error:
        found = diagnose(texts, error, folder).problems
    # What else there is, a search says itself.
    said = {f"command line: {text}" for text in changes}
    return [problem for problem in found if problem.set_by in said]


def _of_shared_ray(changes: Iterable[str]) -> list[str]:
    of_ray = (each for each in overrides_in(changes) if each.key in _OF_SHARED_RAY)
    return [f"{_OF_SHARED_RAY[each.key]}={each.value}" for each in of_ray]


def _is_decided(key: str) -> bool:
    if key.startswith(_PARAMS):  # What the sweeper makes of it is an override of that key.
        key = read_override(key.removeprefix(_PARAMS)).key
    if key in (TRUST, "ray.address", "storage", *TYPED_ANEW):
        return True
    is_hydras = key.startswith(_OF_HYDRA) and key != "hydra.sweep.dir"
    return is_hydras and not _HARMLESS.fullmatch(key)


def _missing_folders(stored: Sequence[str], arguments: Sequence[str]) -> list[Problem]:
    if flags_of_folders(arguments):
        return []
    problems = []
    for flag in flags_of_folders(stored):
        fix = f"if it is yours, add {shlex.join(flag)}, or the folder that takes its place"
        key = flag[0].partition("=")[0]
        problems.append(Problem(key, shlex.join(flag), _TYPED_AGAIN, fix))
    return problems


def _missing(stored: Iterable[str], again: Sequence[str]) -> list[Problem]:
    known = {read_override(text).key for text in again if "=" in text}
    problems = []
    for each in overrides_in(stored):
        if each.text in again or each.key in known:
            continue
        fix = f"if it is yours, add {shlex.quote(each.text)}, or what takes its place"
        problems.append(Problem(each.key, each.text, _TYPED_AGAIN, fix))
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
