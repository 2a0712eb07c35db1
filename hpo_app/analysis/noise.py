"""From a curve to its noise: how much a value moves by itself at the end of a training."""

from __future__ import annotations

import itertools
import math
import statistics
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST_REPORTS = 4


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
