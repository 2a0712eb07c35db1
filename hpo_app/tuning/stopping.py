"""From trials that ended to whether the run may end: what it was for is found, or never will be."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from hpo_app.analysis.best import settled_value
from hpo_app.analysis.failures import error_line
from hpo_app.analysis.prospect import Prospect, counts, prospect_sentence
from hpo_app.analysis.wording import number
from hpo_app.plan.run_plan import Stop
from hpo_app.study.records import TrialState
from hpo_app.tuning.attempts import kind_of


if TYPE_CHECKING:
    from collections.abc import Callable

    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.study.records import TrialRecord

# How much later than the last look the next one is, as a share of the trials.
_OFTEN, _SELDOM = 0.1, 0.25
# One look may be too sure of itself; what the next trials show may put it right.
_SURE_AFTER = 2
# What looks may take of a run, at most: so many seconds, and a share of its time.
_FREE_S, _SHARE = 0.5, 0.01


def _nobody(_: str) -> None:
    pass


class StopRules:
    """Looks at each trial that ended, and says when the run may end.

    Only trials that were trained to their end count: an early value that reaches the target is
    often luck, and would not be the one that the run hands back. Nor does one count that does not
    keep the constraints.

    Attributes:
        is_sound: Whether any trial has shown that trials of this run can work.
    """

    def __init__(self, plan: RunPlan, notice: Callable[[str], None] = _nobody) -> None:
        self._rules = plan.stop
        self._notice = notice
        self._criteria = plan.criteria
        self._objective = plan.criteria.objective
        self._iterations = plan.iterations
        self._prospect = Prospect(plan.space, plan.criteria, plan.iterations)
        # Members of a population have no values of their own that a model could learn from.
        is_static = not plan.scheduler.is_population
        self._looks = counts(_OFTEN if plan.stop.when_done else _SELDOM) if is_static else iter(())
        self._next_look = next(self._looks, None)
        self._num_done = 0
        self._spent_s, self._since = 0.0, time.monotonic()
        self._best: float | None = None
        self._num_since = 0
        self._most_alike = plan.max_same_failures
        self._failures: Counter[str] = Counter()
        self.is_sound = False

    def ended(self, trial: TrialRecord, state: TrialState, error: str = "") -> str:
        """Return why the run may end now; empty while it goes on."""
        return self._alike(error) if state is TrialState.FAILED else self._found(trial, state)

    def _alike(self, error: str) -> str:
        self._failures[kind_of(error)] += 1
        if self.is_sound or self._failures[kind_of(error)] < self._most_alike:
            return ""
        return f"the first {self._most_alike} trials failed alike: {error_line(error)}"

    def _found(self, trial: TrialRecord, state: TrialState) -> str:
        self.is_sound = True
        if state is TrialState.INTERRUPTED:
            return ""
        self._prospect.add(trial, state)
        if self._rules == Stop():
            return ""
        self._num_since += 1
        # What the ranking goes by, too: else another trial than this one would be handed back.
        value = None
        if trial.value(self._objective.metric) is not None:
            value = settled_value(trial, self._criteria)
        is_whole = state is TrialState.FINISHED or trial.iterations >= self._iterations
        if is_whole and value is not None and not trial.unmet(self._criteria):
            self._note(self._objective.sign * value)
            if self._reaches(value):
                of_several = self._criteria.averaged > 1
                mean = f", the mean of its last {self._criteria.averaged} reports"
                return (
                    f"trial {trial.number} reached the target, {self._objective.metric} "
                    f"{number(value)}{mean * of_several}"
                )
        return self._plateau()

    def _reaches(self, value: float) -> bool:
        target = self._rules.target
        return target is not None and self._objective.sign * (value - target) >= 0

    def _note(self, gain: float) -> None:
        # What small steps add up to counts as well: the best moves only with a gain that is one.
        if self._best is None or gain > self._best + self._noise:
            self._best, self._num_since = gain, 0

    @property
    def _noise(self) -> float:
        return self._prospect.noise.deviation or 0.0

    def _plateau(self) -> str:
        patience = self._rules.plateau
        if patience is None or self._best is None or self._num_since < patience:
            return ""
        return (
            f"the last {self._num_since} trials brought no gain beyond the noise of "
            f"{number(self._noise)}"
        )

    def know(self, trial: TrialRecord) -> None:
        """Learn the noise from a training with a fresh seed, of an earlier confirmation."""
        self._prospect.add(trial, trial.state)

    def look(self, *, at_past: bool = False) -> str:
        """Look whether further trials are worth it, where it is time to.

        Args:
            at_past: Whether trials of an earlier start were added. Of the looks that it made, the
                last two tell all that counts.

        Returns:
            Why the run may end now; empty while it goes on.
        """
        due = []
        while self._next_look is not None and self._next_look <= self._prospect.count:
            due.append(self._next_look)
            self._next_look = next(self._looks, None)
        for count in due[-_SURE_AFTER:] if at_past else due:
            if not self._has_time:
                continue
            started = time.thread_time()
            found = self._prospect.look(count)
            self._spent_s += time.thread_time() - started
            self._num_done = self._num_done + 1 if found is not None and found.is_done else 0
            if found is not None and self._num_done == _SURE_AFTER:
                return self._done(prospect_sentence(found))
        return ""

    @property
    def _has_time(self) -> bool:
        # Who only says so can do without a look; what ends a run must not depend on the clock.
        is_short = self._spent_s > _FREE_S + _SHARE * (time.monotonic() - self._since)
        return self._rules.when_done or not is_short

    def _done(self, text: str) -> str:
        if self._rules.when_done:
            return text
        self._looks, self._next_look = iter(()), None  # To say it once is enough.
        self._notice(f"{text}; with stop.when_done=true a run ends there")
        return ""
