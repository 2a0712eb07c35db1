"""From signals to a process that ends in order, or at once if it is told twice."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, NoReturn

from hpo_app.errors import EXIT_INTERRUPTED, EXIT_TERMINATED


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

# Ctrl-C, what docker stop and batch systems send, a closed terminal, and Slurm's early warning.
HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)
# Nobody types faster; but what a whole group is told, one of it may pass on to us once more.
_ECHO_S = 0.1


def exit_code_of(number: int) -> int:
    """Return what a process ends with after a signal that it took in order."""
    return EXIT_INTERRUPTED if number == signal.SIGINT else EXIT_TERMINATED


class Interrupted(KeyboardInterrupt):
    """A signal came while something was under way that has nothing to put in order first.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Ended(Interrupted, SystemExit):
    """An interruption that Python code may let through.

    Python ends with its exit code then, and not with a traceback of what was no mistake.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.code = exit_code_of(number)


class Signals:
    """What this process was told by signals: the first is noted, a second one leaves at once.

    The same one within a tenth of a second is no second one.

    Attributes:
        number: The first signal; None while none came.
        before_leaving: Called right before the process leaves at once.
        must_leave: Whether something hangs that the ordinary end of Python would wait for.
        has_stuck_threads: The same of threads that keep nobody from a further run.
    """

    def __init__(self, *, leaves: bool = True) -> None:
        """Wait for signals.

        Args:
            leaves: Whether a second signal ends this process. Where the process is somebody else's,
                a notebook's for example, it raises instead.
        """
        self.number: int | None = None
        self._noted_s = 0.0
        self.before_leaving: Callable[[], None] | None = None
        self.must_leave = False
        self._leaves = leaves
        self.has_stuck_threads = False
        self._raises = False
        self._taken: tuple[signal.Signals, ...] = ()

    @property
    def reason(self) -> str:
        """Why a run ends that was told to, as `signal SIGTERM`; empty while none came."""
        return "" if self.number is None else f"signal {signal.Signals(self.number).name}"

    @property
    def exit_code(self) -> int | None:
        """What the process ends with; None while no signal came."""
        return None if self.number is None else exit_code_of(self.number)

    @contextlib.contextmanager
    def held(self) -> Iterator[Signals]:
        """Take the signals of this process; in its main thread only, which alone gets them.

        A signal that the process was started to ignore stays ignored: `nohup` ignores SIGHUP, and
        a shell script SIGINT for what it starts in the background.
        """
        taken = [number for number in HANDLED if signal.getsignal(number) != signal.SIG_IGN]
        previous = {number: signal.signal(number, self._take) for number in taken}
        self._taken = tuple(taken)
        try:
            yield self
        finally:
            self._taken = ()
            for number, handler in previous.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def held_where_possible(self) -> Iterator[Signals]:
        """Take the signals of this process in its main thread; in another one, take none."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        with self.held():
            yield self

    def hold_on(self) -> None:
        """Take the signals again, which somebody else may have taken meanwhile."""
        for number in self._taken:
            signal.signal(number, self._take)

    @contextlib.contextmanager
    def raised(self) -> Iterator[None]:
        """Let the first signal end what is under way, also one that came before.

        Raises:
            Interrupted: At the first signal.
        """
        before, self._raises = self._raises, True
        try:
            self.check()
            yield
        finally:
            self._raises = before

    @contextlib.contextmanager
    def noted(self) -> Iterator[None]:
        """Let the first signal be noted only: what is under way looks by itself, and saves."""
        before, self._raises = self._raises, False
        try:
            yield
        finally:
            self._raises = before

    def check(self) -> None:
        """Raise if a signal came.

        Raises:
            Interrupted: If one did.
        """
        if self.number is not None:
            raise Interrupted(self.number)

    def note(self, number: int) -> None:
        """Note a signal; the first one stands."""
        if self.number is None:
            self.number, self._noted_s = number, time.monotonic()

    def leave(self, code: int) -> NoReturn:
        """End the process now, or what is under way in it, whatever that is."""
        if not self._leaves:
            if self.before_leaving is not None:
                self.before_leaving()
            raise Interrupted(self.number or signal.SIGINT)
        try:
            if self.before_leaving is not None:
                self.before_leaving()
        finally:
            os._exit(code)

    def _take(self, number: int, _frame: FrameType | None) -> None:
        # If it came right after Ray had taken SIGTERM, Ray's C++ has set one to abort the process.
        signal.alarm(0)
        if self.number is not None:
            if number == self.number and time.monotonic() - self._noted_s < _ECHO_S:
                return
            self.leave(exit_code_of(number))
        self.note(number)
        if self._raises:
            raise Interrupted(number)
