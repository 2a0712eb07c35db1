"""From a run in a thread of its own to its end, or to the moment when nobody waits any longer."""

from __future__ import annotations

import contextvars
import signal
import threading
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from hpo_app.errors import HpoError
from hpo_app.signals import HANDLED
from hpo_app.tuning.processes import VITAL, RayProcesses


if TYPE_CHECKING:
    from collections.abc import Callable

    from hpo_app.signals import Signals

T = TypeVar("T")
# Ray ends this process a moment after one of its own parts; whoever waits is to be told before.
_POLL_S = 0.05
# Tune itself kills a worker 10 s after it was asked to stop. What still waits then waits for Ray.
_PATIENCE_S = 14.0


class StuckError(Exception):
    """The run cannot be ended in order; the journal holds all that was acknowledged.

    Attributes:
        reason: Why, as a part of a sentence.
        has_time: Whether there is time to conclude the run. With its agents the raylet ends, and
            with that Ray ends this process, within a fifth of a second (Ray 2.60).
    """

    def __init__(self, reason: str, *, has_time: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.has_time = has_time


class Supervisor:
    """Lets a run go on in a thread of its own, and waits for it as long as there is hope.

    In the main thread, Ray and Tune put handlers of their own in place of ours (for SIGTERM when
    Ray starts, for SIGUSR1 when Tune does); Ray's C++ takes SIGTERM wherever it is started, and has
    to give it back. And a thread can block signals for all that it starts: Ctrl-C and a closed
    terminal tell every process of a group, but Ray must last until the run has ended in order.

    Attributes:
        signals: What this process is told.
        processes: The Ray of the run.
    """

    def __init__(self, signals: Signals, patience_s: float = _PATIENCE_S) -> None:
        """Look after what a function does.

        Args:
            signals: What this process is told.
            patience_s: Seconds after a signal that the function has to return.
        """
        self.signals = signals
        self.processes = RayProcesses()
        self._patience_s = patience_s
        self._given_up = ""
        signals.before_leaving = self.processes.end

    def run(self, function: Callable[[], T], say: Callable[[str], None]) -> T:
        """Return what a function returns.

        Args:
            function: Looks at the signals itself, and returns soon after the first one.
            say: Told that the run is stopping.

        Raises:
            Interrupted: If the function broke off in another way than ours after a signal.
            StuckError: If it has not returned some time after a signal, was given up, or Ray broke
                under it.
        """
        work = _Work(function)
        work.start()
        told_at: float | None = None
        while work.is_alive():
            work.join(_POLL_S)
            self.signals.hold_on()
            if self.signals.number is not None and told_at is None:
                told_at = time.monotonic()
                say(f"stopping in order, {self.signals.reason}; once more leaves at once")
            self._check(work, told_at)
        if work.error is None:
            return work.results[0]
        if isinstance(work.error, Exception) and not isinstance(work.error, HpoError):
            self.signals.check()
        raise work.error

    def give_up(self, reason: str) -> None:
        """Wait no longer for the function, because somebody knows that it is stuck."""
        self._given_up = reason

    def _check(self, work: _Work[T], told_at: float | None) -> None:
        lost = self.processes.lost()
        is_late = told_at is not None and time.monotonic() - told_at > self._patience_s
        if not work.is_alive():
            return
        if self._given_up:
            raise StuckError(self._given_up)
        # The same signal may have ended Ray: `timeout` and systemd send it to everybody.
        if lost or is_late:
            reason = self.signals.reason or f"{lost}, a process of Ray itself, has ended"
            raise StuckError(reason, has_time=bool(self.signals.reason) or lost in VITAL)


class _Work(threading.Thread, Generic[T]):
    def __init__(self, function: Callable[[], T]) -> None:
        # A daemon: Python waits for others at its end, even if they hang.
        super().__init__(daemon=True)
        self._function = function
        # What Hydra allows to be instantiated is bound to the context.
        self._context = contextvars.copy_context()
        self.results: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        # Not SIGTERM, by which Ray ends its own.
        signal.pthread_sigmask(signal.SIG_BLOCK, {*HANDLED} - {signal.SIGTERM})
        try:
            self.results.append(self._context.run(self._function))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            self.error = error
