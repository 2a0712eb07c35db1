"""From what a run has come to, to whether it or its search is to end, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.study.fresh import is_fresh
from hpo_app.study.records import TrialState
from hpo_app.tuning.stopping import StopRules


if TYPE_CHECKING:
    from collections.abc import Callable

    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.study.records import Study, TrialRecord
    from hpo_app.tuning.confirming import Confirming


class Ending:
    """Knows when the search is to end, and when the run, which may confirm what was found.

    Attributes:
        stop_reason: Why the run is to end before its last trial; empty while it goes on.
        search_end: Why the search, and not the run, is to end before its last trial, or empty.
        exhausted: Why there is no further trial to ask for, however many were wanted, or empty.
    """

    def __init__(
        self, plan: RunPlan, confirming: Confirming, notice: Callable[[str], None]
    ) -> None:
        self._plan = plan
        self._rules = StopRules(plan, notice)
        self._confirming = confirming
        self.stop_reason = ""
        self.search_end = ""
        self.exhausted = ""

    @property
    def reason(self) -> str:
        """Why the run ends now."""
        whole = f"all {self._plan.num_trials} trials ended"
        return self.stop_reason or self.search_end or self.exhausted or whole

    @property
    def is_searched(self) -> bool:
        """Whether the search asks for no further trial, however many were wanted."""
        return bool(self.exhausted or self.search_end)

    def is_cut(self, number: int) -> bool:
        """Return whether a trial has to end because its part of the run does, or is not wanted."""
        return not self._plan.confirm.is_on if is_fresh(number) else bool(self.search_end)

    def stop(self, reason: str) -> None:
        """Let the run end in order; the first reason stands, and an empty one is none."""
        self.stop_reason = self.stop_reason or reason

    def end_search(self, reason: str) -> None:
        """Let the search end in order; what it found is confirmed, if anything is to be."""
        if self._confirming.is_over:
            self.stop(reason)
        else:
            self.search_end = self.search_end or reason

    def take_over(self, study: Study) -> None:
        """Look at the trials of an earlier start."""
        for trial in study.fresh:
            self._rules.know(trial)
        for trial in study.trials:
            self._rules.is_sound |= bool(trial.reports)
            # What made trials fail may be mended by now.
            if trial.state in (TrialState.FINISHED, TrialState.STOPPED):
                self.end_search(self._rules.ended(trial, trial.state))
        self.end_search(self._rules.look(at_past=True))

    def trial_ended(self, trial: TrialRecord, state: TrialState, error: str) -> None:
        """Look at a trial of the search that ended."""
        reason = self._rules.ended(trial, state, error)
        if state is TrialState.FAILED:
            self.stop(reason)
        else:
            self.end_search(reason or self._rules.look())

    def look_at_clock(self, elapsed_s: float) -> None:
        """End the run, or what the search may take of it, once the time is used up."""
        budget = self._plan.time_budget_s
        if self.stop_reason or budget is None:
            return
        if elapsed_s >= budget:
            self.stop_reason = f"the time budget of {budget:g} s was used up"
        else:
            self.end_search(self._confirming.end_of_search(elapsed_s))
