"""From a sweep of a person's own Hydra app to one search, as the command line runs it."""

from __future__ import annotations

import importlib
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException
from omegaconf import OmegaConf

from hpo_app.api.process import process_left_as_it_was
from hpo_app.api.run_folder import new_folder, store_config
from hpo_app.apps.defaults import check_and_take_defaults
from hpo_app.apps.grammar import read_sweep
from hpo_app.apps.request import Asked, compose_asked, go_on_with
from hpo_app.config.parse import parse_plan
from hpo_app.config.reading import parse_reading
from hpo_app.config.secrets import hide_secrets
from hpo_app.config.settings import parse_settings
from hpo_app.errors import EXIT_INTERRUPTED, HpoError, PlanError, Problem
from hpo_app.redaction import guard_output
from hpo_app.report.format import plain
from hpo_app.signals import Interrupted, Signals
from hpo_app.study.folder import remove_unused
from hpo_app.study.lock import claimed


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from omegaconf import DictConfig

    from hpo_app.config.compose import Origin

_BASIC = "basic"


def sweep(
    task: Callable[..., Any],
    context: Any,
    config: DictConfig,
    options: dict[str, Any],
    arguments: Sequence[str],
) -> float | None:
    """Run the search that a command line of an app describes, and return the best value.

    Args:
        task: The app's task function.
        context: What Hydra gives its sweepers: above all, the app's config loader.
        config: The app's config with its `hydra` node.
        options: What stands under `hydra.sweeper`.
        arguments: The overrides of the command line, without Hydra's own.

    Raises:
        SystemExit: With an exit code other than 0, where trials failed, a signal came or something
            is wrong; what, is on the screen then.
    """
    guard_output()
    signals = Signals()
    code, value = 0, None
    try:
        with signals.held_where_possible(), process_left_as_it_was(print):
            outcome = _sweep(Asked(task, context, config, options, tuple(arguments)), signals)
            code, value = outcome.exit_code, outcome.value
    except HpoError as error:
        code = error.exit_code
        sys.stderr.write("".join(f"{plain(line)}\n" for line in str(error).split("\n")))
    except Interrupted:
        code = signals.exit_code or EXIT_INTERRUPTED
        sys.stderr.write("interrupted before the first trial\n")
    if signals.must_leave or signals.has_stuck_threads:
        sys.stdout.flush()
        signals.leave(code)
    if code:
        raise SystemExit(code)
    return value


def _sweep(asked: Asked, signals: Signals) -> Any:
    problems = list(_refused(asked))
    found = None
    try:
        found = read_sweep(asked.texts, asked.context.config_loader, problems)
    except HydraException as error:
        expected = "overrides in Hydra's grammar"
        problems.append(Problem("sweep", " ".join(str(error).split()), expected, "correct it"))
    if found is None or problems:
        raise PlanError(problems)
    check_and_take_defaults(found, asked.context.config_loader, asked.config)
    config, origin = compose_asked(asked, found)
    if asked.resumed is None:
        return _start(asked, (config, origin), signals)
    folder = asked.resumed.absolute()
    source, changes = go_on_with(folder, asked, config)
    with claimed(folder):
        return _run("resume", source, folder, changes, signals)


def _start(asked: Asked, source: tuple[DictConfig, Origin], signals: Signals) -> Any:
    folder = new_folder(Path(str(asked.config.hydra.sweep.dir)))
    parse_plan(*source, has_function=True)  # All that is wrong is said before anything is written.
    hide_secrets(source[0])
    with claimed(folder):
        store_config(*source, folder)
        # Where Hydra's own sweepers leave it.
        OmegaConf.save(asked.config, folder / "multirun.yaml")
        try:
            return _run("optimize", source, folder, (), signals)
        except BaseException:
            if not (folder / "journal.jsonl").exists():
                (folder / "multirun.yaml").unlink(missing_ok=True)
            remove_unused(folder)
            raise


def _run(
    action: str,
    source: tuple[DictConfig, Origin],
    folder: Path,
    changes: tuple[str, ...],
    signals: Signals,
) -> Any:
    module: Any = importlib.import_module(f"hpo_app.actions.{action}")
    command_type: Any = importlib.import_module("hpo_app.actions.command").Command
    return module.run(
        command_type(
            read_plan=lambda: parse_plan(*source, has_function=True),
            read_settings=lambda: parse_settings(*source),
            read_reading=lambda: parse_reading(*source),
            folder=folder,
            best=None,
            changes=changes,
            signals=signals,
            started_by=_typed(sys.argv),
            is_composed=True,
            again=_typed([*_without_resume(sys.argv), f"hydra.sweeper.resume={_shown(folder)}"]),
        )
    )


def _refused(asked: Asked) -> Iterator[Problem]:
    if asked.task.__module__ == "hpo_app.cli":
        expected = "a sweep over searches; hpo makes a search of an app of your own"
        fix = "leave it out: a search needs none, and hydra/sweeper=optuna searches over searches"
        yield Problem("hydra/sweeper", "hpo", expected, fix)
    launcher = asked.config.hydra.runtime.choices.get("hydra/launcher", _BASIC)
    if launcher not in (_BASIC, None):
        expected = "no launcher: trials run in warm workers of Ray's"
        fix = "leave hydra/launcher out; hydra.sweeper.ray.address names a cluster"
        yield Problem("hydra/launcher", str(launcher), expected, fix)


def _typed(arguments: Sequence[str]) -> str:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    start = ["-m", spec.name] if spec is not None else arguments[:1]
    return " ".join(["python", *map(shlex.quote, [*start, *arguments[1:]])])


def _without_resume(arguments: Sequence[str]) -> list[str]:
    return [text for text in arguments if not text.startswith("hydra.sweeper.resume=")]


def _shown(folder: Path) -> str:
    return str(folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder)
