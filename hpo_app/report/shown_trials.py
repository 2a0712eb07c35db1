"""From very many trials to those that a page has room for."""

from __future__ import annotations

from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpo_app.study.records import TrialRecord


def shown_trials(ordered: Sequence[TrialRecord], most: int) -> list[tuple[int, TrialRecord]]:
    """Return the first trials with their places, from 1, and the default configuration with them.

    Where it stands further down, it takes the last seat: it is what the others are measured by.

    Args:
        ordered: All trials, the best first.
        most: How many there is room for, at least one.
    """
    placed = list(enumerate(ordered, start=1))
    below = [(place, trial) for place, trial in placed[most:] if trial.is_default]
    return [*placed[: most - len(below)], *below]
