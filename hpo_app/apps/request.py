"""From the options of a sweep to the config that our own command line would have composed."""

from __future__ import annotations

import contextlib
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import JobRuntime
from omegaconf import OmegaConf, open_dict

from hpo_app.apps.override_text import override_text
from hpo_app.config.compose import Origin, compose_config
from hpo_app.config.diagnose import COMPOSITION_ERRORS, diagnose
from hpo_app.config.overrides import read_override
from hpo_app.config.resolvers import literal
from hpo_app.config.stored import CHANGEABLE, stored_config
from hpo_app.config.typed_secrets import typed_secrets
from hpo_app.errors import PlanError, Problem, RunFolderError
from hpo_app.study.folder import refuse_altered_config, refuse_links
from hpo_app.study.journal import FILE_NAME
from hpo_app.study.replay import stored_changes


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from omegaconf import DictConfig

    from hpo_app.apps.grammar import Sweep

_SAID_IN = "hydra.sweeper"
_GROUPS = ("preset", "search_alg", "scheduler", "tracker")
_NOT_SETTINGS = ("metric", "mode", "iterations", "resume", "params", "more", *_GROUPS)
# What stands in their place is read from the command line of the app.
_BASE = ("search_space=quadratic", "model=hydra_app")
# Of Hydra's own overrides, those that say where and how a search runs, and nothing of its jobs.
_NOT_FOR_JOBS = ("hydra.sweeper", "hydra.mode", "hydra.sweep.dir")
# What decides the trials of a run, and has to be typed again as it was.
_DECIDING = (
    "search_space", "model.overrides", "model.keys", "model.config_name", "objective",
    "objectives", "constraints", "training", "search_alg", "scheduler", "seed", "prior_trials",
    "repeat_duplicates",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What Hydra hands to a sweeper.

    Attributes:
        task: The app's task function.
        context: With the app's config loader.
        config: The app's config with its `hydra` node.
        options: What stands under `hydra.sweeper`.
        arguments: The overrides of the command line, without Hydra's own.
    """

    task: Callable[..., Any]
    context: Any
    config: DictConfig
    options: dict[str, Any]
    arguments: tuple[str, ...]

    @property
    def texts(self) -> list[str]:
        """The overrides of a config file (`hydra.sweeper.params`), and those that were typed."""
        params = self.options.get("params") or {}
        return [*(f"{key}={value}" for key, value in params.items()), *self.arguments]

    @property
    def resumed(self) -> Path | None:
        """The folder of the run to go on with, or None."""
        named = self.options.get("resume")
        return Path(named) if named else None

    @property
    def app(self) -> str:
        """The app's file, or the module where it was started as one."""
        function = inspect.unwrap(self.task)
        main = sys.modules["__main__"]
        if function.__module__ != "__main__":
            return str(function.__module__)
        if getattr(main, "__spec__", None) is not None:
            return str(main.__spec__.name)  # type: ignore[union-attr]
        return str(Path(inspect.getfile(function)).absolute())

    @property
    def fixed_for_hydra(self) -> list[str]:
        """Overrides of Hydra's own that each job gets."""
        texts = [str(text) for text in self.config.hydra.overrides.hydra]
        return [text for text in texts if not read_override(text).key.startswith(_NOT_FOR_JOBS)]


def compose_asked(asked: Asked, sweep: Sweep) -> tuple[DictConfig, Origin]:
    """Return the config of a search, and where its values came from.

    Raises:
        PlanError: With what is wrong with the options, or a secret that was typed.
    """
    secrets = typed_secrets(read_override(text) for text in asked.texts)
    if secrets:
        raise PlanError(secrets)
    said = list(_said(asked))
    try:
        with _app_set_aside():
            config, origin = compose_config([*_BASE, *said])
    except COMPOSITION_ERRORS as error:
        raise diagnose(said, error, None) from error
    flags = get_args_parser().parse_known_args()[0]
    with open_dict(config):
        config.search_space = literal(sweep.space)
        config.training.iterations = asked.options["iterations"]
        model: Any = OmegaConf.to_container(config.model, resolve=False)
        config.model = {
            **model,
            "app": asked.app,
            "overrides": literal([*asked.fixed_for_hydra, *sweep.fixed]),
            "keys": {name: key for name, key in sweep.keys.items() if name != key},
            "config_path": flags.config_path,
            "config_name": flags.config_name,
            "config_dir": flags.config_dir and str(Path(flags.config_dir).absolute()),
        }
        _set_objectives(config, asked.options)
    choices = {**origin.choices, "search_space": "None"}
    return config, Origin(tuple(said), choices, origin.sources, _SAID_IN)


@contextlib.contextmanager
def _app_set_aside() -> Iterator[None]:
    """Let Hydra compose something else in the middle of an app, which finds it as it was."""
    holder, name = GlobalHydra.instance(), JobRuntime.instance().get("name")
    hydra, holder.hydra = holder.hydra, None
    try:
        yield
    finally:
        holder.hydra = hydra
        GlobalHydra.set_instance(holder)
        JobRuntime.instance().set("name", name)


def _said(asked: Asked) -> Iterator[str]:
    """Yield the options as overrides of hpo_app."""
    options = asked.options
    chosen = {group: options.get(group) for group in _GROUPS if options.get(group) is not None}
    if options["iterations"] == 1 and "scheduler" not in chosen:
        # A preset's scheduler would have nothing to look at.
        chosen["scheduler"] = "fifo"
    for group, choice in chosen.items():
        yield override_text(group, _plain(choice))
    for key, value in options.items():
        if key not in _NOT_SETTINGS:
            yield from _leaves(key, _plain(value))
    yield from options.get("more") or ()


def _leaves(key: str, value: Any) -> Iterator[str]:
    if isinstance(value, dict) and key != "constraints":
        for name, item in value.items():
            yield from _leaves(f"{key}.{name}", item)
    elif value is not None:
        yield override_text(key, value)


def _plain(value: Any) -> Any:
    return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value


def _set_objectives(config: DictConfig, options: dict[str, Any]) -> None:
    metrics, modes = _plain(options["metric"]), _plain(options["mode"])
    if not isinstance(metrics, list):
        config.objective = {"metric": metrics, "mode": modes}
        return
    given = modes if isinstance(modes, list) else [modes] * len(metrics)
    if len(given) != len(metrics):
        expected = f"{len(metrics)} modes, one for each metric"
        problem = Problem("mode", str(given), expected, "write mode=[min,max]", _SAID_IN)
        raise PlanError([problem])
    pairs = zip(metrics, given, strict=True)
    config.objectives = [{"metric": metric, "mode": mode} for metric, mode in pairs]
    config.objective = {"metric": metrics[0], "mode": given[0]}
    config.model.returns = metrics


def go_on_with(
    folder: Path, asked: Asked, now: DictConfig
) -> tuple[tuple[DictConfig, Origin], tuple[str, ...]]:
    """Return the config of an earlier run with changes on top, where it came from, and the changes.

    What reaches the app stands on the command line again, and has to be what it was: so a folder
    from elsewhere decides nothing of what is run.

    Raises:
        RunFolderError: If it is no run folder, or its config was altered.
        PlanError: If the command line differs in what decides the trials.
    """
    if not (folder / FILE_NAME).is_file():
        expected = f"a run folder, which holds a {FILE_NAME}"
        fix = "name one, for example hydra.sweeper.resume=multirun/DATE/TIME"
        raise RunFolderError([Problem("hydra.sweeper.resume", str(folder), expected, fix)])
    refuse_links(folder)
    refuse_altered_config(folder)
    texts = _said(asked)
    changes = tuple(text for text in texts if read_override(text).root in CHANGEABLE)
    stored, origin = stored_config(folder, changes, stored_changes(folder))
    problems = [problem for key in _DECIDING for problem in _differing(key, stored, now)]
    if Path(str(stored.model.get("app"))).name != Path(asked.app).name:
        expected = f"{stored.model.get('app')}, with which the run was started"
        problems.append(Problem("app", asked.app, expected, "start that app"))
    if problems:
        raise PlanError(problems)
    with open_dict(stored):
        stored.model = now.model
    return (stored, Origin((*origin.overrides,), origin.choices, origin.sources, _SAID_IN)), changes


def _differing(key: str, stored: DictConfig, now: DictConfig) -> Iterator[Problem]:
    before, typed = _at(stored, key), _at(now, key)
    if before != typed:
        expected = f"{before}, with which the run was started: its trials could not be compared"
        fix = "type the command as it was, with hydra.sweeper.resume added"
        yield Problem(key, str(typed), expected, fix, "command line")


def _at(config: DictConfig, key: str) -> Any:
    node: Any = OmegaConf.to_container(config, resolve=False)
    for part in key.split("."):
        node = node.get(part) if isinstance(node, dict) else None
    return node
