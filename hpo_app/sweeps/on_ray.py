"""The launcher of hydra-ray-launcher for searches: several at once on one Ray that they share."""

from __future__ import annotations

import functools
import importlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hydra_plugins.hydra_ray_launcher.ray_launcher import RayLauncher
from omegaconf import OmegaConf

from hpo_app.config.overrides import quoted, read_override
from hpo_app.config.stored_sweep import flags_of_folders
from hpo_app.errors import PlanError, Problem, ResourceError
from hpo_app.plan.run_plan import Resources
from hpo_app.report.format import plain
from hpo_app.study.sweep import LOG_NAME, STOP_NAME
from hpo_app.sweeps.one_by_one import (
    folders,
    open_sweep,
    returned,
    starts_searches,
    sweep_config,
    sweep_folder,
)
from hpo_app.sweeps.sweep import current_sweep
from hpo_app.tuning.search_process import SearchProcess
from hpo_app.tuning.supervisor import StuckError


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hydra.core.utils import JobReturn
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig

    from hpo_app.plan.capacity import Capacity
    from hpo_app.sweeps.sweep import Job, Sweep

_REMOTE = "hydra.launcher.ray.remote"
_ADDRESS = "hydra.launcher.ray.init.address"
# What says how the sweep is run, and nothing of its searches.
_OF_THE_SWEEP = ("launcher", "sweeper", "sweep", "mode", "run", "callbacks", "hydra_logging")


class SearchesOnRay(RayLauncher):
    """Runs the searches of a batch on one Ray, each in a process of its own.

    The plugin's own `launch` hands all jobs to Ray at once and gives up at the first one whose
    worker dies: the others are lost, and those that run are killed. This one runs as many at once
    as there is room for, and waits for all.

    Attributes:
        at_once: How many searches run at once; None for as many as trials fit.
    """

    def __init__(self, ray: DictConfig, at_once: int | None = None) -> None:
        super().__init__(ray)
        self.at_once = at_once

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra knows, and the folder of the sweep."""
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        open_sweep(config)

    def launch(
        self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int
    ) -> Sequence[JobReturn]:
        """Run the searches of one batch, and return once all have ended.

        Raises:
            PlanError: If the jobs are no searches, or would hold what their trials need.
            ResourceError: If Ray cannot be started, or broke off.
            SystemExit: After a signal.
        """
        sweep, settings = current_sweep(), _Settings.read(self.ray_cfg, self.at_once, self.config)
        jobs = sweep.jobs(
            job_overrides,
            initial_job_idx,
            folders(self.hydra_context, self.config),
        )
        to_run = [job for job in jobs if not job.is_kept]
        if to_run:
            work = functools.partial(self._run, sweep, settings, to_run)
            try:
                sweep.codes += sweep.supervisor.run(work, _say)
            except StuckError as stuck:
                sweep.signals.must_leave = True
                # They are told by the end of their workers, and each ends in order.
                sweep.wait_for_searches()
                if sweep.signals.exit_code is not None:
                    raise SystemExit(sweep.signals.exit_code) from None
                expected = "a Ray that lasts as long as the sweep"
                fix = f"type action=resume run={sweep_folder(self.config)}"
                raise ResourceError([Problem("ray", stuck.reason, expected, fix)]) from None
        if sweep.signals.exit_code is not None:
            raise SystemExit(sweep.signals.exit_code)
        return [returned(job, job.value()) for job in jobs]

    def _run(self, sweep: Sweep, settings: _Settings, jobs: list[Job]) -> list[int]:
        root = sweep_folder(self.config).absolute()
        # Not above: Hydra knows this launcher in every process, and Ray takes a second to import.
        running = importlib.import_module("hpo_app.sweeps.running")
        capacity = running.share_ray(
            settings.init, settings.address_key, sweep.supervisor.processes, sweep.at_end
        )
        if settings.is_cluster:
            # Any node may be the one that starts a search.
            running.refuse_sweep_out_of_reach(root)
        slots = [self._slots(job, capacity) for job in jobs]
        at_once = max(1, min(len(jobs), settings.at_once or max(slots)))
        searches = {
            self._process(job, root, max(1, num // at_once)): job
            for job, num in zip(jobs, slots, strict=True)
        }
        codes: list[int] = running.run_to_the_end(
            searches, at_once, settings.remote, sweep.signals, root
        )
        return codes

    def _slots(self, job: Job, capacity: Capacity) -> int:
        """Return how many trials of a search fit, had it the whole Ray."""
        config = sweep_config(
            self.hydra_context, self.config, job.entry.overrides, job.entry.number
        )
        try:
            held = config.resources
            memory_gb = held.get("memory_gb")
            asked = Resources(
                float(held.cpu),
                float(held.gpu),
                None,
                memory_gb=None if memory_gb is None else float(memory_gb),
            )
            return capacity.slots(asked)
        except (TypeError, ValueError):
            return 1  # The search says itself what is wrong with them.

    def _process(self, job: Job, root: Path, share: int) -> SearchProcess:
        assert self.config is not None
        hydra = self.config.hydra
        arguments = list(job.overrides)
        if not job.goes_on:
            flags = flags_of_folders(current_sweep().arguments)
            arguments = [*(text for flag in flags for text in flag), *arguments]
            arguments += [text for text in hydra.overrides.hydra if _key(text) not in _OF_THE_SWEEP]
            # Of a sweep that is written down, each search names it too, and is none itself.
            arguments += [f"hydra.run.dir={quoted(str(job.folder))}", "hydra.mode=RUN"]
        return SearchProcess(
            name=plain(job.name),
            arguments=tuple(arguments),
            folder=str(job.folder.absolute()),
            place=str(Path.cwd()),
            lines=str(root / LOG_NAME),
            share=share,
            stop=str(root / STOP_NAME),
            typed=current_sweep().typed,
        )


class _Settings(NamedTuple):
    """What the config of the launcher says.

    Attributes:
        init: Keyword arguments of `ray.init`.
        remote: Options of the task that starts a search.
        at_once: How many searches run at once; None for as many as trials fit.
        address_key: By what a person says where the Ray of the sweep is.
    """

    init: Mapping[str, Any]
    remote: Mapping[str, Any]
    at_once: int | None
    address_key: str

    @property
    def is_cluster(self) -> bool:
        """Whether the Ray of the sweep is one that is there already."""
        return self.init.get("address") not in (None, "local")

    @classmethod
    def read(cls, node: DictConfig, at_once: Any, config: DictConfig | None) -> _Settings:
        init: Any = OmegaConf.to_container(node.init, resolve=True)
        remote: Any = OmegaConf.to_container(node.remote, resolve=True)
        problems = [*_holding(remote), *_at_once(at_once)]
        if not starts_searches(config):
            got = str(config.get("action")) if config is not None else ""
            fix = "leave out hydra/launcher=ray"
            problems.append(Problem("action", got, "optimize: only searches share a Ray", fix))
        if problems:
            typed = [] if config is None else list(map(str, config.hydra.overrides.hydra))
            raise PlanError([replace(each, set_by=_set_by(each.key, typed)) for each in problems])
        is_typed = config is not None and _set_by(_ADDRESS, config.hydra.overrides.hydra)
        return cls(init, remote, at_once, _ADDRESS if is_typed else "ray.address")


def _holding(remote: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what the task of a search would hold while its trials wait for it, or do twice."""
    expected = "0: a search holds nothing itself, its trials would wait for it for ever"
    for key in ("num_cpus", "num_gpus", "memory"):
        if remote.get(key, 0 if key == "memory" else None) not in (0, 0.0):
            got = str(remote.get(key, "nothing, which is 1"))
            fix = f"set {_REMOTE}.{key}=0; what a trial holds is resources.cpu and resources.gpu"
            yield Problem(f"{_REMOTE}.{key}", got, expected, fix)
    for name, amount in (remote.get("resources") or {}).items():
        if amount:
            yield Problem(f"{_REMOTE}.resources.{name}", str(amount), expected, "leave it out")
    if remote.get("max_retries") != 0:
        got = str(remote.get("max_retries", "nothing, which is 3"))
        expected = "0: a search that died would be run again in the same folder"
        fix = f"set {_REMOTE}.max_retries=0, and go on with the sweep by action=resume"
        yield Problem(f"{_REMOTE}.max_retries", got, expected, fix)


def _at_once(value: Any) -> Iterator[Problem]:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
        expected = "a whole number of at least 1, or null for as many as there is room for"
        fix = "for example hydra.launcher.at_once=2"
        yield Problem("hydra.launcher.at_once", str(value), expected, fix)


def _set_by(key: str, typed: Sequence[str]) -> str:
    known = (f"command line: {text}" for text in typed if read_override(text).key == key)
    return next(known, "")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _key(text: str) -> str:
    key = read_override(text).key.replace("/", ".").split(".")
    return key[1] if len(key) > 1 else ""
