"""A trial that ends before its time, to see what goes on from its checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hpo_app.training.contract import TrialOver
from hpo_app.training.fit_one import LocalTrial


if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class StopsAfter(LocalTrial):
    """A trial that is ended after some reports, long before its last one; 0 for never."""

    most: int = 0

    def report(self, metrics: Any, checkpoint: Path | None = None) -> None:
        super().report(metrics, checkpoint)
        if self.iteration == self.most:
            raise TrialOver
