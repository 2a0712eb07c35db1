"""What a search may not leave behind in a process that is somebody else's."""

from __future__ import annotations

import contextlib
import logging
import os
import random
import threading
from typing import TYPE_CHECKING

import numpy as np


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


# Ray and Tune are there once per process: a search in a second thread waits for the first.
_SEARCHING = threading.RLock()
_WAITS = "waiting for another search of this process; to search at once, start a process for each"


@contextlib.contextmanager
def process_left_as_it_was(says: Callable[[str], None]) -> Iterator[None]:
    """Put environment, random generators and the level of Ray's log back at the end.

    A search sets them for Ray and for schedulers that draw from the global generators. A notebook
    goes on: its own random numbers and its own Ray must not depend on a search before.

    Args:
        says: Is told, before it begins, that this search waits for another of this process.
    """
    if not _SEARCHING.acquire(blocking=False):
        says(_WAITS)
        _SEARCHING.acquire()
    try:
        with _left_as_it_was():
            yield
    finally:
        _SEARCHING.release()


@contextlib.contextmanager
def _left_as_it_was() -> Iterator[None]:
    environment, level = dict(os.environ), logging.getLogger("ray").level
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        for name in os.environ.keys() - environment.keys():
            del os.environ[name]
        os.environ.update(environment)
        logging.getLogger("ray").setLevel(level)
        random.setstate(python_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
