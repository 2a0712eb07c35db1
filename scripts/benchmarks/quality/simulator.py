"""Asynchronous workers in simulated time: real searchers and schedulers, no waiting.

A worker takes a trial, and its reports become visible one by one, each when the time of its
iteration has passed. Whoever decides sees a report at that moment and never before.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol


if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpo_app.plan.search_space import Params
    from quality.tasks import Task

CONTINUE, PAUSE, STOP = "CONTINUE", "PAUSE", "STOP"


@dataclass(eq=False)  # Schedulers keep trials as keys.
class SimulatedTrial:
    """A trial as a method sees it.

    Attributes:
        number: From 0, in the order in which trials were proposed.
        params: Its configuration.
        reports: Losses seen so far, by iteration.
        is_over: Whether it ended.
    """

    number: int
    params: Params
    reports: list[float] = field(default_factory=list)
    is_over: bool = False

    @property
    def trial_id(self) -> str:
        """Its name where a scheduler wants one."""
        return f"{self.number:06d}"


class Method(Protocol):
    """A tuner: what to train next, and what to do at each report."""

    def next_trial(self) -> SimulatedTrial | None:
        """Return a new trial, one that paused to go on with, or None to leave a worker idle."""

    def on_report(self, trial: SimulatedTrial, iteration: int, loss: float) -> str:
        """Return CONTINUE, PAUSE or STOP; a paused trial keeps what it learnt, at no cost."""

    def on_end(self, trial: SimulatedTrial, *, is_whole: bool) -> None:
        """Hear that a trial ended, by itself or because it was stopped."""

    def incumbent(self) -> Params | None:
        """Return the configuration that this tool would hand back now."""


@dataclass
class Outcome:
    """What a simulated run came to.

    Attributes:
        incumbents: What the tool would have handed back at each of the budgets.
        trials: All trials, by number.
    """

    incumbents: list[Params | None]
    trials: list[SimulatedTrial]


def simulate(
    method: Method, task: Task, *, workers: int, budgets: Sequence[float], seed: int
) -> Outcome:
    """Run a method until the last budget is used up.

    Args:
        method: The tuner.
        task: What it searches.
        workers: How many trials train at once.
        budgets: Moments to ask for the incumbent, in mean full trials per worker, ascending.
        seed: Of the run; decides which seed each trial trains with.
    """
    moments = [budget * task.frozen[2] for budget in budgets]
    incumbents: list[Params | None] = []
    clock = _Clock(method, task, workers, seed)
    while (due := clock.next_due()) is not None and len(incumbents) < len(moments):
        # What is due at that moment is not seen yet.
        while len(incumbents) < len(moments) and moments[len(incumbents)] < due:
            incumbents.append(method.incumbent())
        if len(incumbents) < len(moments):
            clock.step()
    while len(incumbents) < len(moments):
        incumbents.append(method.incumbent())
    return Outcome(incumbents, [clock.known[number] for number in sorted(clock.known)])


class _Clock:
    """Moves from one report to the next."""

    def __init__(self, method: Method, task: Task, workers: int, seed: int) -> None:
        self._method, self._task, self._seed = method, task, seed
        self._idle, self._now = workers, 0.0
        self._events: list[tuple[float, int, SimulatedTrial]] = []
        self._order = itertools.count()
        self.known: dict[int, SimulatedTrial] = {}
        self._fill()

    def next_due(self) -> float | None:
        """Return when the next report is due; None if nobody trains."""
        return self._events[0][0] if self._events else None

    def step(self) -> None:
        """Let the next report become visible, and whoever decides decide."""
        self._now, _, trial = heapq.heappop(self._events)
        iteration = len(trial.reports) + 1
        loss = self._task.curve(trial.params, self._seed * 1009 + trial.number)[iteration - 1]
        trial.reports.append(loss)
        decision = self._method.on_report(trial, iteration, loss)
        is_whole = iteration >= self._task.iterations
        if is_whole or decision == STOP:
            trial.is_over = True
            self._method.on_end(trial, is_whole=is_whole)
        if decision == CONTINUE and not is_whole:
            self._advance(trial)
        else:
            self._idle += 1
        self._fill()

    def _fill(self) -> None:
        while self._idle and (trial := self._method.next_trial()) is not None:
            self.known[trial.number] = trial
            self._idle -= 1
            self._advance(trial)

    def _advance(self, trial: SimulatedTrial) -> None:
        cost = self._task.costs_of(trial.params)[len(trial.reports)]
        heapq.heappush(self._events, (self._now + cost, next(self._order), trial))
