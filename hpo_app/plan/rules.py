"""From a run plan to what is wrong between its parts: one small function per rule."""

from __future__ import annotations

import importlib.util
import math
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

from hpo_app.errors import Problem, listed, near_miss
from hpo_app.plan.criteria_rules import check_criteria
from hpo_app.plan.run_plan import Resources
from hpo_app.plan.search_rules import check_search
from hpo_app.plan.wording import key_of, typed
from hpo_app.redaction import hide


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hpo_app.plan.capacity import Capacity, Node
    from hpo_app.plan.run_plan import RunPlan

_PARAM = re.compile(r"\$\{\s*params\.([A-Za-z_][A-Za-z0-9_.]*)")
_ALL_PARAMS = re.compile(r"\$\{\s*params\s*\}")
_TRAINED = ("model", "data", "training")
# What our training functions read their data by, what that is, and a choice that has it.
_TABLE = ("source", "a table", "digits")
_READ_BY = {
    "hpo_app.training.models.sb3:train": ("env_id", "an environment", "cartpole"),
    "hpo_app.training.models.mlp:train": _TABLE,
    "hpo_app.training.models.gradient_boosting:train": _TABLE,
    "hpo_app.training.models.estimator:train": _TABLE,
}
READS_TABLES = tuple(name for name, read_by in _READ_BY.items() if read_by is _TABLE)


def check_plan(plan: RunPlan) -> Iterator[Problem]:
    """Yield everything that is wrong between the parts of a plan, whatever the machine."""
    yield from params_without_parameter(plan)
    yield from parameters_that_nothing_uses(plan)
    yield from data_of_another_kind(plan)
    yield from metric_outside_objective(plan)
    yield from check_search(plan)
    yield from shares_that_ray_does_not_know(plan)
    yield from cluster_through_a_client(plan)
    yield from storage_that_is_none(plan)
    yield from missing_packages(plan)
    yield from check_criteria(plan)


def check_capacity(plan: RunPlan, capacity: Capacity) -> Iterator[Problem]:
    """Yield what can never fit the machine or cluster, however long the run waits."""
    asked = plan.resources
    alone = list(_more_than_any_node_has(asked, capacity))
    yield from alone
    if not alone and not capacity.slots(asked):
        nodes = sorted({str(_offered(node, asked)) for node in capacity.nodes})
        expected = f"what fits on one node; the nodes have {' or '.join(nodes)}"
        fix = f"lower {' or '.join(f'resources.{name}' for name in _held(asked))}; more than one "
        yield Problem("resources", str(asked), expected, f"{fix}GPU has to be a whole number")


def _held(asked: Resources) -> tuple[str, ...]:
    return ("cpu", "gpu") if asked.memory_gb is None else ("cpu", "gpu", "memory_gb")


def _offered(node: Node, asked: Resources) -> Resources:
    memory_gb = None if asked.memory_gb is None else node.memory_gb
    return Resources(node.cpus, node.gpus, None, memory_gb=memory_gb)


def _more_than_any_node_has(asked: Resources, capacity: Capacity) -> Iterator[Problem]:
    if asked.cpu > capacity.cpus:
        expected = f"at most {capacity.cpus:g}, the CPUs that trials can use on one node"
        fix = f"lower resources.cpu to {capacity.cpus:g}, or use a cluster (ray.address)"
        yield Problem("resources.cpu", f"{asked.cpu:g}", expected, fix)
    if asked.gpu > capacity.gpus:
        expected = f"at most {capacity.gpus:g}, the GPUs that trials can use on one node"
        fix = "set resources.gpu=0, or use a cluster (ray.address)"
        yield Problem("resources.gpu", f"{asked.gpu:g}", expected, fix)
    if asked.memory_gb is not None and asked.memory_gb > capacity.memory_gb:
        free = f"{math.floor(10 * capacity.memory_gb) / 10:g}"
        expected = f"at most {free}, the gigabytes of memory that trials can use on one node"
        fix = f"lower resources.memory_gb to {free}, free some, or use a cluster (ray.address)"
        yield Problem("resources.memory_gb", f"{asked.memory_gb:g}", expected, fix)


def params_without_parameter(plan: RunPlan) -> Iterator[Problem]:
    """Yield every `${params.x}` for which the search space has no `x`."""
    for key, name in _references(plan):
        if name not in plan.space_entries:
            # Parameters often end alike, and to feed one from another would be a silent mistake.
            miss = near_miss(name, plan.space_entries, alike=0.8)
            fix = f"write ${{params.{miss}}}" if miss else f"set {key}=VALUE, or search over {name}"
            expected = f"a parameter of the search space: {listed(plan.space_entries)}"
            yield Problem(key, f"${{params.{name}}}", expected, fix)


def parameters_that_nothing_uses(plan: RunPlan) -> Iterator[Problem]:
    """Yield every parameter that would be searched over without any effect."""
    if _ALL_PARAMS.search(str([plan.template.get(part) for part in _TRAINED])):
        return
    used = {name for _, name in _references(plan)}
    used |= {other for others in plan.space.conditions.values() for other in others}
    for name in plan.space_entries:
        if name not in used:
            yield Problem(
                key_of("search_space", name),
                "a parameter that nothing uses",
                f"${{params.{name}}} somewhere in model, data or training",
                f"use it there, or leave it out with {typed(key_of('~search_space', name))}",
            )


def data_of_another_kind(plan: RunPlan) -> Iterator[Problem]:
    """Yield data that the training function cannot read: a table for an agent, or the reverse."""
    data, read_by = plan.template.get("data"), _READ_BY.get(plan.trainer)
    if read_by is None or not isinstance(data, dict):
        return
    key, kind, choice = read_by
    if key not in data:
        got = f"{plan.choices.get('data', 'data')}, which has no {key}"
        expected = f"{kind}, which model={plan.choices.get('model', 'model')} is trained on"
        fix = f"leave data out, or choose one with {key}, as data={choice}"
        yield Problem("data", got, expected, fix)


def metric_outside_objective(plan: RunPlan) -> Iterator[Problem]:
    """Yield metric or mode where they are not read: the winner would depend on which counts."""
    parts = {
        "search_alg": plan.searcher.component.arguments,
        "scheduler": plan.scheduler.component.arguments,
    }
    for part, arguments in parts.items():
        for word in ("metric", "mode"):
            if word in arguments:
                expected = f"{word} in objective and nowhere else"
                fix = f"set objective.{word}={arguments[word]} instead"
                yield Problem(f"{part}.{word}", str(arguments[word]), expected, fix)


def shares_that_ray_does_not_know(plan: RunPlan) -> Iterator[Problem]:
    """Yield shares of a CPU or a GPU that are finer than Ray counts them."""
    for name, share in (("cpu", plan.resources.cpu), ("gpu", plan.resources.gpu)):
        if not math.isclose(share, round(share, 4), abs_tol=1e-12):
            expected = "a number with at most four decimals, as Ray counts"
            fix = f"set resources.{name}={max(round(share, 4), 0.0001):g}"
            yield Problem(f"resources.{name}", f"{share:g}", expected, fix)


def cluster_through_a_client(plan: RunPlan) -> Iterator[Problem]:
    """Yield an address of Ray's client: Tune then sends the run itself there, journal and all."""
    if plan.cluster.address.startswith("ray://"):
        expected = "HOST:PORT of a cluster that this machine is a node of, auto, or local"
        fix = (
            "start on a node of the cluster with ray.address=auto, or make this machine one that "
            "trains nothing: `ray start --address=HOST:6379 --num-cpus=0`"
        )
        yield Problem("ray.address", plan.cluster.address, expected, fix)


def storage_that_is_none(plan: RunPlan) -> Iterator[Problem]:
    """Yield a storage that nothing can be written to, or that would write down a secret."""
    scheme, separator, place = plan.storage.partition("://")
    if not separator:
        return
    expected = "a folder, or s3://BUCKET/PREFIX"
    keys, _, bucket = place.partition("/")[0].rpartition("@")
    if keys:
        hide(keys.split(":"))  # What set it is shown too.
        fix = "leave the key out: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are read on each node"
        yield Problem("storage", f"{scheme}://…@{bucket}", expected, fix)
    elif scheme != "s3" or not bucket:
        fix = "write a folder that all nodes share, or s3://BUCKET/PREFIX"
        yield Problem("storage", plan.storage, expected, fix)


def missing_packages(plan: RunPlan) -> Iterator[Problem]:
    """Yield packages that a chosen part needs and this Python does not have."""
    for part, section in _parts(plan):
        needs = section.get("needs") if isinstance(section, dict) else None
        if needs is not None and not isinstance(needs, dict):
            expected = "a mapping of package to the command that installs it"
            yield Problem(f"{part}.needs", str(needs), expected, "write {package: pip install …}")
            continue
        for module, install in (needs or {}).items():
            # To look for what is inside a package would import it, whoever wrote it.
            if not str(module).isidentifier():
                expected = "the name of a package, without what is inside it"
                fix = f"write {str(module).split('.', maxsplit=1)[0]}"
                yield Problem(f"{part}.needs", str(module), expected, fix)
            elif str(module) not in sys.modules and importlib.util.find_spec(module) is None:
                choice = plan.choices.get(part, part)
                who = part.replace(".", "=") if "." in part else f"{part}={choice}"
                expected = f"the package {module}, which {who} needs"
                fix = _into_this_python(str(install))
                yield Problem(part, f"{module} is not installed", expected, fix)


def _parts(plan: RunPlan) -> Iterator[tuple[str, object]]:
    for part in ("model", "data", "search_alg", "scheduler"):
        yield part, plan.template.get(part)
    for name in plan.trackers:
        yield f"tracker.{name}", plan.template["tracker"][name]


def _into_this_python(install: str) -> str:
    # In the shell that shows this, pip alone may be that of another Python.
    command = install.removeprefix("pip ")
    return install if command == install else f"{shlex.quote(sys.executable)} -m pip {command}"


def _references(plan: RunPlan) -> Iterator[tuple[str, str]]:
    """Yield the key of each `${params.…}`, and the parameter that it reads."""
    for part in _TRAINED:
        for key, path in _walk(part, plan.template.get(part)):
            yield key, _parameter(path, plan.space_entries)


def _parameter(path: str, names: Mapping[str, Any]) -> str:
    """Return the parameter that a path leads to: its value may be a mapping, and have keys too."""
    parts = path.split(".")
    heads = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((head for head in heads if head in names), parts[0])


def _walk(key: str, node: object) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for name, child in node.items():
            yield from _walk(f"{key}.{name}", child)
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from _walk(f"{key}[{index}]", child)
    elif isinstance(node, str):
        for match in _PARAM.finditer(node):
            yield key, match.group(1)
