"""A training app whose evaluations take 0.5 to 4 seconds, by width; the loss is a formula."""

from __future__ import annotations

import json
import math
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import hydra


if TYPE_CHECKING:
    from collections.abc import Iterator

    from omegaconf import DictConfig


def losses(config: DictConfig) -> Iterator[float]:
    """Yield the loss after each epoch: at its least, 0.1, with lr=0.03, width=2 and dropout=0.2."""
    distance = abs(math.log10(config.lr) - math.log10(0.03)) / 2
    floor = 0.1 + distance**2 + 0.04 * (config.width - 2) ** 2 + (config.dropout - 0.2) ** 2
    for epoch in range(1, config.epochs + 1):
        time.sleep(config.epoch_s * 2**config.width)
        yield floor + 0.5 / epoch


def note(started: float, loss: float) -> None:
    """Write down an evaluation: from when to now, and what came out."""
    line = {"started": started, "ended": time.time(), "value": loss, "pid": os.getpid()}
    with Path(os.environ["EVALUATIONS"]).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


@hydra.main(version_base=None, config_path=".", config_name="config")
def main(config: DictConfig) -> float:
    """Train, and write down from when to when, and what came out."""
    started, loss = time.time(), math.inf
    for loss in losses(config):  # noqa: B007 - the last one counts
        pass
    note(started, loss)
    return loss


if __name__ == "__main__":
    main()
