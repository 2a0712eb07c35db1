"""From a run plan to what is wrong between its parts: one small function per rule."""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING, Any

from hpo_app.errors import Problem, listed, near_miss


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hpo_app.plan.capacity import Capacity
    from hpo_app.plan.run_plan import RunPlan

_PARAM = re.compile(r"\$\{\s*params\.([A-Za-z_][A-Za-z0-9_]*)")
_ALL_PARAMS = re.compile(r"\$\{\s*params\s*\}")
_TRAINED = ("model", "data", "training")


def check_plan(plan: RunPlan) -> Iterator[Problem]:
    """Yield everything that is wrong between the parts of a plan, whatever the machine."""
    yield from params_without_parameter(plan)
    yield from parameters_that_nothing_uses(plan)
    yield from metric_outside_objective(plan)
    yield from population_with_model_based_searcher(plan)
    yield from population_without_mutable_parameter(plan)
    yield from population_too_small(plan)
    yield from fidelity_beyond_training(plan)
    yield from missing_packages(plan)


def check_capacity(plan: RunPlan, capacity: Capacity) -> Iterator[Problem]:
    """Yield what can never fit the machine or cluster, however long the run waits."""
    asked = plan.resources
    if asked.cpu > capacity.cpus:
        expected = f"at most {capacity.cpus:g}, the CPUs that trials can use here"
        fix = f"lower resources.cpu to {capacity.cpus:g}, or use a cluster (ray.address)"
        yield Problem("resources.cpu", f"{asked.cpu:g}", expected, fix)
    if asked.gpu > capacity.gpus:
        expected = f"at most {capacity.gpus:g}, the GPUs that trials can use here"
        fix = "set resources.gpu=0, or use a cluster (ray.address)"
        yield Problem("resources.gpu", f"{asked.gpu:g}", expected, fix)


def params_without_parameter(plan: RunPlan) -> Iterator[Problem]:
    """Yield every `${params.x}` for which the search space has no `x`."""
    for key, name in _references(plan.template):
        if name not in plan.space_entries:
            miss = near_miss(name, plan.space_entries)
            fix = f"write ${{params.{miss}}}" if miss else f"add {name} to the search space"
            expected = f"a parameter of the search space: {listed(plan.space_entries)}"
            yield Problem(key, f"${{params.{name}}}", expected, fix)


def parameters_that_nothing_uses(plan: RunPlan) -> Iterator[Problem]:
    """Yield every parameter that would be searched over without any effect."""
    if _ALL_PARAMS.search(str([plan.template.get(part) for part in _TRAINED])):
        return
    used = {name for _, name in _references(plan.template)}
    for name in plan.space_entries:
        if name not in used:
            yield Problem(
                f"search_space.{name}",
                "a parameter that nothing uses",
                f"${{params.{name}}} somewhere in model, data or training",
                f"use it there, or leave it out with ~search_space.{name}",
            )


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


def population_with_model_based_searcher(plan: RunPlan) -> Iterator[Problem]:
    """Yield PBT with a searcher that learns: members change under the searcher's feet."""
    if plan.scheduler.is_population and plan.searcher.is_model_based:
        yield Problem(
            "search_alg",
            plan.choices.get("search_alg", plan.searcher.component.target),
            "random, because population-based training changes the parameters of running trials",
            "set search_alg=random, or scheduler=asha",
        )


def population_without_mutable_parameter(plan: RunPlan) -> Iterator[Problem]:
    """Yield PBT over a space in which nothing may change while a trial trains."""
    if plan.scheduler.is_population and len(plan.space) and not plan.space.mutable:
        expected = "at least one parameter that may change while a trial trains"
        fix = "remove mutable: false from one, or set scheduler=asha"
        yield Problem("search_space", "only parameters with mutable: false", expected, fix)


def population_too_small(plan: RunPlan) -> Iterator[Problem]:
    """Yield PBT with one member, who has nobody to copy."""
    if plan.scheduler.is_population and plan.num_trials < 2:
        expected = "at least 2, because members of a population copy each other"
        yield Problem("num_trials", str(plan.num_trials), expected, "set num_trials=8")


def fidelity_beyond_training(plan: RunPlan) -> Iterator[Problem]:
    """Yield scheduler settings that no trial lives to see."""
    for word, at_most in (("max_t", 0), ("grace_period", 0), ("perturbation_interval", -1)):
        value = plan.scheduler.component.arguments.get(word)
        limit = plan.iterations + at_most
        if isinstance(value, (int, float)) and value > limit:
            expected = f"at most {limit}, because a trial has {plan.iterations} iterations"
            fix = f"set scheduler.{word}={max(limit, 1)}, or raise training.iterations"
            yield Problem(f"scheduler.{word}", f"{value:g}", expected, fix)


def missing_packages(plan: RunPlan) -> Iterator[Problem]:
    """Yield packages that a chosen part needs and this Python does not have."""
    for part in ("model", "data", "search_alg", "scheduler"):
        section = plan.template.get(part)
        needs = section.get("needs") if isinstance(section, dict) else None
        for module, install in (needs or {}).items():
            if importlib.util.find_spec(module) is None:
                choice = plan.choices.get(part, part)
                expected = f"the package {module}, which {part}={choice} needs"
                yield Problem(part, f"{module} is not installed", expected, install)


def _references(template: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for part in _TRAINED:
        yield from _walk(part, template.get(part))


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
