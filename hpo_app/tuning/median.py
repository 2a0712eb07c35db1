"""Median stopping that knows a trial which goes on, and pauses nobody."""

from __future__ import annotations

from typing import Any

from ray.tune.schedulers import MedianStoppingRule, TrialScheduler


class MedianStopping(MedianStoppingRule):
    """Ray's median stopping, for trials that go on from a checkpoint.

    Ray's would count what a trial reported before a kill as another trial's, and forget its best
    report; and it pauses a trial that it cannot judge yet while another waits for its worker, which
    loses what that trial has trained since its last checkpoint (Ray 2.60).

    Source:
        Golovin et al. (2017), "Google Vizier: A Service for Black-Box Optimization".
    """

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Take a trial in, with what it reported in an earlier start."""
        super().on_trial_add(tune_controller, trial)
        known = [other for other in self._results if other.trial_id == trial.trial_id]
        for before in known:
            self._results[trial] = self._results.pop(before)

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Return whether a trial goes on; what it repeats since its checkpoint counts once."""
        time = result[self._time_attr]
        before = self._results.get(trial, [])
        before[:] = [report for report in before if report[self._time_attr] < time]
        return str(super().on_trial_result(tune_controller, trial, result))

    def _on_insufficient_samples(self, *_: Any) -> str:
        return str(TrialScheduler.CONTINUE)
