"""From what a trial takes to what a whole search takes, counted in iterations and in seconds."""

from __future__ import annotations

import bisect
import heapq
import math
import random
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpo_app.plan.search_space import is_number


if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpo_app.plan.run_plan import RunPlan, Scheduler
    from hpo_app.plan.search_space import Params

_HALVING = ("AsyncHyperBandScheduler", "ASHAScheduler")
# The mean of so many searches is within one or two percent, and takes a fraction of a second.
_MOST_SEARCHES = 200
_MOST_TRIALS = 20_000


@dataclass(frozen=True)
class Course:
    """How much a search trains, in iterations.

    Attributes:
        longest: Iterations one after the other, on the slot that is busy longest.
        total: Iterations of all trials together.
        searches: How many simulated searches this is the mean of; 0 for what is counted.
    """

    longest: float
    total: float
    searches: int = 0


def full_course(plan: RunPlan, slots: int) -> Course:
    """Return what a search trains that stops no trial early."""
    waves = math.ceil(plan.num_trials / max(slots, 1))
    return Course(waves * plan.iterations, plan.num_trials * plan.iterations)


def confirming_trainings(plan: RunPlan, spent: float) -> int:
    """Return how many full trainings a confirmation takes at most after so many iterations."""
    confirm = plan.confirm
    if not confirm.is_on:
        return 0
    allowed = confirm.share / (1.0 - confirm.share) * spent / plan.iterations
    brought = _brought(plan)
    claimed = [params for params in brought if params != plan.space.defaults]
    beside = confirm.first_seeds * len(brought) + confirm.claim_seeds * len(claimed)
    return max(int(allowed + 1e-9) + beside, claimed_trainings(plan))


def claimed_trainings(plan: RunPlan) -> int:
    """Return how many full trainings a confirmation takes at least."""
    confirm = plan.confirm
    claim = (1 + max(len(plan.first_params), 1)) * confirm.claim_seeds
    brought = _brought(plan)
    return claim + (1 + len(brought)) * confirm.first_seeds if brought else claim


def _brought(plan: RunPlan) -> list[Params]:
    """Return the configurations that a person brings along; two files may hold the same."""
    baselines = [baseline.params for baseline in plan.baselines]
    return [params for params in plan.first_params if params in baselines]


def confirming_course(plan: RunPlan, spent: float, slots: int) -> Course:
    """Return what a confirmation trains at most after so many iterations of the search."""
    trainings = confirming_trainings(plan, spent)
    replay = int(plan.confirm.is_on and plan.confirm.has_replay)
    waves = math.ceil(trainings / max(slots, 1)) + replay
    return Course(waves * plan.iterations, (trainings + replay) * plan.iterations)


def expected_course(plan: RunPlan, slots: int) -> Course | None:
    """Return what a search trains with successive halving; None with any other scheduler.

    Searches are simulated, each slot busy as long as there are trials, over the scheduler's own
    rungs. Values are in random order: as a search algorithm learns, more trials are better than
    those before them, and fewer are stopped.

    Source:
        Li et al. (2020), "A System for Massively Parallel Hyperparameter Tuning" (ASHA), as Ray's
        AsyncHyperBandScheduler does it: a trial goes on if it is not below the quantile of those
        that came to the rung before it.
    """
    brackets = _rungs(plan.scheduler, plan.iterations)
    if brackets is None:
        return None
    count = max(1, min(_MOST_SEARCHES, _MOST_TRIALS // plan.num_trials))
    source = random.Random(0)
    found = [_simulated(plan, max(slots, 1), brackets, source) for _ in range(count)]
    longest = statistics.fmean(course.longest for course in found)
    return Course(longest, statistics.fmean(course.total for course in found), count)


class _Rung:
    """Who came to a milestone."""

    def __init__(self, at: int, factor: float) -> None:
        self.at = at
        self._quantile = 1.0 - 1.0 / factor
        self._values: list[float] = []

    def lets_through(self, value: float) -> bool:
        goes_on = not self._values or value >= self._cutoff()
        bisect.insort(self._values, value)
        return goes_on

    def _cutoff(self) -> float:
        place = self._quantile * (len(self._values) - 1)
        below = int(place)
        above = min(below + 1, len(self._values) - 1)
        share = place - below
        return (1.0 - share) * self._values[below] + share * self._values[above]


@dataclass(frozen=True)
class _Rungs:
    """The milestones of one bracket below the full length, and how often a trial gets them."""

    milestones: tuple[int, ...]
    factor: float
    weight: float


def _rungs(scheduler: Scheduler, iterations: int) -> list[_Rungs] | None:
    arguments = scheduler.component.arguments
    if scheduler.component.target.rpartition(".")[2] not in _HALVING:
        return None
    grace, factor = arguments.get("grace_period", 1), arguments.get("reduction_factor", 4)
    most, brackets = arguments.get("max_t", 100), arguments.get("brackets", 1)
    if not all(map(is_number, (grace, factor, most, brackets))) or not 0 < grace <= most:
        return None  # The scheduler itself says what it does not take.
    if factor <= 1:
        return None
    found = []
    for bracket in range(int(brackets)):
        rungs = max(int(math.log(most / grace) / math.log(factor) - bracket + 1), 0)
        points = (math.ceil(grace * factor ** (step + bracket)) for step in range(rungs))
        before_the_end = tuple(point for point in points if point < min(most, iterations))
        found.append(_Rungs(before_the_end, factor, math.exp(rungs)))
    return found


def _simulated(
    plan: RunPlan, slots: int, brackets: Sequence[_Rungs], source: random.Random
) -> Course:
    rungs = [[_Rung(at, each.factor) for at in each.milestones] for each in brackets]
    weights = [each.weight for each in brackets]
    most = plan.scheduler.component.arguments.get("max_t", 100)
    full = min(plan.iterations, math.ceil(most))
    # When a trial comes to its next rung, who of those that come together is heard first, its
    # value, and the rungs that are before it.
    coming: list[tuple[float, float, float, list[_Rung]]] = []
    left, now, total = plan.num_trials, 0.0, 0.0
    while left or coming:
        while left and len(coming) < slots:
            ahead = source.choices(rungs, weights)[0]
            first = ahead[0].at if ahead else full
            heapq.heappush(coming, (now + first, source.random(), source.random(), ahead))
            left -= 1
        now, _, value, ahead = heapq.heappop(coming)
        at = ahead[0].at if ahead else full
        if ahead and ahead[0].lets_through(value):
            upcoming = ahead[1].at if len(ahead) > 1 else full
            heapq.heappush(coming, (now + upcoming - at, source.random(), value, ahead[1:]))
        else:
            total += at
    return Course(now, total)
