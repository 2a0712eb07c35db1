"""From whatever earlier trials left behind in a process to the state that every trial starts in."""

from __future__ import annotations

import contextlib
import os
import random
import sys
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextlib.contextmanager
def same_start(seed: int, num_threads: int) -> Iterator[None]:
    """Let a trial train in the state that the first trial of this process found, and clean up.

    The environment variables, the working folder, `sys.argv`, `sys.path` and the filters of
    warnings are those that the first trial found, after the import of its training function. The
    random generators of Python, NumPy and torch start from `seed`, and torch has `num_threads`.
    Torch is looked after once it is loaded. What else a trial may change in its process, such as
    attributes of modules, is its own business.

    Args:
        seed: Seed of the trial, in `[0, 2**31)`.
        num_threads: Threads for torch.
    """
    state = _first_state()
    state.restore()
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the generator that a trainer may use without saying so
    torch: Any = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed)
        torch.set_num_threads(num_threads)
    try:
        with warnings.catch_warnings():
            yield
    finally:
        # Not only before the next trial: without a working folder not even a worker can go on.
        state.restore()


@dataclass(frozen=True)
class ProcessState:
    """What a process looks like from inside."""

    environment: Mapping[str, str]
    folder: str
    arguments: tuple[str, ...]
    import_path: tuple[str, ...]

    @classmethod
    def here(cls) -> ProcessState:
        """Return the state of this process."""
        return cls(dict(os.environ), os.getcwd(), tuple(sys.argv), tuple(sys.path))  # noqa: PTH109

    def restore(self) -> None:
        """Bring this process back to this state."""
        for name in os.environ.keys() - self.environment.keys():
            del os.environ[name]
        os.environ.update(self.environment)
        os.chdir(self.folder)
        sys.argv = list(self.arguments)
        sys.path[:] = self.import_path


@lru_cache(maxsize=1)
def _first_state() -> ProcessState:
    return ProcessState.here()
