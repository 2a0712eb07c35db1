"""Hydra's basic launcher for searches: one after the other, each with the whole machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra._internal.core_plugins.basic_launcher import BasicLauncher
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf, open_dict

from hpo_app.config.overrides import quoted
from hpo_app.sweeps.sweep import current_sweep


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

    from hpo_app.sweeps.sweep import Job

# Hydra writes no record where an earlier start did: the run goes on with the config that it has.
_NO_RECORD = "hydra.output_subdir=null"


class OneByOne(BasicLauncher):
    """Runs searches in this process, and leaves those alone that are there from a start before."""

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra knows, and the folder of the sweep."""
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        open_sweep(config)

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the searches of one batch, in order."""
        if not starts_searches(self.config):
            return super().launch(job_overrides, initial_job_idx)
        jobs = current_sweep().jobs(
            job_overrides,
            initial_job_idx,
            folders(self.hydra_context, self.config),
        )
        if all(job.overrides == job.entry.overrides for job in jobs):
            return super().launch(job_overrides, initial_job_idx)
        returns: list[JobReturn] = []
        for job in jobs:
            if job.is_kept:
                returns.append(returned(job, job.value()))
                continue
            overrides = list(job.overrides)
            if job.goes_on:
                # With the sweeper's own: they may choose the sweeper, which Hydra lets none change.
                resumed = ["action=resume", f"run={quoted(str(job.folder))}", _NO_RECORD]
                overrides = [*job.entry.overrides, *resumed]
            returns += super().launch([overrides], job.entry.number)
        return returns


def open_sweep(config: DictConfig) -> None:
    """Take the folder of a sweep of searches before its sweeper writes a record of itself there."""
    if starts_searches(config):
        current_sweep().open(sweep_folder(config))


def starts_searches(config: DictConfig | None) -> bool:
    """Return whether the jobs of a sweep are searches, and not plans or trainings."""
    return config is not None and config.get("action") == "optimize"


def sweep_folder(config: DictConfig | None) -> Path:
    """Return the folder of a sweep."""
    assert config is not None
    return Path(str(config.hydra.sweep.dir))


def folders(
    context: HydraContext | None, config: DictConfig | None
) -> Callable[[Sequence[str], int], Path]:
    """Return what gives the run folder of a search by its overrides and number."""
    return lambda overrides, number: Path(
        sweep_folder(config),
        str(
            OmegaConf.select(sweep_config(context, config, overrides, number), "hydra.sweep.subdir")
        ),
    )


def sweep_config(
    context: HydraContext | None, config: DictConfig | None, overrides: Sequence[str], number: int
) -> DictConfig:
    """Return the composed config of one job of a sweep."""
    assert context is not None
    assert config is not None
    composed = context.config_loader.load_sweep_config(config, list(overrides))
    with open_dict(composed):
        composed.hydra.job.id = str(number)
        composed.hydra.job.num = number
    return composed


def returned(job: Job, value: Any) -> JobReturn:
    """Return what a sweeper is told of a search that ended in another process, or before."""
    return JobReturn(
        overrides=list(job.entry.overrides), status=JobStatus.COMPLETED, _return_value=value
    )
