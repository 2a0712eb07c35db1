"""From criteria to the fields of a journal's first event, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpo_app.plan.criteria import Constraint, Criteria
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.plan.search_space import is_number


if TYPE_CHECKING:
    from collections.abc import Mapping

_BOUNDS = {"min", "max"}
_MODES = tuple(mode.value for mode in Mode)


def criteria_fields(criteria: Criteria) -> dict[str, Any]:
    """Return plain values: the first objective, and where there are some, all and constraints."""
    first = criteria.objective
    fields: dict[str, Any] = {"metric": first.metric, "mode": first.mode.value}
    if criteria.has_several:
        fields["objectives"] = objective_fields(criteria.objectives)
    if criteria.constraints:
        fields["constraints"] = constraint_fields(criteria.constraints)
    if criteria.averaged > 1:
        fields["averaged"] = criteria.averaged
    return fields


def objective_fields(objectives: tuple[Objective, ...]) -> list[dict[str, str]]:
    """Return objectives as a config has them: `[{metric: …, mode: …}]`."""
    return [{"metric": each.metric, "mode": each.mode.value} for each in objectives]


def constraint_fields(constraints: tuple[Constraint, ...]) -> dict[str, dict[str, float]]:
    """Return constraints as a config has them: `{metric: {min: …, max: …}}`."""
    return {
        constraint.metric: {
            bound: value
            for bound, value in (("min", constraint.min), ("max", constraint.max))
            if value is not None
        }
        for constraint in constraints
    }


def criteria_from(fields: Mapping[str, Any]) -> Criteria:
    """Return what `criteria_fields` was made of."""
    constraints = tuple(
        Constraint(metric, bounds.get("min"), bounds.get("max"))
        for metric, bounds in fields.get("constraints", {}).items()
    )
    named = fields.get("objectives") or [fields]
    objectives = tuple(Objective(each["metric"], Mode(each["mode"])) for each in named)
    return Criteria(objectives, constraints, fields.get("averaged", 1))


def are_objectives(value: Any) -> bool:
    """Return whether a field holds objectives as `objective_fields` writes them."""
    if not isinstance(value, list) or not value:
        return False
    return all(
        isinstance(each, dict)
        and each.keys() == {"metric", "mode"}
        and isinstance(each["metric"], str)
        and each["mode"] in _MODES
        for each in value
    )


def are_constraints(value: Any) -> bool:
    """Return whether a field holds constraints as `constraint_fields` writes them."""
    if not isinstance(value, dict):
        return False
    return all(
        isinstance(bounds, dict)
        and bool(bounds)
        and bounds.keys() <= _BOUNDS
        and all(map(is_number, bounds.values()))
        for bounds in value.values()
    )
