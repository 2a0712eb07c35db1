"""What a live view of a run is told."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Protocol


if TYPE_CHECKING:
    from collections.abc import Iterator

    from hpo_app.study.fresh import FreshSoFar
    from hpo_app.study.records import TrialRecord

_LOG = logging.getLogger(__name__)


class RunView(Protocol):
    """Shows a run to a person while it lasts; must not take long."""

    def changed(self, event: str, trial: TrialRecord) -> None:
        """Take note of an event of a trial, and of the trial as it stands now."""

    def refresh(self, elapsed_s: float) -> None:
        """Draw what has changed; called after every event and at least every 0.2 s."""

    def notice(self, text: str) -> None:
        """Say something that a person should know at once."""

    def confirms(self, so_far: FreshSoFar) -> None:
        """Hear how far the trainings with fresh seeds are; called after every event of theirs."""


class ShieldedView:
    """A view whose first error is the end of the view, and not of the search."""

    def __init__(self, view: RunView) -> None:
        self._view: RunView | None = view

    def changed(self, event: str, trial: TrialRecord) -> None:
        """Tell the view of an event, while it works."""
        with self._shielded():
            if self._view is not None:
                self._view.changed(event, trial)

    def refresh(self, elapsed_s: float) -> None:
        """Let the view draw, while it works."""
        with self._shielded():
            if self._view is not None:
                self._view.refresh(elapsed_s)

    def confirms(self, so_far: FreshSoFar) -> None:
        """Tell the view how far the confirmation is, while it works."""
        with self._shielded():
            if self._view is not None:
                self._view.confirms(so_far)

    def notice(self, text: str) -> None:
        """Let the view say something, while it works."""
        with self._shielded():
            if self._view is not None:
                self._view.notice(text)

    @contextlib.contextmanager
    def _shielded(self) -> Iterator[None]:
        try:
            yield
        except Exception:  # noqa: BLE001 - a view is any object, and only shows
            _LOG.exception("the live view failed; the search goes on without it")
            self._view = None
