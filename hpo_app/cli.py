"""From argv to an exit code: Hydra composes, an action runs, mistakes become messages."""

from __future__ import annotations

import importlib
import itertools
import os
import shutil
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hydra

from hpo_app.actions.command import Command, Outcome
from hpo_app.config.arguments import split_changes
from hpo_app.config.build import COMPONENTS
from hpo_app.config.compose import CONFIG_NAME, conf_dir, hydra_folder, hydra_origin
from hpo_app.config.diagnose import COMPOSITION_ERRORS, diagnose
from hpo_app.config.parse import parse_plan
from hpo_app.config.resolvers import register_resolvers
from hpo_app.config.stored import stored_config
from hpo_app.errors import (
    EXIT_COMPLETE,
    EXIT_INTERRUPTED,
    EXIT_UNEXPECTED,
    HpoError,
    PlanError,
    Problem,
    listed,
    near_miss,
)
from hpo_app.study.replay import stored_changes


if TYPE_CHECKING:
    from omegaconf import DictConfig

# Each is a module of hpo_app.actions, imported when it is asked for: Ray alone costs a second.
ACTIONS = ("optimize", "plan", "resume", "train")


def main() -> int:
    """Run the command line and return the exit code."""
    register_resolvers()
    codes = [EXIT_COMPLETE]
    try:
        sys.argv[1:], changes = split_changes(sys.argv[1:])
    except HpoError as error:
        return _say(error)

    @hydra.main(
        config_path=str(conf_dir()), config_name=CONFIG_NAME, execution_whitelist=COMPONENTS
    )
    def run(config: DictConfig) -> float | None:
        outcome = _run_action(config, changes)
        codes.append(outcome.exit_code)
        return outcome.value

    try:
        _call_hydra(run)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except COMPOSITION_ERRORS as error:
        return _say(_explain(error))
    except SystemExit as error:
        return error.code if isinstance(error.code, int) else EXIT_COMPLETE
    return max(codes)


def _call_hydra(run: Any) -> None:
    # With this set, Hydra hands its errors to us instead of printing them and leaving with 1.
    was_set = "HYDRA_FULL_ERROR" in os.environ
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    try:
        run()
    finally:
        if not was_set:
            del os.environ["HYDRA_FULL_ERROR"]


def _run_action(config: DictConfig, changes: tuple[str, ...]) -> Outcome:
    folder = hydra_folder()
    outcome = Outcome(EXIT_UNEXPECTED)
    try:
        outcome = _action(config, folder, changes)
    except HpoError as error:
        outcome = Outcome(_say(error), keeps_folder=(folder / "journal.jsonl").exists())
    except Exception:  # noqa: BLE001 - the one place that meets what nobody foresaw
        traceback.print_exc()
        sys.stderr.write(
            "\nThis is a mistake in hpo_app, not yours. Please report it with the lines above and "
            f"the folder {folder}\n"
        )
    if not outcome.keeps_folder:
        shutil.rmtree(folder, ignore_errors=True)
    return outcome


def _action(config: DictConfig, folder: Path, changes: tuple[str, ...]) -> Outcome:
    name = str(config.action)
    if name not in ACTIONS:
        miss = near_miss(name, ACTIONS)
        fix = f"set action={miss or ACTIONS[0]}"
        raise PlanError([Problem("action", name, f"one of {listed(ACTIONS)}", fix)])
    if name == "resume":
        earlier = stored_changes(folder)
        plan = parse_plan(*stored_config(folder, [*earlier, *changes]))
    else:
        plan = parse_plan(config, hydra_origin())
    command = Command(plan, folder, config.best, changes)
    module = importlib.import_module(f"hpo_app.actions.{name}")
    outcome: Outcome = module.run(command)
    return outcome


def _explain(error: Exception) -> HpoError:
    arguments = sys.argv[1:]
    overrides = [text for text in arguments if "=" in text and not text.startswith("-")]
    config_dir = None
    for flag, value in itertools.pairwise(arguments):
        if flag in {"--config-dir", "-cd"}:
            config_dir = Path(value)
    return diagnose(overrides, error, config_dir)


def _say(error: HpoError) -> int:
    sys.stderr.write(f"{error}\n")
    return error.exit_code
