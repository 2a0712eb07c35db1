"""From starts, reports and pauses to how long each trial has trained and has been silent."""

from __future__ import annotations


class TrainingTime:
    """Keeps the time of the attempts under way, on one clock of the caller's.

    An attempt may be in several turns, with pauses between them. The wait of the first workers for
    each other (tuning/warmup.py), and the wait before a new attempt, are not training.
    """

    def __init__(self, num_workers: int, limit_s: float) -> None:
        """Wait for workers.

        Args:
            num_workers: How many wait for each other.
            limit_s: Seconds after the first trial's start at which none waits any longer.
        """
        self._num_workers = num_workers
        self._limit_s = limit_s
        self._warm_by: float | None = None
        self._is_warm = False
        self._turns: dict[int, float] = {}
        self._before_s: dict[int, float] = {}
        self._heard_at: dict[int, float] = {}

    @property
    def training(self) -> list[int]:
        """Numbers of the trials that train, in ascending order."""
        return sorted(self._turns)

    def started(self, number: int, now: float, wait_s: float = 0.0) -> None:
        """Take note that a worker took a trial, which begins to train after `wait_s`."""
        if self._warm_by is None:
            self._warm_by = now + self._limit_s
        self._turns[number] = self._heard_at[number] = now + wait_s
        self.passed(now)

    def reported(self, number: int, now: float) -> None:
        """Take note of a report."""
        if number in self._turns:
            self._heard_at[number] = now

    def paused(self, number: int, now: float) -> None:
        """Take note that a trial trains no longer, and will go on in the same attempt."""
        if number in self._turns:
            self._before_s[number] = self.trained_s(number, now)
            del self._turns[number]

    def ended(self, number: int) -> None:
        """Forget an attempt."""
        for times in (self._turns, self._before_s, self._heard_at):
            times.pop(number, None)

    def passed(self, now: float) -> None:
        """Take note of the time, while workers may still wait for each other."""
        if self._is_warm:
            return
        is_late = self._warm_by is not None and now >= self._warm_by
        self._is_warm = len(self._turns) >= self._num_workers or is_late
        for number, since in self._turns.items():
            self._turns[number] = self._heard_at[number] = max(since, now)

    def trained_s(self, number: int, now: float) -> float:
        """Return for how long the attempt has trained, in seconds; 0 before it begins."""
        return self._before_s.get(number, 0.0) + max(now - self._turns[number], 0.0)

    def silent_s(self, number: int, now: float) -> float:
        """Return the seconds since its last report, or since it began to train."""
        return max(now - self._heard_at[number], 0.0)
