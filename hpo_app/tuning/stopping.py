"""From trials that ended to whether the run may end: what it was for is found, or never will be."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import TYPE_CHECKING

from hpo_app.analysis.failures import error_line
from hpo_app.analysis.noise import noise_at_end
from hpo_app.analysis.wording import number
from hpo_app.plan.run_plan import Stop
from hpo_app.study.records import TrialState
from hpo_app.tuning.attempts import kind_of


if TYPE_CHECKING:
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.study.records import TrialRecord


class StopRules:
    """Looks at each trial that ended, and says when the run may end.

    Only trials that were trained to their end count: an early value that reaches the target is
    often luck, and would not be the one that the run hands back. Nor does one count that does not
    keep the constraints.

    Attributes:
        is_sound: Whether any trial has shown that trials of this run can work.
    """

    def __init__(self, plan: RunPlan) -> None:
        self._rules = plan.stop
        self._criteria = plan.criteria
        self._objective = plan.criteria.objective
        self._iterations = plan.iterations
        self._noises: list[float] = []
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
        if state is TrialState.INTERRUPTED or self._rules == Stop():
            return ""
        self._num_since += 1
        value = trial.value(self._objective.metric)
        is_whole = state is TrialState.FINISHED or trial.iterations >= self._iterations
        if is_whole and value is not None and not trial.unmet(self._criteria):
            self._note(self._objective.sign * value, trial)
            if self._reaches(value):
                return (
                    f"trial {trial.number} reached the target, {self._objective.metric} "
                    f"{number(value)}"
                )
        return self._plateau()

    def _reaches(self, value: float) -> bool:
        target = self._rules.target
        return target is not None and self._objective.sign * (value - target) >= 0

    def _note(self, gain: float, trial: TrialRecord) -> None:
        noise = noise_at_end([value for _, value in trial.curve(self._objective.metric)])
        if noise is not None:
            self._noises.append(noise)
        # What small steps add up to counts as well: the best moves only with a gain that is one.
        if self._best is None or gain > self._best + self._noise:
            self._best, self._num_since = gain, 0

    @property
    def _noise(self) -> float:
        return statistics.median(self._noises) if self._noises else 0.0

    def _plateau(self) -> str:
        patience = self._rules.plateau
        if patience is None or self._best is None or self._num_since < patience:
            return ""
        return (
            f"the last {self._num_since} trials brought no gain beyond the noise of "
            f"{number(self._noise)}"
        )
