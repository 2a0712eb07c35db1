"""From criteria to the fields of a journal's first event, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpo_app.plan.criteria import Constraint, Criteria
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.plan.search_space import is_number


if TYPE_CHECKING:
    from collections.abc import Mapping

_BOUNDS = {"min", "max"}


def criteria_fields(criteria: Criteria) -> dict[str, Any]:
    """Return plain values; constraints are named only where there are some."""
    first = criteria.objective
    fields: dict[str, Any] = {"metric": first.metric, "mode": first.mode.value}
    if criteria.constraints:
        fields["constraints"] = constraint_fields(criteria.constraints)
    return fields


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
    return Criteria((Objective(fields["metric"], Mode(fields["mode"])),), constraints)


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
