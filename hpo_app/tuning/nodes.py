"""From nodes that join and leave a cluster to a run that grows and shrinks with it."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ray
from ray.tune import Callback

from hpo_app.analysis.wording import counted
from hpo_app.errors import first_of
from hpo_app.redaction import redact
from hpo_app.tuning.session import capacity_of


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hpo_app.plan.capacity import Capacity
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.tuning.reach import Reach

_LOOK_S = 2.0
_MOST_NAMED = 4


class NodeWatch(Callback):
    """Looks which nodes a cluster has, and says what they offer to trials."""

    def __init__(
        self,
        plan: RunPlan,
        capacity: Capacity,
        reach: Reach,
        resize: Callable[[Capacity], None],
        notice: Callable[[str], None],
    ) -> None:
        """Look after the nodes of a run.

        Args:
            plan: The plan.
            capacity: What the cluster offers as the run starts.
            reach: Asks a new node whether it reaches the place of the states.
            resize: Told what the cluster offers, whenever that has changed.
            notice: Told which nodes have come and gone, and which cannot keep what they train.
        """
        self._plan = plan
        self._capacity = capacity
        self._reach = reach
        self._resize = resize
        self._notice = notice
        self._nodes = alive_nodes()
        self._look_at = time.monotonic() + _LOOK_S

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Look again, every few seconds."""
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + _LOOK_S
        nodes = alive_nodes()
        if nodes.keys() != self._nodes.keys():
            self._change(nodes)
        self._hear()

    def on_experiment_end(self, *_: Any, **__: Any) -> None:
        """Leave nothing behind of what a node was asked and has not answered."""
        self._reach.close()

    def _hear(self) -> None:
        answers = self._reach.answers(0.0)
        for node, answer in answers:
            if answer:
                text = f"{name_of_node(node)} {answer}: what it trains fails"
                self._notice(redact(f"{text}; it needs {self._reach.place}"))
        if answers and not self._reach.silent():
            self._reach.close()

    def _change(self, nodes: dict[str, dict[str, Any]]) -> None:
        lost = [node for key, node in self._nodes.items() if key not in nodes]
        new = [node for key, node in nodes.items() if key not in self._nodes]
        self._nodes = nodes
        # One that has room for no trial, as a head without CPUs, need not reach it.
        if roomy := [node for node in new if capacity_of([node]).room(self._plan.resources)]:
            self._reach.ask(roomy)
        self._capacity = replace(capacity_of(list(nodes.values())), share=self._capacity.share)
        self._resize(self._capacity)
        slots = self._capacity.slots(self._plan.resources)
        told = [f"{_named(lost)} left the cluster"] if lost else []
        told += [f"{_named(new)} joined the cluster"] if new else []
        self._notice(f"{' and '.join(told)}: room for {counted(slots, 'trial')} at once")


def alive_nodes() -> dict[str, dict[str, Any]]:
    """Return the nodes that are there, as Ray lists them, by their identity."""
    return {node["NodeID"]: node for node in ray.nodes() if node["Alive"]}


def name_of_node(node: dict[str, Any]) -> str:
    """Return what a person calls a node that Ray lists: the name it was given, else its host's."""
    given = str(node["NodeName"])
    return str(node["NodeManagerHostname"]) if given == node["NodeManagerAddress"] else given


def _named(nodes: Iterable[dict[str, Any]]) -> str:
    return ", ".join(first_of([name_of_node(node) for node in nodes], _MOST_NAMED))
