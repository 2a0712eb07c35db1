"""Whether a run starts a Ray of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from hpo_app.plan.run_plan import Cluster


# Set by a sweep for its searches: the address of the Ray that they share. No config says it, so
# that a search that is gone on with alone starts a Ray of its own.
SHARED = "HPO_SHARED_RAY"
# Beside it: how many trials of each search it has room for at once, as they all run.
SHARE = "HPO_SHARE_OF_RAY"
# And the file in the folder of the sweep that takes the lines of all its searches.
LINES = "HPO_SWEEP_LOG"


def shared_address() -> str:
    """Return where the Ray is that the sweep of this search has started; empty without one."""
    return os.environ.get(SHARED, "")


def sweep_folder() -> Path | None:
    """Return the folder of the sweep whose Ray this search shares; None without one."""
    return Path(os.environ[LINES]).parent if shared_address() and LINES in os.environ else None


def share() -> int | None:
    """Return how many trials may run at once on the Ray of a sweep; None without one."""
    return int(os.environ[SHARE]) if shared_address() and SHARE in os.environ else None


def starts_ray_here(cluster: Cluster) -> bool:
    """Return whether a run starts a Ray of its own, so that this machine decides what fits.

    A Ray that the process has started before is used as it is: it may have other resources. So is
    that of a sweep.
    """
    if shared_address():
        return False
    # Ray takes a second to import, and who has started one has imported it.
    ray: Any = sys.modules.get("ray")
    return cluster.is_local and not (ray is not None and ray.is_initialized())
