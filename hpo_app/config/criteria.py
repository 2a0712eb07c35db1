"""From the keys `objective` and `constraints` to what trials are judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpo_app.config.section import Section
from hpo_app.errors import Problem, near_miss
from hpo_app.plan.criteria import Constraint, Criteria
from hpo_app.plan.run_plan import Mode, Objective


if TYPE_CHECKING:
    from collections.abc import Mapping

_BOUNDS = ("min", "max")


def read_criteria(values: Mapping[str, Any], problems: list[Problem]) -> Criteria:
    """Return what trials are judged by; what is wrong with it is put on record.

    Args:
        values: The composed config, plain and resolved.
        problems: The record.
    """
    objective = _objective(Section("objective", values.get("objective"), problems), problems)
    return Criteria((objective,), _constraints(values.get("constraints"), problems))


def _objective(section: Section, problems: list[Problem]) -> Objective:
    mode = section.get("mode")
    if mode not in ("min", "max"):
        expected = "min or max"
        problems.append(Problem("objective.mode", str(mode), expected, "set objective.mode=max"))
        mode = "min"
    return Objective(section.text("metric"), Mode(mode))


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
