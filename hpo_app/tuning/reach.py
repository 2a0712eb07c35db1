"""From the nodes of a cluster to a word on which of them cannot keep what they train."""

from __future__ import annotations

import uuid
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from hpo_app.errors import Problem, ResourceError, first_of, listed
from hpo_app.redaction import redact
from hpo_app.tuning.nodes import name_of_node
from hpo_app.tuning.session import capacity_of
from hpo_app.tuning.store import folder_of
from hpo_app.tuning.store_apart import files_at, mark, short, wipe


if TYPE_CHECKING:
    from pathlib import Path

    from hpo_app.plan.run_plan import RunPlan

# More than the start of a worker takes on a node that has much to do.
_PATIENCE_S = 60.0
_MOST_NAMED = 4


def refuse_out_of_reach(plan: RunPlan, folder: Path) -> None:
    """Raise if a node that may train cannot read and write where states are to be kept.

    Each node is asked by a task of its own, which looks for a file that this process writes, and
    answers with one.

    Args:
        plan: The plan.
        folder: The run folder.

    Raises:
        ResourceError: With the nodes, and what each of them said.
    """
    # A node stands elsewhere, and may have another home.
    place = plan.storage if "://" in plan.storage else str(folder_of(plan.storage or str(folder)))
    name = f".seen-{uuid.uuid4().hex}"
    reason = mark(place, name)
    try:
        if reason:
            raise _refused(plan, place, f"this machine cannot write there: {reason}")
        _ask(plan, place, name)
    finally:
        wipe(place, name)


def _ask(plan: RunPlan, place: str, name: str) -> None:
    here = ray.get_runtime_context().get_node_id()
    look = ray.remote(num_cpus=0, max_retries=0)(_look)
    asked = {
        look.options(scheduling_strategy=NodeAffinitySchedulingStrategy(key, soft=False)).remote(
            place, name
        ): node
        for node in ray.nodes()
        if node["Alive"]
        and (key := node["NodeID"]) != here
        and capacity_of([node]).room(plan.resources)
    }
    if not asked:
        return
    answered, _ = ray.wait(list(asked), num_returns=len(asked), timeout=_PATIENCE_S)
    said: dict[str, list[str]] = defaultdict(list)
    for task, node in asked.items():
        answer = _answer(task) if task in answered else f"no answer within {_PATIENCE_S:g} s"
        if answer:
            said[answer].append(name_of_node(node))
    if said:
        texts = [
            f"{listed(first_of(nodes, _MOST_NAMED))}: {answer}" for answer, nodes in said.items()
        ]
        raise _refused(plan, place, "; ".join(texts))


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


def _refused(plan: RunPlan, place: str, got: str) -> ResourceError:
    expected = "a place that every node reads and writes"
    fix = (
        "correct it, or what is mounted and allowed on these nodes"
        if plan.storage
        else "set storage=PATH to a folder on a file system that all nodes share, or to "
        "storage=s3://BUCKET/PREFIX"
    )
    shown = plan.storage or f"null, for the run folder {place}"
    return ResourceError([Problem("storage", redact(f"{shown}; {got}"), expected, fix)])
