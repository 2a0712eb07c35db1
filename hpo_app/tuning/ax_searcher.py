"""Ray's searcher for Ax, which tells Ax also of trials that have no result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ray.tune.search.ax import AxSearch


if TYPE_CHECKING:
    from collections.abc import Mapping


class AxSearcher(AxSearch):
    """A searcher over Ax's service interface.

    Ray's own says nothing to Ax of a trial that failed or was withdrawn. Ax takes it for one that
    still trains, counts it against those that may be open, and waits for its result before it goes
    on from its first, quasi-random draws: for ever.
    """

    def on_trial_complete(
        self, trial_id: str, result: Mapping[str, Any] | None = None, *, error: bool = False
    ) -> None:
        """Tell Ax what became of a trial; one without a result is abandoned."""
        if not result:
            index = self._live_trial_mapping[trial_id]
            self._ax.abandon_trial(trial_index=index, reason="it has no result")
        super().on_trial_complete(trial_id, result, error=error)
