"""From all checkpoints of a run to the few on disk that somebody may still need."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hpo_app.study.disk import OVER_BUDGET, size_text
from hpo_app.tuning.store import Store


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hpo_app.analysis.best import Standing

CHECKPOINT_PREFIX = "checkpoint_"
# Of a trial that trains. The second is there in case the newest turns out to be damaged.
OF_RUNNING = 2


@dataclass
class _OfTrial:
    """The checkpoints of one trial.

    Attributes:
        sizes: Bytes by path, oldest first.
        base: Where the trial would go on from, maybe a checkpoint of another trial; None for a
            trial that has ended, or that has none.
        standing: How a trial that ended stands among the others; None if it failed or trains.
        has_ended: Whether it needs no checkpoint to go on from.
    """

    sizes: dict[str, int] = field(default_factory=dict)
    base: str | None = None
    standing: Standing | None = None
    has_ended: bool = False


class KeptCheckpoints:
    """Knows which checkpoints are needed, and removes the others when it is told to `clean`.

    Needed are the newest of each trial that has not ended, or what it would go on from instead;
    one more of each in reserve; the last one of the best trials that ended; and whatever the
    scheduler may still copy. Where a budget binds, the reserves go first, then the best trials'
    from the worst of them on.

    Attributes:
        store: Where they are kept.
        is_copied: Asked before a checkpoint is removed: whether the scheduler may still copy it.
        largest: Bytes of the largest checkpoint so far; 0 before the first.
    """

    def __init__(
        self, keep_best: int, budget_bytes: float | None = None, store: Store | None = None
    ) -> None:
        self._keep_best = keep_best
        self._budget = budget_bytes
        self._trials: dict[int, _OfTrial] = {}
        self._best: list[tuple[Standing, int]] = []
        self._crowded: set[int] = set()
        self._used = 0
        self._has_told = False
        self.store = store or Store(Path())
        self.is_copied: Callable[[str], bool] = lambda _path: False
        self.largest = 0

    def take_over(self, number: int, folder: Path, base: Path | None = None) -> None:
        """Count what an earlier start of the run left of a trial.

        Args:
            number: The trial.
            folder: The trial's folder.
            base: The checkpoint from which it goes on.
        """
        trial = self._trial(number)
        trial.base = str(base) if base else None
        for path in sorted(folder.glob(f"{CHECKPOINT_PREFIX}*")):
            self._count(trial, str(path))
        self._crowded.add(number)

    def add(self, number: int, path: str) -> None:
        """Take note of a trial's newest checkpoint."""
        trial = self._trial(number)
        self._count(trial, path)
        if not trial.has_ended:
            trial.base = path
        self._crowded.add(number)

    def copied(self, number: int, path: str) -> None:
        """Take note that a trial goes on from the checkpoint of another."""
        self._trial(number).base = path

    def ended(self, number: int, standing: Standing | None) -> None:
        """Take note that a trial will not go on.

        Args:
            number: The trial.
            standing: How it stands among the others, smallest first; None if it failed.
        """
        trial = self._trial(number)
        trial.base, trial.has_ended, trial.standing = None, True, standing
        self._crowded.add(number)
        if standing is not None:
            self._best.append((standing, number))
            self._best.sort()
            self._crowded.update(other for _, other in self._best[self._keep_best :])
            del self._best[self._keep_best :]

    def beaten(self, number: int) -> None:
        """Take note that a trial that ended is no longer one of the best."""
        self._best = [known for known in self._best if known[1] != number]
        if number in self._trials:
            self._crowded.add(number)

    def clean(self) -> tuple[str, str]:
        """Remove what nobody needs, and what the budget has no room for.

        What was taken note of must be on record by now: a run that goes on after a kill needs the
        checkpoints that the journal tells of.

        Returns:
            What a person should know of it, said once, and why the run has to end; both are empty
            where all is well.
        """
        self._remove_needless()
        if self._budget is None or self._used <= self._budget:
            return "", ""
        note = ""
        for number, path in list(self._expendable()):
            if self._used <= self._budget:
                break
            if self._remove(self._trials[number], path) and not self._has_told:
                self._has_told = True
                note = (
                    f"checkpoints.budget_gb={self._budget / 1e9:g} is used up: reserves and "
                    "checkpoints of trials that ended are removed, the least needed first"
                )
        if self._used <= self._budget:
            return note, ""
        need = f"what the trials would go on from takes {size_text(self._used)}"
        return note, f"{OVER_BUDGET} {need}, more than {size_text(self._budget)}"

    def _trial(self, number: int) -> _OfTrial:
        return self._trials.setdefault(number, _OfTrial())

    def _count(self, trial: _OfTrial, path: str) -> None:
        # Tune tells of some twice.
        self._used -= trial.sizes.pop(path, 0)
        size = self.store.size(Path(path))
        trial.sizes[path] = size
        self._used += size
        self.largest = max(self.largest, size)

    def _remove_needless(self) -> None:
        """Look at the trials that have more than they need; one in use is looked at again."""
        if not self._crowded:
            return
        in_use = self._bases()
        for number in list(self._crowded):
            trial = self._trial(number)
            allowed = self._allowed(number, trial)
            for path in list(trial.sizes)[: max(len(trial.sizes) - allowed, 0)]:
                if path not in in_use:
                    self._remove(trial, path)
            if len(trial.sizes) <= allowed:
                self._crowded.discard(number)
            if trial.has_ended and not trial.sizes:
                del self._trials[number]  # A long run has thousands of them.

    def _allowed(self, number: int, trial: _OfTrial) -> int:
        if not trial.has_ended:
            return OF_RUNNING
        return int((trial.standing, number) in self._best)

    def _bases(self) -> set[str]:
        return {trial.base for trial in self._trials.values() if trial.base}

    def _expendable(self) -> Iterator[tuple[int, str]]:
        """Yield what could go, the least needed first."""
        in_use = self._bases()
        for number, trial in self._trials.items():
            if not trial.has_ended:
                yield from ((number, path) for path in trial.sizes if path not in in_use)
        for _, number in reversed(self._best):
            paths = self._trial(number).sizes
            yield from ((number, path) for path in paths if path not in in_use)

    def _remove(self, trial: _OfTrial, path: str) -> bool:
        if self.is_copied(path):
            return False
        self.store.remove(Path(path))
        self._used -= trial.sizes.pop(path)
        return True
