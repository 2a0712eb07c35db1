"""From the Ray that a run starts to the processes it consists of, so that none outlives the run."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator

_PROC = Path("/proc")
_ENDED = ("Z", "X")
# Without either, Ray waits for a minute and then ends our process with a few lines of its own.
VITAL = ("gcs_server", "raylet")
# The raylet ends itself, and all trials, as soon as one of its agents has ended.
_AGENT = "agent"
# Not for ever: one that waits for its disk cannot be killed.
_GONE_S = 2.0
_LOOK_S = 0.01


@dataclass(frozen=True)
class _Process:
    """One process. A number is used again some day, but not with the same start."""

    number: int
    started: str
    parent: int
    name: str
    state: str

    @property
    def key(self) -> tuple[int, str]:
        return self.number, self.started

    def has_ended(self) -> bool:
        now = _read(self.number)
        return now is None or now.key != self.key or now.state in _ENDED


class RayProcesses:
    """The processes of a Ray that this process started, and what those started in turn.

    There are none while Ray is another's. They are found in /proc, so on Linux only: elsewhere the
    end that Ray itself makes has to do.
    """

    def __init__(self) -> None:
        self._before: set[tuple[int, str]] | None = None
        self._roots: list[_Process] = []
        self._agents: list[_Process] = []
        self._seen: dict[tuple[int, str], _Process] = {}

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """Take the processes that this one starts meanwhile for Ray's."""
        self._before = {process.key for process in _children({os.getpid()}, _everybody())}
        try:
            yield
        finally:
            self._look()
            self._before = None
            raylets = {root.number for root in self._roots if root.name == "raylet"}
            self._agents = [
                process
                for process in self._seen.values()
                if process.parent in raylets and _AGENT in _command(process.number)
            ]

    def lost(self) -> str:
        """Return the name of a process that has ended and that Ray cannot do without, if any."""
        vital = [root for root in self._roots if root.name in VITAL]
        ended = (process.name for process in (*vital, *self._agents) if process.has_ended())
        return next(ended, "")

    def let_go(self) -> None:
        """Take note of who is there before Ray ends them; none is missed from now on."""
        self._look()
        self._roots, self._agents = [], []

    def end(self) -> None:
        """Kill whoever is still there, and wait for the end of each.

        A process that was killed goes on for a moment where the machine is busy; nobody is to find
        it after the command has ended.
        """
        self.let_go()
        killed = []
        for process in self._seen.values():
            if not process.has_ended():
                with contextlib.suppress(OSError):
                    os.kill(process.number, signal.SIGKILL)
                    killed.append(process)
        until = time.monotonic() + _GONE_S
        while time.monotonic() < until and not all(process.has_ended() for process in killed):
            time.sleep(_LOOK_S)

    def _look(self) -> None:
        # Who loses his parent cannot be found through it later.
        everybody = _everybody()
        if self._before is not None:
            children = _children({os.getpid()}, everybody)
            self._roots = [child for child in children if child.key not in self._before]
        new = self._roots
        while new:
            self._seen.update((process.key, process) for process in new)
            new = _children({process.number for process in new}, everybody)


def _children(parents: set[int], everybody: list[_Process]) -> list[_Process]:
    return [process for process in everybody if process.parent in parents]


def _everybody() -> list[_Process]:
    if not _PROC.is_dir():
        return []
    found = (_read(int(entry.name)) for entry in _PROC.iterdir() if entry.name.isdigit())
    return [process for process in found if process is not None]


def _command(number: int) -> str:
    try:
        text = (_PROC / str(number) / "cmdline").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return text.lower()


def _read(number: int) -> _Process | None:
    try:
        text = (_PROC / str(number) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    head, _, rest = text.rpartition(")")  # The name stands in brackets, and may hold any.
    fields = rest.split()
    return _Process(number, fields[19], int(fields[1]), head.partition("(")[2], fields[0])
