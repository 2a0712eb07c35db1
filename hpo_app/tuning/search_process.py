"""From one search of a sweep to a process of its own: what a worker of Ray does for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from hpo_app.signals import HANDLED
from hpo_app.tuning.own_ray import LINES, SHARE, SHARED


if TYPE_CHECKING:
    from collections.abc import Mapping

LOG_NAME = "search.log"
# Set for the process of a search: what its lines begin with.
NAME = "HPO_SEARCH_NAME"
# What of its command line a person typed, as a list in JSON; not set if all of it was.
TYPED = "HPO_SEARCH_TYPED"
_POLL_S = 0.1
# What a process takes to end in order that was told to, before it is ended in another way.
_PATIENCE_S = 35.0


@dataclass(frozen=True)
class SearchProcess:
    """How to start a search, in values that can be sent to a worker.

    Attributes:
        name: By what its lines are told from those of other searches.
        arguments: Its command line, less the program.
        folder: Its run folder.
        place: The folder to start it in.
        lines: The file that takes what happens in all searches, a line an event.
        share: How many of its trials run at once.
        stop: The file that tells all searches to end; holds the number of a signal.
        typed: What of the arguments a person typed at this start; None for all.
    """

    name: str
    arguments: tuple[str, ...]
    folder: str
    place: str
    lines: str
    share: int
    stop: str
    typed: tuple[str, ...] | None = None

    def run(self, address: str) -> int:
        """Run the search to its end, and return its exit code; negative if a signal killed it.

        It is a process of its own, because a search takes signals in its main thread, and because
        Ray takes back all that a driver held once it is gone, but not what a task held.

        Args:
            address: Where the Ray is that it shares with others.
        """
        stop = Path(self.stop)
        if stop.exists():
            return _code(stop)
        Path(self.folder).mkdir(parents=True, exist_ok=True)
        with (Path(self.folder) / LOG_NAME).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "hpo_app", *self.arguments],
                cwd=self.place,
                env=self._environment(os.environ, address),
                stdin=subprocess.PIPE,  # Never written to: its end tells that nobody waits.
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            with process:
                while process.poll() is None:
                    if stop.exists():
                        return _ended(process, stop)
                    time.sleep(_POLL_S)
        return process.returncode

    def _environment(self, own: Mapping[str, str], address: str) -> dict[str, str]:
        # A worker knows things of itself that a driver must not take for its own.
        kept = {
            name: value
            for name, value in own.items()
            if not name.startswith("RAY_") or name.startswith("RAY_AUTH_")
        }
        if own.get("OMP_NUM_THREADS") == "1":
            del kept["OMP_NUM_THREADS"]  # Ray's own choice for a task that holds no CPU.
        shared = {SHARED: address, SHARE: str(self.share)}
        told = {} if self.typed is None else {TYPED: json.dumps(self.typed)}
        return {**kept, **shared, **told, NAME: self.name, LINES: self.lines}


def _ended(process: subprocess.Popen[bytes], stop: Path) -> int:
    process.send_signal(_code(stop) - 128)
    try:
        return process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _code(stop: Path) -> int:
    """Return the exit code of what was told to end by the signal that the file holds."""
    try:
        return 128 + int(stop.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return 128 + HANDLED[0]


def typed_for_search() -> tuple[str, ...] | None:
    """Return what of this process's command line a person typed; None for all."""
    text = os.environ.get(TYPED)
    return None if text is None else tuple(map(str, json.loads(text)))


def end_with_starter() -> None:
    """Let the process of a search end in order once the worker is gone that started it."""
    if NAME in os.environ:
        # A sweep blocks them for its Ray, and with it for whatever that starts.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
        threading.Thread(target=_wait_for_starter, daemon=True).start()


def _wait_for_starter() -> NoReturn:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), HANDLED[1])
    time.sleep(_PATIENCE_S)
    os._exit(128 + HANDLED[1])
