"""From a machine and what one trial holds to how many trials fit at once."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from hpo_app.plan.run_plan import Cluster, Resources

# Ray counts resources in ten-thousandths; the slack keeps three times 0.3333 on one card.
_SLACK = 1e-4


@dataclass(frozen=True)
class Capacity:
    """What trials can hold altogether.

    Attributes:
        cpus: CPUs.
        gpus: GPUs of each node: a fraction of a GPU has to fit on one card.
    """

    cpus: float
    gpus: float

    def slots(self, resources: Resources) -> int:
        """Return how many trials fit at once; 0 if not even one does."""
        by_cpu = math.floor(self.cpus / resources.cpu + _SLACK) if resources.cpu else math.inf
        fitting = min(by_cpu, self._slots_by_gpu(resources.gpu))
        limit = resources.max_concurrent_trials
        if limit is not None:
            fitting = min(fitting, limit)
        return int(min(fitting, 1_000_000))

    def _slots_by_gpu(self, gpu: float) -> float:
        if not gpu:
            return math.inf
        if gpu >= 1:
            return math.floor(self.gpus / gpu + _SLACK)
        return math.floor(1 / gpu + _SLACK) * math.floor(self.gpus)


def this_machine(cluster: Cluster) -> Capacity:
    """Return what a Ray of our own on this machine offers to trials."""
    cpus = cluster.num_cpus if cluster.num_cpus is not None else _num_cpus()
    gpus = cluster.num_gpus if cluster.num_gpus is not None else _num_gpus()
    return Capacity(cpus, gpus)


def _num_cpus() -> int:
    # The affinity mask knows of taskset and of Slurm; the plain count does not.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _num_gpus() -> int:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return len([card for card in visible.split(",") if card.strip() not in {"", "-1"}])
    return len(list(Path("/proc/driver/nvidia/gpus").glob("*")))
