"""From trials with several objectives to those that no other beats, and to one among them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from hpo_app.plan.criteria import Criteria
    from hpo_app.study.records import Study, TrialRecord


def pareto_front(study: Study) -> list[TrialRecord]:
    """Return the trials that no other beats, by the value of the first objective, best first.

    They were trained to their end and keep all constraints. One trial beats another if it is at
    least as good in every objective, and better in one. Trials that are equal in all are all there.
    """
    front = Front(study.criteria, study.iterations)
    for trial in study.trials:
        front.add(trial)
    return front.members


class Front:
    """The trials that no other beats, kept up to date while trials end.

    Args:
        criteria: By what trials are judged.
        full: Iterations of a full trial.
    """

    def __init__(self, criteria: Criteria, full: int) -> None:
        self._criteria = criteria
        self._full = full
        self._gains: dict[int, tuple[float, ...]] = {}
        self._trials: dict[int, TrialRecord] = {}

    def __contains__(self, number: int) -> bool:
        return number in self._trials

    def add(self, trial: TrialRecord) -> list[int]:
        """Take a trial as it stands, if it belongs here; return the numbers of those it beats.

        One that is not trained to its end, or does not keep the constraints, does not.
        """
        is_sound = self._criteria.are_in(trial.last) and not trial.unmet(self._criteria)
        if not is_sound or not self._is_whole(trial):
            return []
        gains = gains_of(trial.last, self._criteria)
        others = {number: known for number, known in self._gains.items() if number != trial.number}
        if any(beats(known, gains) for known in others.values()):
            return []
        beaten = [number for number, known in others.items() if beats(gains, known)]
        for number in beaten:
            del self._gains[number], self._trials[number]
        self._gains[trial.number], self._trials[trial.number] = gains, trial
        return beaten

    def _is_whole(self, trial: TrialRecord) -> bool:
        # The end of a run may cut a trial off between its last report and its end.
        was_cut_off = trial.state is TrialState.INTERRUPTED
        is_at_its_end = was_cut_off and trial.iterations >= self._full
        return trial.state is TrialState.FINISHED or is_at_its_end

    @property
    def members(self) -> list[TrialRecord]:
        """The trials, by the value of the first objective, best first, then by number."""
        ordered = sorted(self._gains.items(), key=lambda item: (-item[1][0], item[0]))
        return [self._trials[number] for number, _ in ordered]


def gains_of(metrics: Mapping[str, float], criteria: Criteria) -> tuple[float, ...]:
    """Return the values of all objectives, each turned so that more is better."""
    return tuple(objective.sign * metrics[objective.metric] for objective in criteria.objectives)


def balance_order(gains: Sequence[tuple[float, ...]]) -> list[tuple[int, float]]:
    """Return what orders trials that differ in their objectives only: the smallest is the best.

    First by how many others beat a trial, which is 0 on the front; then by its distance to the
    ideal point, which has the best value of each objective, where the values of the front reach
    from 0 to 1 in each. So the first is the one that gives up least, with no objective weighing
    more than another.

    Args:
        gains: Per trial, the values of the objectives, more being better.

    Source:
        Fonseca and Fleming (1993), "Genetic Algorithms for Multiobjective Optimization", for the
        count; Zeleny (1973), "Compromise Programming", for the distance.
    """
    if not gains:
        return []
    table = np.array(gains, dtype=float)  # (num_trials, num_objectives)
    counts = _beaten_by(table)
    front = table[np.array(counts) == 0]
    best, worst = front.max(axis=0), front.min(axis=0)
    # Halves, because the difference of the largest and the smallest float is beyond all floats.
    spans = best / 2 - worst / 2
    with np.errstate(over="ignore"):
        shares = (best / 2 - table / 2) / np.where(spans > 0, spans, 1.0)
    shares[:, spans == 0] = 0.0
    distances = [math.hypot(*map(float, row)) for row in np.clip(shares, -1e150, 1e150)]
    return list(zip(counts, distances, strict=True))


def _beaten_by(table: NDArray[np.float64]) -> list[int]:
    """Return how many rows beat each row of `(num_trials, num_objectives)`."""
    # By columns, because NumPy is slow along a short axis: ten thousand trials take a second less.
    columns = [np.ascontiguousarray(column) for column in table.T]
    counts = []
    for row in table:
        no_worse = np.logical_and.reduce(
            [column >= own for column, own in zip(columns, row, strict=True)]
        )
        equal = np.logical_and.reduce(
            [column == own for column, own in zip(columns, row, strict=True)]
        )
        counts.append(int(np.count_nonzero(no_worse) - np.count_nonzero(equal)))
    return counts


def beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Return whether gains are at least as good in all objectives, and better in one."""
    return one != other and all(a >= b for a, b in zip(one, other, strict=True))
