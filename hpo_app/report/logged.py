"""From the events of a run to a log that Python code listens to."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from hpo_app.report.format import params_text


if TYPE_CHECKING:
    from hpo_app.report.live import LiveView, PlainView
    from hpo_app.study.fresh import FreshSoFar
    from hpo_app.study.records import TrialRecord

# Under this name Python code asks for it: logging.getLogger("HPOptimizer").setLevel("DEBUG").
LOG = logging.getLogger("HPOptimizer")


class LoggedView:
    """A view that also writes every event down, at level DEBUG."""

    def __init__(self, view: PlainView | LiveView) -> None:
        self._view = view

    def changed(self, event: str, trial: TrialRecord) -> None:
        """Log an event, and pass it on."""
        if LOG.isEnabledFor(logging.DEBUG):
            last = ", ".join(f"{name} {value:.6g}" for name, value in trial.last.items())
            what = last if event == "reported" else params_text(trial.params)
            LOG.debug(
                "trial %d %s at iteration %d: %s", trial.number, event, trial.iterations, what
            )
        self._view.changed(event, trial)

    def refresh(self, elapsed_s: float) -> None:
        """Pass it on."""
        self._view.refresh(elapsed_s)

    def confirms(self, so_far: FreshSoFar) -> None:
        """Pass it on."""
        self._view.confirms(so_far)

    def notice(self, text: str) -> None:
        """Log a notice, and pass it on."""
        LOG.debug("%s", text)
        self._view.notice(text)
