"""Which trials have begun and not ended, and which of them Tune holds."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator

    from hpo_app.tuning.attempts import AttemptedTrial

_ACTIVE = ("PENDING", "RUNNING")
_OVER = ("ERROR", "TERMINATED")
# Where every worker is left like that, nothing would be gained by yet another one.
_MOST_MOVES = 3


class AliveTrials:
    """Trials that are alive, by number; what ended is forgotten, so that no look at them grows.

    Attributes:
        held: Those that Tune was given; one that is to go on later is alive and not held.
    """

    def __init__(self) -> None:
        self._numbers: set[int] = set()
        self.held: dict[int, AttemptedTrial] = {}
        self._moves: Counter[int] = Counter()

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    @property
    def num_active(self) -> int:
        """How many train or wait for a worker: those held that are not paused."""
        return sum(trial.status in _ACTIVE for trial in self.held.values())

    def begin(self, number: int) -> None:
        """A trial was asked for, or goes on."""
        self._numbers.add(number)

    def hold(self, trial: AttemptedTrial) -> None:
        """Keep an eye on a trial that Tune is given, because not all its endings are told."""
        self.held[int(trial.trial_id)] = trial

    def end(self, number: int) -> None:
        """A trial ended."""
        self._numbers.discard(number)
        self.held.pop(number, None)

    def untold(self) -> dict[int, AttemptedTrial]:
        """Return the trials that are over for Tune, of which it has told nobody."""
        return {number: trial for number, trial in self.held.items() if trial.status in _OVER}

    def may_move(self, number: int) -> bool:
        """Return whether a trial that found no worker may try another one, and count it."""
        if self.held[number].status != "ERROR" or self._moves[number] >= _MOST_MOVES:
            return False
        self._moves[number] += 1
        return True
