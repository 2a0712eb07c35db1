"""What a live view of a run is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol


if TYPE_CHECKING:
    from hpo_app.study.records import TrialRecord


class RunView(Protocol):
    """Shows a run to a person while it lasts; must not raise, and must not take long."""

    def changed(self, event: str, trial: TrialRecord) -> None:
        """Take note of an event of a trial, and of the trial as it stands now."""

    def refresh(self, elapsed_s: float) -> None:
        """Draw what has changed; called after every event and at least every 0.2 s."""
