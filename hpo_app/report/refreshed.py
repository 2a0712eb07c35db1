"""From a run that goes on to a report that a browser can open meanwhile."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Protocol


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hpo_app.study.fresh import FreshSoFar
    from hpo_app.study.records import TrialRecord

_LOG = logging.getLogger(__name__)
# The run waits while a report is written: so much of its time may go there.
_SHARE = 0.01


class Shown(Protocol):
    """What is told of a run; see `tuning.view.RunView`."""

    def changed(self, event: str, trial: TrialRecord) -> None:
        """Take note of an event of a trial, and of the trial as it stands now."""

    def refresh(self, elapsed_s: float) -> None:
        """Draw what has changed."""

    def notice(self, text: str) -> None:
        """Say something that a person should know at once."""

    def confirms(self, so_far: FreshSoFar) -> None:
        """Hear how far the trainings with fresh seeds are."""


class RefreshedReport:
    """A view that also has the report written anew, and lets no failure of that reach the run.

    Args:
        view: Told all that this one is told.
        every_s: Seconds between two reports; None for none.
        write: Writes the report of these trials, so many seconds after the start of the run.
        clock: Tells the time, in seconds.
    """

    def __init__(
        self,
        view: Shown,
        every_s: float | None,
        write: Callable[[Mapping[int, TrialRecord], float], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._view = view
        self._every_s = every_s
        self._write = write
        self._clock = clock
        self._trials: dict[int, TrialRecord] = {}
        self._is_news = False
        self._due = clock() + (every_s or 0.0)

    def changed(self, event: str, trial: TrialRecord) -> None:
        """Take note of a trial."""
        self._trials[trial.number] = trial
        self._is_news = True
        self._view.changed(event, trial)

    def confirms(self, so_far: FreshSoFar) -> None:
        """Pass it on."""
        self._view.confirms(so_far)

    def notice(self, text: str) -> None:
        """Pass it on."""
        self._view.notice(text)

    def refresh(self, elapsed_s: float) -> None:
        """Have the report written if it is time and there is news."""
        self._view.refresh(elapsed_s)
        began = self._clock()
        if self._every_s is None or not self._is_news or began < self._due:
            return
        try:
            self._write(self._trials, elapsed_s)
        except Exception:  # noqa: BLE001 - the end of the run writes a report in any case
            _LOG.warning("the report could not be refreshed", exc_info=True)
        self._is_news = False
        took = self._clock() - began
        self._due = began + max(self._every_s, took / _SHARE)
