"""From the metrics of a trial to how it is judged: what is optimised, and what it has to keep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hpo_app.plan.run_plan import Objective

# Beyond any value that a trainer reports, and far enough from the largest float for sums.
_BEYOND = 1e150
_LARGEST_EXCESS = 1e100


@dataclass(frozen=True)
class Constraint:
    """Bounds that a metric has to keep; a value on a bound keeps it.

    Attributes:
        metric: Name under which the trainer reports the number.
        min: Lowest value, or None.
        max: Highest value, or None.
    """

    metric: str
    min: float | None = None
    max: float | None = None

    def __str__(self) -> str:
        if self.min is not None and self.max is not None:
            return f"{self.metric} from {self.min:g} to {self.max:g}"
        if self.max is not None:
            return f"{self.metric} at most {self.max:g}"
        return f"{self.metric} at least {self.min:g}"

    def excesses(self, value: float) -> dict[str, float]:
        """Return `{bound: how far the value is beyond it}`, 0 or less where it keeps the bound.

        As a share of the bound, so that milliseconds and accuracies can be added; of 1 where the
        bound is 0.
        """
        beyond = {}
        if self.min is not None:
            beyond["min"] = (self.min - value) / (abs(self.min) or 1.0)
        if self.max is not None:
            beyond["max"] = (value - self.max) / (abs(self.max) or 1.0)
        return {
            bound: min(max(excess, -_LARGEST_EXCESS), _LARGEST_EXCESS)
            for bound, excess in beyond.items()
        }


@dataclass(frozen=True)
class Criteria:
    """By what the trials of a run are judged.

    Attributes:
        objectives: What is optimised; at least one.
        constraints: What a trial has to keep, or it comes behind all that do.
        averaged: Of how many of its last reports the mean is what a trial's objective is worth, for
            the search algorithm and among other trials.
    """

    objectives: tuple[Objective, ...]
    constraints: tuple[Constraint, ...] = ()
    averaged: int = 1

    @property
    def objective(self) -> Objective:
        """The first objective; the only one of most runs."""
        return self.objectives[0]

    @property
    def has_several(self) -> bool:
        """Whether there is more than one objective, so that trials have no plain order."""
        return len(self.objectives) > 1

    @property
    def of_first(self) -> Criteria:
        """The same with the first objective only."""
        return Criteria(self.objectives[:1], self.constraints, self.averaged)

    def settled(self, values: Sequence[float]) -> float:
        """Return what a trial's objective is worth, from all that it reported of it, in order."""
        last = values[-self.averaged :]
        # A plain sum: statistics.fmean raises OverflowError where this gives infinity.
        return sum(last) / len(last) if len(last) > 1 else last[0]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names that every report has to have, each once; that of the first objective first."""
        of_objectives = (objective.metric for objective in self.objectives)
        of_constraints = (constraint.metric for constraint in self.constraints)
        return tuple(dict.fromkeys([*of_objectives, *of_constraints]))

    def are_in(self, metrics: Mapping[str, float]) -> bool:
        """Return whether a report has all that it is judged by."""
        return all(name in metrics for name in self.metrics)

    def excesses(self, metrics: Mapping[str, float]) -> dict[str, float]:
        """Return how far a report is beyond each bound; 0 or less where it keeps it.

        Args:
            metrics: A report that has all metrics of the constraints.

        Returns:
            `{"metric bound": excess}`, in shares of the bounds, always with the same keys.
        """
        return {
            f"{constraint.metric} {bound}": excess
            for constraint in self.constraints
            for bound, excess in constraint.excesses(metrics[constraint.metric]).items()
        }

    def violation(self, metrics: Mapping[str, float]) -> float:
        """Return how far a report is beyond all bounds together; 0 where it keeps them all."""
        return sum(max(excess, 0.0) for excess in self.excesses(metrics).values())

    def unmet(self, metrics: Mapping[str, float]) -> tuple[Constraint, ...]:
        """Return the constraints that a report does not keep."""
        return tuple(
            constraint
            for constraint in self.constraints
            if max(constraint.excesses(metrics[constraint.metric]).values()) > 0
        )

    def judged(self, metrics: Mapping[str, float]) -> float:
        """Return one number for who compares trials by one: a scheduler.

        That is the first objective's value, in its mode. Where a constraint is not kept, it is
        worse than any such value, and the worse the further the report is beyond the bounds.

        Source:
            Deb (2000), "An efficient constraint handling method for genetic algorithms", whose
            order this is: feasible before infeasible, and these by their violation.
        """
        violation = self.violation(metrics)
        if violation > 0:
            return -self.objective.sign * _BEYOND * (1.0 + violation)
        return metrics[self.objective.metric]
