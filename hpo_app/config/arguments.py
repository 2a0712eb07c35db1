"""From argv to what Hydra composes, and what applies to a file or folder that already exists."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from hpo_app.config.best import is_change
from hpo_app.config.overrides import overrides_in, quoted, unquoted
from hpo_app.config.stored_sweep import sweep_arguments
from hpo_app.config.typed_secrets import typed_secrets
from hpo_app.errors import PlanError, Problem, RunFolderError, listed
from hpo_app.study.folder import refuse_links
from hpo_app.study.journal import FILE_NAME


if TYPE_CHECKING:
    from collections.abc import Iterator

    from hpo_app.config.overrides import Override


# What counts besides changes of the configuration itself when one is trained that a file holds.
_WITH_BEST = ("action", "best", "seed", "resources", "trusted_modules", "hydra")

# What counts for the actions that only read run folders.
_WITH_READING = {
    "report": ("action", "run", "output", "trusted_modules", "hydra"),
    "export": ("action", "run", "to", "output", "hydra"),
    "list": ("action", "run", "hydra"),
}

_FLAGS = (
    "help",
    "hydra-help",
    "version",
    "cfg",
    "resolve",
    "package",
    "run",
    "multirun",
    "shell-completion",
    "config-path",
    "config-name",
    "config-dir",
    "experimental-rerun",
    "info",
)

# With any other flag, Hydra prints something, or sweeps in folders of its own.
_FLAGS_OF_A_RUN = ("--config-", "-cd", "-cn", "-cp")


def read_arguments(arguments: list[str]) -> tuple[list[str], tuple[str, ...], Path | None]:
    """Return the arguments for Hydra, what changes in what `best` or `run` names, and the sweep.

    The last is the folder of the sweep that is gone on with; None where it is a single run.

    Raises:
        RunFolderError: As `split_changes`.
        PlanError: As `split_changes`.
    """
    values = {override.key: override.value for override in overrides_in(arguments)}
    folder = Path(unquoted(values.get("run", "")))
    if values.get("action") == "resume" and (sweep := sweep_arguments(folder, arguments)):
        return *sweep, folder
    is_sweep = values.get("sweep", "null") != "null" and "hydra.mode" not in values
    flags = ["--multirun"] if is_sweep and _starts_something(arguments) else []
    return *split_changes([*flags, *arguments]), None


def split_changes(arguments: list[str]) -> tuple[list[str], tuple[str, ...]]:
    """Return the arguments for Hydra, and the overrides to apply to what `best` or `run` names.

    Hydra would look for the keys of a stored config in conf/, where they may be missing.

    Raises:
        RunFolderError: If `run` names no run folder.
        PlanError: If a flag is unknown, a secret was typed, overrides have no effect on the
            configuration that `best` names, or a new run would write over an earlier one.
    """
    _refuse_unknown_flags(arguments)
    overrides = overrides_in(arguments)
    secrets = typed_secrets(overrides)
    if secrets:
        raise PlanError(secrets)
    values = {override.key: override.value for override in overrides}
    if values.get("action") == "resume":
        return _resuming(arguments, values.get("run", ""))
    _refuse_taken(values.get("hydra.run.dir", ""))
    refused = list(_without_effect(overrides, values.get("action", "optimize")))
    if refused:
        raise PlanError(refused)
    if values.get("action") in _WITH_READING:
        return _reading(arguments, values["action"]), ()
    if values.get("action") == "train" and values.get("best", "null") != "null":
        refused = [_refusal(override) for override in overrides if not _counts(override)]
        if refused:
            raise PlanError(refused)
        changes = tuple(override.text for override in overrides if is_change(override))
        return [text for text in arguments if text not in changes], changes
    return arguments, ()


def _without_effect(overrides: list[Override], action: str) -> Iterator[Problem]:
    """Yield what names an earlier run where none is read: somebody forgot to say what for."""
    if action not in {"optimize", "plan"}:
        return
    fixes = {
        "run": "add action=resume to go on with it, or action=report to read it; a new run learns "
        "from it by warm_start=[{}]",
        "best": "add action=train to train it; a new run learns from its run by "
        "warm_start=[FOLDER]",
    }
    for each in overrides:
        if each.key in fixes and each.value not in {"", "null"}:
            expected = f"nothing: action={action} is about a new run"
            yield Problem(
                each.key, each.value, expected, fixes[each.key].format(each.value), each.set_by
            )


def _refuse_unknown_flags(arguments: list[str]) -> None:
    """Raise for `--key`, which other programs want and Hydra's parser answers with its usage."""
    problems = []
    for text, following in zip(arguments, [*arguments[1:], "-"], strict=True):
        flag, _, value = text.partition("=")
        name = flag.lstrip("-")
        # As its parser does, Hydra takes the beginning of a flag for the whole.
        if flag.startswith("--") and name and not any(each.startswith(name) for each in _FLAGS):
            expected = "an override KEY=VALUE without dashes, or a flag of --hydra-help"
            if not value and "=" not in following and not following.startswith("-"):
                value = following
            fix = f"write {name.replace('-', '_')}={value or 'VALUE'}"
            problems.append(Problem(flag, text, expected, fix))
    if problems:
        raise PlanError(problems)


def named_folder(arguments: list[str]) -> Path | None:
    """Return the run folder that a command line names; None where it names none, or runs nothing.

    One that is named by an interpolation is not known before Hydra has composed.
    """
    if not _starts_something(arguments):
        return None
    named = {override.key: override.value for override in overrides_in(arguments)}
    folder = unquoted(named.get("hydra.run.dir", ""))
    return Path(folder) if folder and "${" not in folder else None


def _starts_something(arguments: list[str]) -> bool:
    """Return whether no flag has Hydra print something, or sweep, instead of running once."""
    flags = (text for text in arguments if text.startswith("-"))
    return all(flag.startswith(_FLAGS_OF_A_RUN) for flag in flags)


def _refuse_taken(folder: str) -> None:
    # Hydra writes its record before we are asked.
    path = Path(unquoted(folder))
    if folder and _holds_a_run(path):
        fix = f"go on with it by action=resume run={path}, or name another folder"
        problem = Problem("hydra.run.dir", folder, "a folder that holds no run yet", fix)
        raise PlanError([problem])


def _counts(override: Override) -> bool:
    root = override.root.split("/", maxsplit=1)[0]
    return root in _WITH_BEST or is_change(override)


def _refusal(override: Override) -> Problem:
    parts = listed(["model.…", "data.…", "training.…", *_WITH_BEST[2:]])
    expected = f"one of {parts}: all else is read from the file that best names"
    got = override.value or "nothing"
    return Problem(override.key, got, expected, "leave it out", override.set_by)


def _reading(arguments: list[str], action: str) -> list[str]:
    allowed = _WITH_READING[action]
    others = [each for each in overrides_in(arguments) if each.root not in allowed]
    if others:
        expected = f"one of {listed(allowed)}: action={action} starts nothing"
        raise PlanError(
            [
                Problem(each.key, each.value or "nothing", expected, "leave it out", each.set_by)
                for each in others
            ]
        )
    return [_with_plain_folder(text) for text in arguments]


def _with_plain_folder(text: str) -> str:
    # A path may hold what Hydra's grammar reads otherwise; a list is read as one.
    key, _, value = text.partition("=")
    is_one = key == "run" and value not in {"", "null"} and not value.startswith("[")
    return f"run={quoted(unquoted(value))}" if is_one else text


def _resuming(arguments: list[str], run: str) -> tuple[list[str], tuple[str, ...]]:
    if not run or not _holds_a_run(Path(run)):
        fix = f"name one, for example run={_newest_run() or 'outputs/DATE/TIME'}"
        expected = f"a run folder, which holds a {FILE_NAME}"
        raise RunFolderError([Problem("run", run or "nothing", expected, fix)])
    # Now, because Hydra opens its log in there before anybody else is asked.
    refuse_links(Path(run))
    # Hydra writes into the same folder, but not over the config that the run started with.
    own = ["action=resume", f"run={quoted(run)}", f"hydra.run.dir={quoted(run)}"]
    changes = tuple(text for text in arguments if not text.startswith(("action=", "run=")))
    return [*own, "hydra.output_subdir=null"], changes


def _newest_run() -> Path | None:
    """Return the newest run where runs are written by default; its name is its time."""
    journals = Path("outputs").glob(f"*/*/{FILE_NAME}")
    with contextlib.suppress(OSError):
        return max((journal.parent for journal in journals), default=None)
    return None


def _holds_a_run(folder: Path) -> bool:
    try:
        return (folder / FILE_NAME).is_file()
    except OSError:  # A name that no disk takes.
        return False
