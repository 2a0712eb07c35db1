"""Training functions that write down every iteration they train, so that repeated work shows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_app.training.models import quadratic


if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpo_app.training.contract import TrainFunction, Trial

# Names the file; a variable, because workers of both contenders inherit it.
EXECUTED = "FAULTS_EXECUTED"


class WatchedTrial:
    """A trial that notes each report in a file before it makes it."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trial, name)

    def report(self, metrics: Mapping[str, float], checkpoint: Path | None = None) -> None:
        """Note one trained iteration, then report it."""
        with Path(os.environ[EXECUTED]).open("a", encoding="utf-8") as file:
            file.write(f"{self._trial.number} {self._trial.iteration + 1}\n")
        self._trial.report(metrics, checkpoint)


def watched(train: TrainFunction) -> TrainFunction:
    """Return a training function that notes what it trains."""

    def watching(
        model: dict[str, Any], data: dict[str, Any], training: dict[str, Any], trial: Trial
    ) -> None:
        train(model, data, training, WatchedTrial(trial))

    return watching


train_quadratic = watched(quadratic.train)


def train_ppo(
    model: dict[str, Any], data: dict[str, Any], training: dict[str, Any], trial: Trial
) -> None:
    """Train PPO; torch is imported only by those who do."""
    from hpo_app.training.models import ppo  # noqa: PLC0415

    watched(ppo.train)(model, data, training, trial)
