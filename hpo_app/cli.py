"""From argv to an exit code: Hydra composes, an action runs, mistakes become messages."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import math
import os
import sys
import sysconfig
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra

from hpo_app.actions.command import Command, Outcome
from hpo_app.actions.environment import version_line
from hpo_app.actions.sweep_lines import console_of_sweep
from hpo_app.actions.typed import resume_command, typed
from hpo_app.config.arguments import named_folder, read_arguments
from hpo_app.config.build import COMPONENTS
from hpo_app.config.compose import (
    CONFIG_NAME,
    compose_config,
    conf_dir,
    hydra_env_set,
    hydra_folder,
    hydra_origin,
)
from hpo_app.config.diagnose import COMPOSITION_ERRORS, diagnose
from hpo_app.config.overrides import overrides_in
from hpo_app.config.parse import parse_plan
from hpo_app.config.reading import parse_reading
from hpo_app.config.resolvers import register_resolvers
from hpo_app.config.secrets import hide_secrets, set_for_the_job
from hpo_app.config.settings import parse_settings
from hpo_app.config.stored import stored_config
from hpo_app.errors import (
    EXIT_COMPLETE,
    EXIT_INTERRUPTED,
    EXIT_UNEXPECTED,
    HpoError,
    PlanError,
    Problem,
    RunFolderError,
    listed,
    near_miss,
)
from hpo_app.redaction import guard_output
from hpo_app.report.format import plain
from hpo_app.signals import Signals
from hpo_app.study.disk import is_disk_error, storage_error
from hpo_app.study.folder import is_worth_keeping, refuse_altered_config, remove_unused
from hpo_app.study.journal import FILE_NAME
from hpo_app.study.lock import claimed
from hpo_app.study.replay import stored_changes
from hpo_app.sweeps.plugins import CALLBACK, NO_RESULT, register_launchers, without_results
from hpo_app.sweeps.sweep import Sweep, sweeping


if TYPE_CHECKING:
    from collections.abc import Callable

    from omegaconf import DictConfig

    from hpo_app.config.compose import Origin

# Each is a module of hpo_app.actions, imported when it is asked for: Ray alone costs a second.
ACTIONS = ("optimize", "plan", "resume", "train", "report", "list", "export")
_NO_FOLDER = (FileNotFoundError, FileExistsError, NotADirectoryError)
_NOTHING_DONE = "interrupted before the first trial"


def main(signals: Signals | None = None) -> int:
    """Run the command line and return the exit code.

    Args:
        signals: What this process is told; None if nobody holds its signals.
    """
    if "--version" in sys.argv[1:]:
        sys.stdout.write(f"{version_line()}\n")
        return EXIT_COMPLETE
    guard_output()
    register_resolvers()
    signals = signals or Signals()
    try:
        sys.argv[1:], changes, resumed = read_arguments(sys.argv[1:])
        sweep = Sweep(signals, sys.argv[1:], changes, resumed)
    except HpoError as error:
        return _say(error)
    register_launchers()
    if "--resolve" in sys.argv:
        _hide_what_hydra_shows()
    try:
        with sweeping(sweep), claimed(named_folder(sys.argv[1:])) as note:
            sys.stderr.write(f"{note}\n" if note else "")
            _call_hydra(_task(sweep))
    except (HpoError, *COMPOSITION_ERRORS) as error:
        return _say(_explain(error))
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else EXIT_COMPLETE
    return signals.exit_code or max(sweep.codes, default=EXIT_COMPLETE)


def _task(sweep: Sweep) -> Callable[[], None]:
    """Return what Hydra is to run: once, or once for each search of a sweep."""
    signals = sweep.signals

    @hydra.main(
        config_path=str(conf_dir()),
        config_name=CONFIG_NAME,
        execution_whitelist=(*COMPONENTS, CALLBACK),
    )
    def run(config: DictConfig) -> float:
        outcome = _run_action(config, sweep)
        sweep.codes.append(outcome.exit_code)
        if signals.number is not None or signals.must_leave:
            raise SystemExit(outcome.exit_code)  # Of several runs, no further one is started.
        # Sweepers take what is no number for a failure of their own.
        return math.nan if outcome.value is None else outcome.value

    def hydra_or_no_result() -> None:
        try:
            run()
        except ValueError as error:
            if sweep.record is None or NO_RESULT not in str(error):
                raise
            raise without_results(error) from error

    return hydra_or_no_result


def _call_hydra(run: Any) -> None:
    # With this set, Hydra hands its errors to us instead of printing them and leaving with 1.
    before = os.environ.get("HYDRA_FULL_ERROR")
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        run()
    finally:
        del os.environ["HYDRA_FULL_ERROR"]
        if before is not None:
            os.environ["HYDRA_FULL_ERROR"] = before


def _run_action(config: DictConfig, sweep: Sweep) -> Outcome:
    signals, folder = sweep.signals, hydra_folder()
    guard_output()  # Hydra has set up its log by now, and may run this in a process of its own.
    outcome = Outcome(EXIT_UNEXPECTED)
    try:
        with signals.raised():
            outcome = _action(config, folder, sweep)
    except HpoError as error:
        outcome = Outcome(_say(error), keeps_folder=is_worth_keeping(folder))
    except KeyboardInterrupt:
        outcome = Outcome(_interrupted(folder, signals), keeps_folder=is_worth_keeping(folder))
    except Exception as error:  # noqa: BLE001 - the one place that meets what nobody foresaw
        if is_disk_error(error):
            return Outcome(_say(_unwritten(error, folder)))
        traceback.print_exc()
        sys.stderr.write(f"\n{_whose(error, folder)}\n")
    if not outcome.keeps_folder:
        remove_unused(folder)
    return outcome


def _whose(error: Exception, folder: Path) -> str:
    """Return whose mistake an error is that nobody foresaw: ours, or that of a person's own code.

    A sampler of one's own runs in this process; what a training function raises fails its trial.
    """
    library = Path(sysconfig.get_path("stdlib"))
    place = ""
    is_below_ours = False
    for frame in traceback.extract_tb(error.__traceback__):
        file = Path(frame.filename)
        is_ours = file.is_relative_to(Path(__file__).parent)
        is_below_ours |= is_ours
        # A person's own site-packages, or Debian's dist-packages, are no folder of this Python's.
        is_library = file.name.startswith("<") or file.is_relative_to(library)
        is_library |= not {"site-packages", "dist-packages"}.isdisjoint(file.parts)
        if is_below_ours and not is_ours and not is_library:
            place = f"{frame.name} in {file}, line {frame.lineno}"
    if not place:
        report = f"Please report it with the lines above and the folder {folder}"
        return f"This is a mistake in hpo_app, not yours. {report}"
    has_begun = (folder / FILE_NAME).exists()
    then = f"go on by {resume_command(folder)}" if has_begun else "start again"
    return f"It comes out of {place}, which is no part of hpo_app. Mend it, and {then}"


def _unwritten(error: BaseException, folder: Path) -> HpoError:
    resume = f"go on with action=resume run={folder}"
    fix = resume if (folder / "journal.jsonl").exists() else "start again"
    return storage_error(folder, error, fix)


def _interrupted(folder: Path, signals: Signals) -> int:
    text = _NOTHING_DONE
    if (folder / FILE_NAME).exists():
        text = f"interrupted; go on by {resume_command(folder)}"
    elif is_worth_keeping(folder):
        text = f"interrupted; what there is stands in {folder}"
    sys.stderr.write(f"{text}\n")
    return signals.exit_code or EXIT_INTERRUPTED


def _action(config: DictConfig, folder: Path, sweep: Sweep) -> Outcome:
    name = str(config.action)
    if name not in ACTIONS:
        miss = near_miss(name, ACTIONS)
        fix = f"set action={miss}" if miss else "leave it out to search, or look at --help"
        raise PlanError([Problem("action", name, f"one of {listed(ACTIONS)}", fix)])
    if not isinstance(config.best, str | None):
        fix = "name one, for example best=outputs/DATE/TIME/best.yaml"
        raise RunFolderError([Problem("best", str(config.best), "the path of a file", fix)])
    secrets = list(set_for_the_job(hydra_env_set()))
    if secrets:
        raise PlanError(secrets)
    source: tuple[DictConfig, Origin] = (config, replace(hydra_origin(), typed=sweep.typed))
    if name == "resume":
        refuse_altered_config(folder)
        source = stored_config(folder, sweep.changes, stored_changes(folder))
    hide_secrets(source[0])
    command = Command(
        read_plan=lambda: parse_plan(*source),
        read_settings=lambda: parse_settings(*source),
        read_reading=lambda: parse_reading(*source),
        folder=folder,
        best=config.best,
        changes=sweep.changes,
        signals=sweep.signals,
        started_by=typed(sys.argv[1:]),
        events=console_of_sweep(),
    )
    module = importlib.import_module(f"hpo_app.actions.{name}")
    outcome: Outcome = module.run(command)
    return outcome


def _explain(error: Exception) -> HpoError:
    if isinstance(error, HpoError):
        return error
    # Hydra makes the run folder; what it cannot read, it says by an error of its own.
    if is_disk_error(error) or isinstance(error, _NO_FOLDER):
        return _unwritten(error, Path.cwd())
    texts, folder = _composition()
    is_sweep = any(text in sys.argv for text in ("-m", "--multirun", "hydra.mode=MULTIRUN"))
    return diagnose(texts, error, folder, is_sweep=is_sweep)


def _hide_what_hydra_shows() -> None:
    # Hydra prints a resolved config by itself, before anything of ours has seen it.
    with contextlib.suppress(*COMPOSITION_ERRORS):  # It says itself what does not compose.
        config, _ = compose_config(*_composition())
        hide_secrets(config)


def _composition() -> tuple[list[str], Path | None]:
    """Return the overrides of the command line and a person's own folder of config groups."""
    # As Hydra reads it: `--config-dir DIR`, `--config-dir=DIR` and `-cd DIR` are one.
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--config-dir", "-cd", type=Path)
    flags, others = parser.parse_known_args(sys.argv[1:])
    return [override.text for override in overrides_in(others)], flags.config_dir


def _say(error: HpoError) -> int:
    # What a file or a name holds must not steer the terminal.
    lines = str(error).split("\n")
    sys.stderr.write("".join(f"{plain(line)}\n" for line in lines))
    return error.exit_code
