"""From a machine and what one trial holds to how many trials fit at once."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hpo_app.plan.memory import free_memory_gb


if TYPE_CHECKING:
    from collections.abc import Iterable

    from hpo_app.plan.run_plan import Cluster, Resources

# Ray counts resources in ten-thousandths; the slack keeps three times 0.3333 on one card.
_SLACK = 1e-4
_MOST = 1_000_000


class Node(NamedTuple):
    """What one machine offers to trials.

    Attributes:
        cpus: Its CPUs.
        gpus: Its GPUs.
        memory_gb: Gigabytes of memory; infinite where nobody knows.
    """

    cpus: float
    gpus: float
    memory_gb: float = math.inf

    def slots(self, resources: Resources) -> int:
        """Return how many trials fit at once."""
        by_cpu = math.floor(self.cpus / resources.cpu + _SLACK) if resources.cpu else math.inf
        asked_gb = resources.memory_gb
        by_memory = self.memory_gb / asked_gb + _SLACK if asked_gb else math.inf
        return int(min(by_cpu, _slots_by_gpu(self.gpus, resources.gpu), by_memory, _MOST))


@dataclass(frozen=True)
class Capacity:
    """What trials can hold: each has to fit on one node, and each fraction of a GPU on one card.

    Attributes:
        cpus: CPUs of the node that has most.
        gpus: GPUs of the node that has most; not always the same one.
        nodes: What each node has.
        share: How many trials may use it at once where other searches use it too; None for all.
    """

    cpus: float
    gpus: float
    nodes: tuple[Node, ...] = ()
    share: int | None = None

    def __post_init__(self) -> None:
        if not self.nodes:
            object.__setattr__(self, "nodes", (Node(self.cpus, self.gpus),))

    @classmethod
    def of_nodes(cls, nodes: Iterable[tuple[float, ...]]) -> Capacity:
        """Return what several nodes offer, given as `(cpus, gpus, memory_gb)` of each.

        The memory may be left out.
        """
        known = tuple(Node(*node) for node in nodes) or (Node(0.0, 0.0),)
        return cls(max(node.cpus for node in known), max(node.gpus for node in known), known)

    @property
    def memory_gb(self) -> float:
        """Gigabytes of memory of the node that has most."""
        return max(node.memory_gb for node in self.nodes)

    def slots(self, resources: Resources) -> int:
        """Return how many trials fit at once; 0 if not even one does."""
        limits = (self.room(resources), resources.max_concurrent_trials, self.share)
        return min(limit for limit in limits if limit is not None)

    def room(self, resources: Resources) -> int:
        """Return how many trials fit at once, were they alone and as many as one likes."""
        return sum(node.slots(resources) for node in self.nodes)


def _slots_by_gpu(gpus: float, asked: float) -> float:
    if not asked:
        return math.inf
    if asked > 1 and not float(asked).is_integer():
        return 0  # Ray shares a card among trials, but gives no trial a card and a half.
    if asked >= 1:
        return math.floor(gpus / asked + _SLACK)
    return math.floor(1 / asked + _SLACK) * math.floor(gpus)


def this_machine(cluster: Cluster) -> Capacity:
    """Return what a Ray of our own on this machine offers to trials."""
    cpus = cluster.num_cpus if cluster.num_cpus is not None else _num_cpus()
    gpus = cluster.num_gpus if cluster.num_gpus is not None else _num_gpus()
    return Capacity.of_nodes([(cpus, gpus, free_memory_gb())])


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
