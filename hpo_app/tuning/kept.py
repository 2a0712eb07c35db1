"""From all checkpoints of a run to the few on disk that somebody may still need."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# The second is there in case the newest turns out to be damaged.
_KEPT = 2


class KeptCheckpoints:
    """Removes the checkpoints of each trial but the newest, and but those in use.

    One that is in use today is looked at again with the next checkpoint of its trial.
    """

    def __init__(self, is_in_use: Callable[[str], bool]) -> None:
        self._is_in_use = is_in_use
        self._known: dict[int, dict[str, None]] = {}

    def take_over(self, number: int, folder: Path) -> None:
        """Count what an earlier start of the run left of a trial."""
        found = sorted(folder.glob("checkpoint_*"))
        self._known[number] = dict.fromkeys(str(path) for path in found)

    def add(self, number: int, path: str) -> None:
        """Take note of a trial's newest checkpoint, and remove older ones."""
        known = self._known.setdefault(number, {})
        # Tune tells of some twice.
        known.pop(path, None)
        known[path] = None
        for old in list(known)[:-_KEPT]:
            if not self._is_in_use(old):
                shutil.rmtree(old, ignore_errors=True)
                del known[old]
