"""From the keys `objective`, `objectives` and `constraints` to what trials are judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpo_app.config.overrides import read_override
from hpo_app.config.section import UNREADABLE, Section
from hpo_app.errors import Problem, near_miss
from hpo_app.plan.criteria import Constraint, Criteria
from hpo_app.plan.run_plan import Mode, Objective


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_BOUNDS = ("min", "max")
_EXAMPLE = "objectives=[{metric: loss, mode: min}, {metric: cost, mode: min}]"


def read_criteria(
    values: Mapping[str, Any], typed: Iterable[str], problems: list[Problem]
) -> Criteria:
    """Return what trials are judged by; what is wrong with it is put on record.

    Args:
        values: The composed config, plain and resolved.
        typed: The overrides of the command line.
        problems: The record.
    """
    constraints = _constraints(values.get("constraints"), problems)
    root = Section("", values, problems)
    averaged = 1
    if root.has("average_reports"):  # Not of a run that an earlier release began.
        averaged = root.whole("average_reports", least=1, otherwise=1)
    several = values.get("objectives")
    if not several:
        section = Section("objective", values.get("objective"), problems)
        return Criteria((_objective(section, "objective", problems),), constraints, averaged)
    problems += _overruled(typed)
    return Criteria(_objectives(several, problems), constraints, averaged)


def _objective(section: Section, name: str, problems: list[Problem]) -> Objective:
    mode = section.get("mode")
    if mode not in ("min", "max"):
        meant = "min" if str(mode).lower().startswith("min") else "max"
        fix = f"set {name}.mode={meant}" if name == "objective" else f"write mode: {meant}"
        problems.append(Problem(f"{name}.mode", str(mode), "min or max", fix))
        mode = "min"
    return Objective(section.text("metric"), Mode(mode))


def _objectives(values: Any, problems: list[Problem]) -> tuple[Objective, ...]:
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        expected = "a list of mappings with metric and mode"
        problems.append(Problem("objectives", str(values), expected, f"write '{_EXAMPLE}'"))
        return (Objective(UNREADABLE, Mode.MIN),)
    objectives: list[Objective] = []
    for index, value in enumerate(values):
        name = f"objectives[{index}]"
        problems += [
            Problem(f"{name}.{key}", str(value[key]), "metric or mode", "remove it")
            for key in value
            if key not in ("metric", "mode")
        ]
        objective = _objective(Section(name, value, problems), name, problems)
        if any(objective.metric == other.metric for other in objectives):
            expected = "each metric once"
            problems.append(Problem(f"{name}.metric", objective.metric, expected, "leave it out"))
        objectives.append(objective)
    return tuple(objectives)


def _overruled(typed: Iterable[str]) -> Iterator[Problem]:
    """Yield what was typed for the one objective, which several take the place of."""
    for text in typed:
        override = read_override(text)
        if override.key.startswith("objective."):
            expected = "nothing beside objectives, which take its place"
            yield Problem(override.key, override.value, expected, "leave it out")


def _constraints(values: Any, problems: list[Problem]) -> tuple[Constraint, ...]:
    if values is None:
        return ()
    if not isinstance(values, dict):
        expected = "a mapping of metrics to bounds, or null"
        fix = "write 'constraints={METRIC: {max: 20}}'"
        problems.append(Problem("constraints", str(values), expected, fix))
        return ()
    read = (_constraint(str(metric), bounds, problems) for metric, bounds in values.items())
    return tuple(constraint for constraint in read if constraint is not None)


def _constraint(metric: str, bounds: Any, problems: list[Problem]) -> Constraint | None:
    key = f"constraints.{metric}"
    if not isinstance(bounds, dict) or not bounds:
        expected = "a lowest value min, a highest value max, or both"
        problems.append(Problem(key, str(bounds), expected, f"write +{key}.max=20"))
        return None
    count = len(problems)
    for bound in bounds:
        if bound not in _BOUNDS:
            miss = near_miss(str(bound), _BOUNDS)
            fix = f"write {miss} instead" if miss else "remove it"
            problems.append(Problem(f"{key}.{bound}", str(bounds[bound]), "min or max", fix))
    section = Section(key, bounds, problems)
    lowest, highest = (section.optional_number(bound) for bound in _BOUNDS)
    if lowest is not None and highest is not None and lowest > highest:
        expected = f"at most max={highest:g}"
        problems.append(Problem(f"{key}.min", f"{lowest:g}", expected, "swap min and max"))
    if len(problems) == count and lowest is None and highest is None:
        named = f"{key}.{next(iter(bounds))}"
        problems.append(Problem(named, "nothing", "a number", f"write +{named}=20"))
    return Constraint(metric, lowest, highest) if len(problems) == count else None
