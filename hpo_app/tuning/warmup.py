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


def meet_workers(folder: Path, num_workers: int, limit_s: float = LIMIT_S) -> None:
    """Return once `num_workers` workers have come here, or it is too late for more.

    A worker waits once per run. One that cannot see the others (a node without the shared folder)
    or whose fellows cannot start goes on after the limit; one that starts later, in place of one
    that failed, does not wait at all.

    Args:
        folder: A folder that all workers of a run see.
        num_workers: How many are expected.
        limit_s: Seconds that the first of them waits at most. They do not count from the start of
            the run: where a machine is slow, the first may need longer than that to come at all.
    """
    if str(folder) in _met:
        return
    _met.add(str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    own = folder / f"{socket.gethostname()}-{os.getpid()}"
    own.touch()
    # All by the clock of whoever keeps the folder, because those of nodes may differ.
    first_at = min(path.stat().st_mtime for path in folder.iterdir())
    deadline = time.monotonic() + limit_s - (own.stat().st_mtime - first_at)
    while len(list(folder.iterdir())) < num_workers and time.monotonic() < deadline:
        time.sleep(_POLL_S)
