"""From what a trial holds to Ray's words for it."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from hpo_app.plan.run_plan import Resources


def held_by(resources: Resources) -> dict[str, float]:
    """Return what a trial holds of one node, as a bundle of a placement group."""
    bundle = {"CPU": resources.cpu, "GPU": resources.gpu}
    if resources.memory_gb is not None:
        bundle["memory"] = int(resources.memory_gb * 1e9)
    return bundle
