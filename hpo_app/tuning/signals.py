"""From a signal to a run that ends in order, or at once if it is told twice."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from typing import TYPE_CHECKING

from hpo_app.errors import EXIT_INTERRUPTED, EXIT_TERMINATED


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

# Ctrl-C, what docker stop and batch systems send, a closed terminal, and Slurm's early warning.
HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1)


def exit_code_of(number: int) -> int:
    """Return what a process ends with after a signal that it took in order."""
    return EXIT_INTERRUPTED if number == signal.SIGINT else EXIT_TERMINATED


@contextlib.contextmanager
def signals_to(request_stop: Callable[[str], None], save: Callable[[], None]) -> Iterator[None]:
    """Let the first signal ask the run to stop, and the second leave at once.

    Args:
        request_stop: Told the reason, at the first signal.
        save: Called at the second, before the process leaves; what is acknowledged is safe anyway.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # Python delivers signals to the main thread only.
        return
    seen: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        if seen:
            save()
            os._exit(exit_code_of(number))
        seen.append(number)
        request_stop(f"signal {signal.Signals(number).name}")

    previous = {number: signal.signal(number, handle) for number in HANDLED}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
