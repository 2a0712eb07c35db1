"""The limit: the trials in a bare pool of processes, with nothing remembered of them."""

from __future__ import annotations

import math
import multiprocessing
import os
import random
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import TYPE_CHECKING, Any

from contenders.work import SLOTS, Outcome, train_trial


if TYPE_CHECKING:
    from pathlib import Path

    from contenders.work import Work


def start() -> None:
    """Give a worker one thread, as Ray does; there is nothing to start."""
    os.environ["OMP_NUM_THREADS"] = "1"


def stop() -> None:
    """There is nothing to stop."""


def run(work: Work, folder: Path) -> Outcome:  # noqa: ARG001 - it leaves nothing behind
    """Run the trials; the start of the workers is part of it."""
    generator = random.Random(work.name)
    values, first_at = [], 0.0
    with ProcessPoolExecutor(SLOTS, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = [
            pool.submit(train_trial, work, seed, _draw(work, generator)) for seed in work.seeds
        ]
        for future in as_completed(futures):
            first_at = first_at or time.time()
            values.append(future.result())
    return Outcome(values, first_at)


def _draw(work: Work, generator: random.Random) -> dict[str, Any]:
    return {name: _value(generator, *entry) for name, entry in work.space.items()}


def _value(generator: random.Random, kind: str, arguments: tuple[Any, ...]) -> Any:
    if kind == "choice":
        return generator.choice(*arguments)
    low, high = arguments
    if kind == "randint":
        return generator.randrange(low, high)
    if kind == "loguniform":
        return math.exp(generator.uniform(math.log(low), math.log(high)))
    return generator.uniform(low, high)
