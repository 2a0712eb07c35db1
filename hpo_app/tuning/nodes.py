"""From nodes that join and leave a cluster to a run that grows and shrinks with it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ray
from ray.tune import Callback

from hpo_app.analysis.wording import counted
from hpo_app.errors import first_of
from hpo_app.tuning.session import capacity_of


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hpo_app.plan.capacity import Capacity
    from hpo_app.plan.run_plan import RunPlan

_LOOK_S = 2.0
_MOST_NAMED = 4


class NodeWatch(Callback):
    """Looks which nodes a cluster has, and says what they offer to trials."""

    def __init__(
        self,
        plan: RunPlan,
        capacity: Capacity,
        resize: Callable[[Capacity], None],
        notice: Callable[[str], None],
    ) -> None:
        """Look after the nodes of a run.

        Args:
            plan: The plan.
            capacity: What the cluster offers as the run starts.
            resize: Told what it offers, whenever that has changed.
            notice: Told which nodes have come and gone.
        """
        self._plan = plan
        self._capacity = capacity
        self._resize = resize
        self._notice = notice
        self._nodes = _alive()
        self._look_at = time.monotonic() + _LOOK_S

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Look again, every few seconds."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_S
        nodes = _alive()
        if nodes.keys() != self._nodes.keys():
            self._change(nodes)

    def _change(self, nodes: dict[str, dict[str, Any]]) -> None:
        lost = [node for key, node in self._nodes.items() if key not in nodes]
        new = [node for key, node in nodes.items() if key not in self._nodes]
        self._nodes = nodes
        self._capacity = replace(capacity_of(list(nodes.values())), share=self._capacity.share)
        self._resize(self._capacity)
        slots = self._capacity.slots(self._plan.resources)
        told = [f"{_named(lost)} left the cluster"] if lost else []
        told += [f"{_named(new)} joined the cluster"] if new else []
        self._notice(f"{' and '.join(told)}: room for {counted(slots, 'trial')} at once")


def _alive() -> dict[str, dict[str, Any]]:
    return {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}


def name_of_node(node: dict[str, Any]) -> str:
    """Return what a person calls a node that Ray lists: the name it was given, else its host's."""
    given = str(node["NodeName"])
    return str(node["NodeManagerHostname"]) if given == node["NodeManagerAddress"] else given


def _named(nodes: Iterable[dict[str, Any]]) -> str:
    return ", ".join(first_of([name_of_node(node) for node in nodes], _MOST_NAMED))
