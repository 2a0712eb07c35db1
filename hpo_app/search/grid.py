"""Every combination of a few values of each parameter, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.plan.configurations import configurations
from hpo_app.plan.grid import grid_size, grid_values
from hpo_app.search.engine import Exhausted
from hpo_app.search.tried import key_of


if TYPE_CHECKING:
    from collections.abc import Iterator

    from hpo_app.plan.search_space import Params, SearchSpace
    from hpo_app.search.engine import Outcome
    from hpo_app.study.earlier import EarlierTrial


class GridSearch:
    """A grid over the search space; the last parameter changes fastest.

    Optuna's own samplers for grids end a study from inside, which its ask-and-tell interface
    refuses, and draw the order at random.
    """

    def __init__(self, *, points: int = 5) -> None:
        self.points = points
        self._left: Iterator[Params] = iter(())
        self._imposed: set[str] = set()
        self._size = 0

    def over(self, space: SearchSpace) -> GridSearch:
        """Take the space; returns itself."""
        values = {name: grid_values(space[name], self.points) for name in space}
        self._left = configurations(space, values)
        self._size = grid_size(space, self.points)
        return self

    def propose(self, number: int) -> Params:  # noqa: ARG002 - the interface's
        """Return the next combination that nobody imposed before.

        Raises:
            Exhausted: After the last one.
        """
        for params in self._left:
            if key_of(params) not in self._imposed:
                return params
        raise Exhausted(f"all {self._size} configurations of the grid were tried")

    def impose(self, number: int, params: Params) -> None:  # noqa: ARG002 - the interface's
        """Leave these values out of the grid: they are tried already."""
        self._imposed.add(key_of(params))

    def withdraw(self, number: int) -> None:
        """Do nothing: a grid does not come back to what it proposed."""

    def tell(self, number: int, outcome: Outcome) -> str:  # noqa: ARG002 - the interface's
        """Do nothing: a grid does not look at results."""
        return "NOTED"

    def learn(self, trial: EarlierTrial) -> None:
        """Do nothing: a grid does not look at results."""
