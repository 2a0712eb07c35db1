"""From a study to its progress: the best value so far, trial by trial."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hpo_app.analysis.best import rank, reach


if TYPE_CHECKING:
    from hpo_app.study.records import Study, TrialRecord


@dataclass(frozen=True)
class BestSoFar:
    """How the best value came about.

    Attributes:
        steps: `(number, value)` of each trial that beat all before it, among those that were
            trained as far as the best trial; the last one is the best trial. Others are left out,
            because a value from early in the training does not compare.
        iterations: How far those were trained; None if they ended by themselves, each when it was
            done.
    """

    steps: tuple[tuple[int, float], ...]
    iterations: int | None


def best_so_far(study: Study) -> BestSoFar:
    """Return the course of the best value; of several objectives, that of the first one.

    It is that of the search, also where fresh seeds chose another winner afterwards.
    """
    ranked = rank(replace(study.searched, criteria=study.criteria.of_first))
    if not ranked:
        return BestSoFar((), 0)
    # The best trial may only tie with an earlier one; the line still has to end there.
    place = {trial.number: place for place, trial in enumerate(ranked)}
    furthest = _as_far_as(ranked[0], study)
    steps: list[tuple[int, float]] = []
    leading = len(ranked)
    for trial in sorted(furthest, key=lambda trial: trial.number):
        value = trial.value(study.objective.metric)
        if value is not None and place[trial.number] < leading:
            leading = place[trial.number]
            steps.append((trial.number, value))
    lengths = {trial.iterations for trial in furthest}
    return BestSoFar(tuple(steps), lengths.pop() if len(lengths) == 1 else None)


def _as_far_as(best: TrialRecord, study: Study) -> list[TrialRecord]:
    far = reach(best, study.iterations)
    return [
        trial
        for trial in study.trials
        if trial.value(study.objective.metric) is not None and reach(trial, study.iterations) == far
    ]
