"""HyperBand whose last trial of a bracket may fail."""

from __future__ import annotations

from typing import Any

from ray.tune.schedulers import HyperBandScheduler


class HyperBand(HyperBandScheduler):
    """Ray's HyperBand, which ends a bracket also when a failing trial was what it waited for.

    Ray's leaves the others of that bracket paused for ever: it looks at a bracket after a trial is
    removed only if the bracket is not finished by that (Ray 2.60).

    Source:
        Li et al. (2018), "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization".
    """

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """Let those go that waited in a bracket which is finished; then as Ray does."""
        for band in self._hyperbands:
            for bracket in filter(None, band):
                if bracket.finished():
                    bracket.cleanup_full(tune_controller)
        return super().choose_trial_to_run(tune_controller)
