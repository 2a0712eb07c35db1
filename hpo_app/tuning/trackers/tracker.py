"""One tracker in a thread of its own: however it fails or hangs, the run goes on."""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import TYPE_CHECKING, Any

from hpo_app.analysis.failures import error_line


if TYPE_CHECKING:
    from collections.abc import Callable

    from hpo_app.signals import Signals

_LOG = logging.getLogger(__name__)
# Each takes about a kilobyte.
_MOST_WAITING = 100_000
# One report may be refused, for a name that a tracker does not like.
_MOST_FAILURES = 3
# A tracker that sends over a network retries by itself.
_PATIENCE_S = 30.0
# After a signal a run ends within 20 seconds.
_PATIENCE_AFTER_SIGNAL_S = 3.0
_QUIET_S = 2.0
_POLL_S = 0.05


class Tracker:
    """Hands events to a callback of Ray Tune, one after the other, without anybody waiting for it.

    Args:
        name: What it is called.
        callback: A `ray.tune.Callback`; its hooks get what Tune would give them.
        notice: Told, once, that something is wrong.
    """

    def __init__(self, name: str, callback: Any, notice: Callable[[str], None]) -> None:
        self.name = name
        self._callback = callback
        self._notice = notice
        self._events: queue.SimpleQueue[tuple[str, dict[str, Any]] | None] = queue.SimpleQueue()
        self._num_failures = 0
        self._has_warned = self._is_given_up = False
        self._moved_at = time.monotonic()
        # A daemon: Python waits for others at its end, even if they hang.
        self._thread = threading.Thread(target=self._run, name=f"tracker {name}", daemon=True)
        self._thread.start()

    def tell(self, hook: str, **fields: Any) -> None:
        """Let a hook of the callback be called soon."""
        if self._is_given_up:
            return
        if self._events.qsize() >= _MOST_WAITING:
            self._give_up(f"does not keep up, {_MOST_WAITING} events wait")
            return
        self._events.put((hook, fields))

    def end(self) -> None:
        """Tell it that the run is over; `wait` lets it take note of that."""
        self.tell("on_experiment_end", trials=[])
        self._events.put(None)

    def wait(self, signals: Signals) -> bool:
        """Return once all was told, or nothing moves any more.

        Args:
            signals: After one there is little time.

        Returns:
            Whether the thread has ended, and does not hang.
        """
        began = time.monotonic()
        is_said = False
        hurried_at: float | None = None
        while self._thread.is_alive() and not self._is_given_up:
            self._thread.join(_POLL_S)
            now = time.monotonic()
            if signals.reason and hurried_at is None:
                hurried_at = now
            silent_s = now - max(self._moved_at, began)
            if silent_s > _PATIENCE_S:
                self._give_up(f"has not answered for {_PATIENCE_S:g} s")
            elif hurried_at is not None and now - hurried_at > _PATIENCE_AFTER_SIGNAL_S:
                self._give_up(
                    f"was not ready {_PATIENCE_AFTER_SIGNAL_S:g} s after {signals.reason}"
                )
            elif now - began > _QUIET_S and not is_said:
                is_said = True
                self._notice(f"waiting for tracker {self.name}, {self._events.qsize()} events left")
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._is_given_up and (event := self._events.get()) is not None:
            hook, fields = event
            try:
                getattr(self._callback, hook)(**fields)
            except Exception as error:  # noqa: BLE001 - whatever a library may raise
                self._failed(hook, error)
            else:
                self._num_failures = 0
            self._moved_at = time.monotonic()

    def _failed(self, hook: str, error: Exception) -> None:
        _LOG.warning("tracker %s failed in %s", self.name, hook, exc_info=error)
        self._num_failures += 1
        first, _, _ = str(error).partition("\n")
        text = f"failed: {error_line(first) or type(error).__name__} (run.log has more)"
        # What could not be set up has nothing to be told to.
        if hook == "setup" or self._num_failures >= _MOST_FAILURES:
            self._give_up(text)
        else:
            self._warn(text)

    def _give_up(self, reason: str) -> None:
        self._is_given_up = True
        self._warn(reason)

    def _warn(self, reason: str) -> None:
        if not self._has_warned:
            self._has_warned = True
            self._notice(f"tracker {self.name} {reason}; the run goes on")
