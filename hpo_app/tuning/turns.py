"""From the trial that a scheduler would train next to whether there is room for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ray.tune.experiment import Trial


if TYPE_CHECKING:
    from collections.abc import Iterable

ACTIVE = (Trial.RUNNING, Trial.PENDING)


class TakesTurns:
    """A scheduler that pauses trials, so that more of them could train than may.

    Tune itself starts whatever its scheduler chooses, as long as the machine has room.

    Attributes:
        max_running: How many trials may train at once; None for no limit.
    """

    max_running: int | None = None

    @property
    def num_ready(self) -> int:
        """How many paused trials are to go on before a new one is made."""
        return 0

    def in_turn(self, chosen: Any, trials: Iterable[Any]) -> Any:
        """Return the trial that was chosen, or None while as many train as may.

        Args:
            chosen: The trial, or None; one that waits for its worker has its place already.
            trials: All trials that may be active.
        """
        if chosen is None or chosen.status == Trial.PENDING or self.max_running is None:
            return chosen
        active = sum(trial.status in ACTIVE for trial in trials)
        return chosen if active < self.max_running else None
