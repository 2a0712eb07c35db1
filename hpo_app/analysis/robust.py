"""From a handful of scores to what they are worth: interquartile mean, interval, probability.

Few seeds and values far off are the rule in reinforcement learning. The interquartile mean does not
follow the one seed that failed or was lucky, and moves less than a median does.

Sources:
    Agarwal et al. (2021), "Deep Reinforcement Learning at the Edge of the Statistical Precipice":
    interquartile mean, probability of improvement.
    Tukey and McLaughlin (1963): the standard error of a trimmed mean. Yuen (1974): the difference
    of two. Wilks (1941), "Determination of sample sizes for setting tolerance limits": how many
    further values may lie beyond the last one of a few.
"""

from __future__ import annotations

import functools
import math
import statistics
from typing import TYPE_CHECKING, NamedTuple


if TYPE_CHECKING:
    from collections.abc import Sequence

LEVEL = 0.95
# Fewer values than this have no quarter to leave out, and no spread to speak of.
FEWEST = 3


class Interval(NamedTuple):
    """Where a value lies, at a level of `LEVEL`."""

    low: float
    high: float


def interquartile_mean(values: Sequence[float]) -> float:
    """Return the mean without the lowest and the highest quarter, whole values of each."""
    cut = len(values) // 4
    middle = sorted(values)[cut : len(values) - cut]
    # Not fmean, which raises OverflowError where this gives infinity.
    return sum(middle) / len(middle)


def interval_of(values: Sequence[float]) -> Interval | None:
    """Return the interval of an interquartile mean by Student's t; None for too few values."""
    if len(values) < FEWEST:
        return None
    error, degrees = _error(values)
    return _around(interquartile_mean(values), error, degrees)


def interval_of_difference(values: Sequence[float], others: Sequence[float]) -> Interval | None:
    """Return the interval of the difference of two interquartile means; None for too few values."""
    if min(len(values), len(others)) < FEWEST:
        return None
    pairs = [_error(each) for each in (values, others)]
    error = math.hypot(*(error for error, _ in pairs))
    difference = interquartile_mean(values) - interquartile_mean(others)
    if error == 0.0 or not math.isfinite(error):
        return _around(difference, error, 1)
    # Welch's degrees of freedom, rounded down.
    below = sum((part / error) ** 4 / degrees for part, degrees in pairs)
    return _around(difference, error, max(int(1.0 / below + 1e-9), 1))


def probability_of_improvement(values: Sequence[float], others: Sequence[float]) -> float:
    """Return how often one of `values` is higher than one of `others`; a tie counts half."""
    wins = sum((value > other) + 0.5 * (value == other) for value in values for other in others)
    return wins / (len(values) * len(others))


def most_worse(count: int) -> float:
    """Return how large a share of further values may be worse than the worst of `count`.

    If the share were larger, `count` values without any of them would be rarer than 1 - `LEVEL`.
    It holds for values of any distribution, also where they fall into two heaps.
    """
    return 1.0 - math.pow(1.0 - LEVEL, 1.0 / count)


@functools.cache
def student_quantile(degrees: int, level: float = LEVEL) -> float:
    """Return the two-sided quantile of Student's t.

    Args:
        degrees: Degrees of freedom, at least 1.
        level: Probability of lying within plus and minus the quantile, above 0 and below 1.

    Source:
        Abramowitz and Stegun (1964), 26.7.3 and 26.7.4.
    """
    low, high = 0.0, 1.0
    while _within(high, degrees) < level:
        high *= 2.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < level else (low, middle)
    return high


def _within(quantile: float, degrees: int) -> float:
    angle = math.atan2(quantile, math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    is_odd = degrees % 2
    term = cosine if is_odd else 1.0
    total = 0.0
    for step in range(1 + is_odd, degrees, 2):
        total += term
        term *= step / (step + 1) * cosine**2
    return 2 / math.pi * (angle + sine * total) if is_odd else sine * total


def _error(values: Sequence[float]) -> tuple[float, int]:
    """Return the standard error of an interquartile mean, and its degrees of freedom."""
    count = len(values)
    cut = count // 4
    ordered = sorted(values)
    least, most = ordered[cut], ordered[-1 - cut]
    pulled_in = [min(max(value, least), most) for value in values]
    spread = deviation(pulled_in)
    kept = count - 2 * cut
    return spread * math.sqrt((count - 1) / (kept * (kept - 1))), kept - 1


def deviation(values: Sequence[float]) -> float:
    """Return the standard deviation of two or more values; infinity where it cannot be computed."""
    if not all(math.isfinite(value) for value in values):
        return math.inf
    try:
        return statistics.stdev(values)
    except OverflowError:
        return math.inf


def _around(middle: float, error: float, degrees: int) -> Interval | None:
    half = student_quantile(degrees) * error
    return Interval(middle - half, middle + half) if math.isfinite(half) else None
