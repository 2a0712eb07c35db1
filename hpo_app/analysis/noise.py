"""From curves, and from trainings of the same, to how much a value moves by itself."""

from __future__ import annotations

import itertools
import json
import math
import statistics
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpo_app.plan.search_space import Params

FEWEST_REPORTS = 4
# A spread of fewer values than one more than this is mostly chance.
FEWEST_DEGREES = 3


def noise_at_end(values: Sequence[float], num_reports: int = FEWEST_REPORTS) -> float | None:
    """Return the standard deviation of one value, from the last steps of a curve.

    A steady slope does not count as noise; a bend of the curve does, so that the noise of a
    training that still learns is rather overstated.

    Args:
        values: The curve, in the order of the iterations.
        num_reports: How many of its last values are looked at, at most.

    Returns:
        None if there are fewer than `FEWEST_REPORTS` values, or they are too large to subtract.

    Source:
        von Neumann et al. (1941), "The mean square successive difference".
    """
    tail = values[-num_reports:]
    if len(tail) < FEWEST_REPORTS:
        return None
    steps = [after - before for before, after in itertools.pairwise(tail)]
    if not all(math.isfinite(step) for step in steps):
        return None
    # The difference of two independent values spreads by the square root of two more.
    return statistics.stdev(steps) / 2**0.5


class Noise:
    """How much a value moves by itself, by what the trainings of a run tell of it."""

    def __init__(self) -> None:
        self._by_params: dict[str, list[float]] = {}
        self._at_ends: list[float] = []

    def add(self, params: Params, curve: Sequence[float]) -> None:
        """Take a training into account that came to its end.

        Args:
            params: Its configuration.
            curve: Its values, in the order of the iterations.
        """
        if not curve:
            return
        self._by_params.setdefault(json.dumps(params, sort_keys=True), []).append(curve[-1])
        at_end = noise_at_end(curve)
        if at_end is not None:
            self._at_ends.append(at_end)

    @property
    def between_seeds(self) -> float | None:
        """Standard deviation of one value between seeds, of all that was trained more than once.

        None with fewer than `FEWEST_DEGREES` of freedom, or for values too large to square.
        """
        several = [values for values in self._by_params.values() if len(values) > 1]
        degrees = sum(len(values) - 1 for values in several)
        if degrees < FEWEST_DEGREES:
            return None
        means = [sum(values) / len(values) for values in several]
        away = (
            value - mean for values, mean in zip(several, means, strict=True) for value in values
        )
        # No power and no variance of the library: they raise where a product gives infinity.
        spread = math.sqrt(sum(each * each for each in away) / degrees)
        return spread if math.isfinite(spread) else None

    @property
    def deviation(self) -> float | None:
        """Standard deviation of one value: between seeds where that is known, else at the ends.

        The second knows one seed each, and so is mostly the smaller one. None if neither is known.
        """
        between = self.between_seeds
        if between is not None:
            return between
        return statistics.median(self._at_ends) if self._at_ends else None
