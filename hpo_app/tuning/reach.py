"""From the nodes of a cluster to a word on which of them cannot keep what they train."""

from __future__ import annotations

import uuid
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from hpo_app.errors import Problem, ResourceError, first_of, listed
from hpo_app.redaction import redact
from hpo_app.tuning.nodes import alive_nodes, name_of_node
from hpo_app.tuning.session import capacity_of
from hpo_app.tuning.store import folder_of
from hpo_app.tuning.store_apart import files_at, mark, short, wipe


if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hpo_app.plan.run_plan import RunPlan

# More than the start of a worker takes on a node that has much to do.
_PATIENCE_S = 60.0
_MOST_NAMED = 4


class Reach:
    """Asks nodes whether they read and write at a place, each by a task of its own.

    The task looks for a file that this process writes, and answers with one.

    Attributes:
        place: A folder, or s3://BUCKET/PREFIX.
    """

    def __init__(self, place: str) -> None:
        self.place = place
        self._name = f".seen-{uuid.uuid4().hex}"
        self._asked: dict[Any, dict[str, Any]] = {}

    def ask(self, nodes: Iterable[dict[str, Any]]) -> str:
        """Ask nodes other than this one; return why that cannot be done, empty if it can.

        Args:
            nodes: As Ray lists them.
        """
        here = ray.get_runtime_context().get_node_id()
        others = [node for node in nodes if node["NodeID"] != here]
        reason = mark(self.place, self._name)
        if reason or not others:
            return reason
        look = ray.remote(num_cpus=0, max_retries=0)(_look)
        for node in others:
            there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            task = look.options(scheduling_strategy=there).remote(self.place, self._name)
            self._asked[task] = node
        return ""

    def answers(self, patience_s: float) -> list[tuple[dict[str, Any], str]]:
        """Return the nodes that have answered since the last look, with what is in their way.

        Args:
            patience_s: How long to wait for all of them, in seconds.
        """
        if not self._asked:
            return []
        answered, _ = ray.wait(list(self._asked), num_returns=len(self._asked), timeout=patience_s)
        return [(self._asked.pop(task), _answer(task)) for task in answered]

    def silent(self) -> list[dict[str, Any]]:
        """Return the nodes that have not answered yet."""
        return list(self._asked.values())

    def close(self) -> None:
        """Remove what was written."""
        wipe(self.place, self._name)


def place_of_states(plan: RunPlan, folder: Path) -> str:
    """Return where the nodes of a run keep the states of trials, as they have to name it."""
    # A node stands elsewhere, and may have another home.
    return plan.storage if "://" in plan.storage else str(folder_of(plan.storage or str(folder)))


def refuse_out_of_reach(plan: RunPlan, folder: Path) -> None:
    """Raise if a node that may train cannot read and write where states are to be kept.

    Args:
        plan: The plan.
        folder: The run folder.

    Raises:
        ResourceError: With the nodes, and what each of them said.
    """
    place = place_of_states(plan, folder)
    nodes = [node for node in alive_nodes().values() if capacity_of([node]).room(plan.resources)]
    got = _out_of_reach(place, nodes)
    if got:
        fix = (
            "correct it, or what is mounted and allowed on these nodes"
            if plan.storage
            else "set storage=PATH to a folder on a file system that all nodes share, or to "
            "storage=s3://BUCKET/PREFIX"
        )
        shown = plan.storage or f"null, for the run folder {place}"
        raise _refused("storage", f"{shown}; {got}", fix)


def refuse_sweep_out_of_reach(folder: Path) -> None:
    """Raise if a node that may start a search does not see the folder of the sweep.

    Raises:
        ResourceError: With the nodes, and what each of them said.
    """
    got = _out_of_reach(str(folder), alive_nodes().values())
    if got:
        fix = "set hydra.sweep.dir=PATH to a folder on a file system that all nodes share"
        raise _refused("hydra.sweep.dir", f"{folder}; {got}", fix)


def _out_of_reach(place: str, nodes: Iterable[dict[str, Any]]) -> str:
    """Return which nodes do not reach a place, and why; empty if all do."""
    reach = Reach(place)
    try:
        if reason := reach.ask(nodes):
            return f"this machine cannot write there: {reason}"
        said: dict[str, list[str]] = defaultdict(list)
        for node, answer in reach.answers(_PATIENCE_S):
            if answer:
                said[answer].append(name_of_node(node))
        for node in reach.silent():
            said[f"no answer within {_PATIENCE_S:g} s"].append(name_of_node(node))
    finally:
        reach.close()
    return "; ".join(
        f"{listed(first_of(names, _MOST_NAMED))}: {answer}" for answer, names in said.items()
    )


def _look(place: str, name: str) -> str:
    """Return why this node cannot read and write at a place; empty if it can."""
    try:
        files, root = files_at(place)
        with files.open_input_stream(f"{root}/{name}") as file:
            file.read()
    except OSError as error:
        return f"does not see it ({short(error)})"
    reason = mark(place, f"{name}-{uuid.uuid4().hex}")
    return f"cannot write there ({reason})" if reason else ""


def _answer(task: Any) -> str:
    try:
        return str(ray.get(task))
    except ray.exceptions.RayError as error:
        lines = str(error).strip().splitlines()
        return f"cannot run a task of ours ({lines[-1]})"


def _refused(key: str, got: str, fix: str) -> ResourceError:
    expected = "a place that every node reads and writes"
    return ResourceError([Problem(key, redact(got), expected, fix)])
