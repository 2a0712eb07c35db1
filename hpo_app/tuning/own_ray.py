"""Whether a run starts a Ray of its own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from hpo_app.plan.run_plan import Cluster


def starts_ray_here(cluster: Cluster) -> bool:
    """Return whether a run starts a Ray of its own, so that this machine decides what fits.

    A Ray that the process has started before is used as it is: it may have other resources.
    """
    # Ray takes a second to import, and who has started one has imported it.
    ray: Any = sys.modules.get("ray")
    return cluster.is_local and not (ray is not None and ray.is_initialized())
