"""SMAC3's multi-fidelity facade behind a pipe, by its ask and tell.

Defaults of the library throughout, budgets from one iteration to all. SMAC asks for a
configuration at a budget; one that is asked for again, at a higher budget, goes on from where it
paused, as with checkpoints. Where trials report once, the facade that SMAC has for that is used,
`HyperparameterOptimizationFacade`. Handed back is SMAC's own incumbent.
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pipe
from ConfigSpace import (
    CategoricalHyperparameter,
    ConfigurationSpace,
    OrdinalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)
from smac import HyperparameterOptimizationFacade, MultiFidelityFacade, Scenario
from smac.runhistory import TrialValue


if TYPE_CHECKING:
    from smac.runhistory import TrialInfo


# One round of Hyperband's brackets, 9-3-1, 5-1 and 3 configurations at a ladder of three budgets,
# makes 22 evaluations at the cost of 7.7 full trials.
_EVALUATIONS_PER_FULL_TRIAL = 3


class Smac:
    """The facade.

    Args:
        method: `smac`; there is but one.
        space: Entries by name, as in our YAML.
        iterations: Reports of a full trial.
        full_trials: What the run can pay; SMAC draws a quarter of its evaluations at random first.
        seed: Of everything that draws.
    """

    def __init__(
        self,
        method: str,  # noqa: ARG002 - the start of every tuner names one
        space: dict[str, dict[str, Any]],
        iterations: int,
        full_trials: int,
        seed: int,
    ) -> None:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - from which the library may draw
        domains = ConfigurationSpace(seed=seed)
        domains.add([domain(name, entry) for name, entry in space.items()])
        self._folder = tempfile.TemporaryDirectory()
        budgets = {} if iterations == 1 else {"min_budget": 1, "max_budget": iterations}
        scenario = Scenario(
            domains,
            n_trials=full_trials * (_EVALUATIONS_PER_FULL_TRIAL if budgets else 1),
            deterministic=True,
            seed=seed,
            output_directory=Path(self._folder.name),
            **budgets,
        )
        facade = MultiFidelityFacade if budgets else HyperparameterOptimizationFacade
        self._smac = facade(scenario, trained_elsewhere, overwrite=True)
        self._iterations = iterations
        self._numbers: dict[Any, int] = {}
        self._asked: dict[int, TrialInfo] = {}

    def next(self) -> dict[str, Any]:
        """Return what SMAC asks for."""
        try:
            asked = self._smac.ask()
        except StopIteration:
            return {}
        number = self._numbers.setdefault(asked.config, len(self._numbers))
        is_new = number == len(self._asked)
        self._asked[number] = asked
        if not is_new:
            return {"trial": number}
        sent = {
            name: getattr(value, "item", lambda v=value: v)()
            for name, value in dict(asked.config).items()
        }
        return {"trial": number, "params": sent}

    def report(self, trial: int, iteration: int, loss: float) -> str:
        """Tell a result when its budget is reached."""
        asked = self._asked[trial]
        if iteration < self._reach(asked):
            return "CONTINUE"
        self._smac.tell(asked, TrialValue(cost=loss), save=False)
        return "PAUSE"

    def _reach(self, asked: TrialInfo) -> int:
        """Return at which iteration a budget is reached: SMAC's are fractions."""
        return min(max(round(asked.budget or self._iterations), 1), self._iterations)

    def end(self, trial: int, *, is_whole: bool) -> None:
        """Nothing to tell: SMAC heard of the result."""

    def incumbent(self) -> int | None:
        """Return the trial of SMAC's incumbent."""
        found = self._smac.intensifier.get_incumbent()
        return None if found is None else self._numbers[found]


def trained_elsewhere(config: Any, seed: int = 0, budget: float = 0) -> float:
    """Stand for the training function that SMAC wants and that asking and telling never calls."""
    raise NotImplementedError


def domain(name: str, entry: dict[str, Any]) -> Any:
    """Return the library's hyperparameter for an entry of the space; values by their index."""
    kind = entry["type"]
    if kind == "choice":
        return CategoricalHyperparameter(name, list(range(len(entry["values"]))))
    if kind == "ordinal":
        return OrdinalHyperparameter(name, list(range(len(entry["values"]))))
    make = UniformIntegerHyperparameter if kind.endswith("randint") else UniformFloatHyperparameter
    return make(name, entry["low"], entry["high"], log=kind.startswith("log"))


if __name__ == "__main__":
    pipe.serve(Smac)
