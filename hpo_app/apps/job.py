"""From the overrides of a trial to one job of a Hydra app, as in a multirun of its own."""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Any

from hydra._internal.callbacks import Callbacks
from hydra._internal.hydra import Hydra
from hydra._internal.utils import (
    create_automatic_config_search_path,
    detect_calling_file_or_module_from_task_function,
    detect_task_name,
)
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import run_job, setup_globals
from hydra.types import HydraContext, RunMode
from omegaconf import open_dict

from hpo_app.apps.override_text import override_text
from hpo_app.apps.started import start_app


if TYPE_CHECKING:
    from pathlib import Path

    from hydra.core.utils import JobReturn
    from omegaconf import DictConfig

    from hpo_app.apps.started import AppName, StartedApp


class App:
    """A Hydra app with what is fixed about its jobs.

    Attributes:
        started: The app itself.
    """

    def __init__(self, name: AppName, overrides: tuple[str, ...], folder: Path | None) -> None:
        """Start the app and compose what its jobs have in common.

        Args:
            name: Where it is.
            overrides: Fixed ones, Hydra's own among them.
            folder: In which every job gets a folder, named as the app says
                (`hydra.sweep.subdir`); None for the one that the app itself says.

        Raises:
            HydraException: If its config does not compose.
        """
        self.started = start_app(name)
        setup_globals()
        self._hydra = _hydra_of(name, self.started)
        parsed = OverridesParser.create().parse_overrides(list(overrides))
        is_ours = [override.is_hydra_override() for override in parsed]
        self._fixed = [text for text, own in zip(overrides, is_ours, strict=True) if not own]
        own = [text for text, own in zip(overrides, is_ours, strict=True) if own]
        place = [override_text("hydra.sweep.dir", str(folder))] if folder else []
        self._config_name = name.config_name or self.started.config_name
        self._master = self._hydra.compose_config(
            config_name=self._config_name,
            overrides=[*own, *place, "hydra.mode=MULTIRUN", *self._fixed],
            run_mode=RunMode.MULTIRUN,
            with_log_configuration=False,
        )

    @functools.cached_property
    def _callbacks(self) -> Callbacks:
        # Made with the first job: they may write to places, and composing is no job.
        return Callbacks(self._master)

    def compose(self, sampled: list[str], number: int) -> DictConfig:
        """Return the config of one job, its `hydra` node included.

        Raises:
            HydraException: If it does not compose.
        """
        loader: Any = self._hydra.config_loader
        config: DictConfig = loader.load_sweep_config(self._master, [*self._fixed, *sampled])
        with open_dict(config):
            config.hydra.job.id = str(number)
            config.hydra.job.num = number
        return config

    def run(self, sampled: list[str], number: int) -> Any:
        """Run one job in this process, as Hydra's launchers do, and return what it returns.

        Raises:
            Exception: Whatever its task function raises.
        """
        done: JobReturn = run_job(
            hydra_context=HydraContext(
                config_loader=self._hydra.config_loader,
                callbacks=self._callbacks,
                execution_whitelist=self.started.execution_whitelist,
            ),
            task_function=self.started.task,
            config=self.compose(sampled, number),
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )
        return done.return_value


@functools.lru_cache(maxsize=1)
def warm_app(name: AppName, overrides: tuple[str, ...], folder: Path | None) -> App:
    """Return the app of this process, started at the first call."""
    return App(name, overrides, folder)


def _hydra_of(name: AppName, app: StartedApp) -> Hydra:
    file, module = detect_calling_file_or_module_from_task_function(app.task)
    config_path = name.config_path or app.config_path
    search_path = create_automatic_config_search_path(file, module, config_path)
    if name.config_dir:
        folder = f"file://{os.path.abspath(name.config_dir)}"  # noqa: PTH100 - as Hydra reads it
        search_path.prepend("command-line", folder, anchor=SearchPathQuery(provider="schema"))
    # Of one program at a time; ours, where it is one, has composed by now.
    GlobalHydra.instance().clear()
    return Hydra.create_main_hydra2(detect_task_name(file, module), search_path)
