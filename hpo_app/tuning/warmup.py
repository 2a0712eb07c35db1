"""From cold workers to warm ones: nobody trains before all workers of a run are up.

Tune hands a trial that waits for a starting worker to whichever worker becomes free first, and
then kills the one that was starting. With trials shorter than the start of a worker, a run on many
CPUs so ends up with a single worker, for good: 40 trials of one second took 45 s on two CPUs. So
the first trials of a run wait for each other, once.
"""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from pathlib import Path

WORKERS_FOLDER = ".workers"
LIMIT_S = 15.0
_POLL_S = 0.005
_met: set[str] = set()


def meet_workers(
    folder: Path, num_workers: int, started_at: float, limit_s: float = LIMIT_S
) -> None:
    """Return once `num_workers` workers have come here, or the start of the run is over.

    A worker waits once per run. One that cannot see the others (a node without the shared folder)
    or whose fellows cannot start goes on after the limit; one that starts later, in place of one
    that failed, does not wait at all.

    Args:
        folder: A folder that all workers of a run see.
        num_workers: How many are expected.
        started_at: When the run started, by the clock on the wall, which nodes share.
        limit_s: Seconds from then on that a worker waits at most.
    """
    if str(folder) in _met:
        return
    _met.add(str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{socket.gethostname()}-{os.getpid()}").touch()
    # A wall clock that is wrong must not make anybody wait for longer than the limit.
    left_s = min(started_at + limit_s - time.time(), limit_s)
    deadline = time.monotonic() + left_s
    while len(list(folder.iterdir())) < num_workers and time.monotonic() < deadline:
        time.sleep(_POLL_S)
