"""Optuna's Gaussian process, for which no bad value is too far away."""

from __future__ import annotations

import copy
from statistics import median
from typing import TYPE_CHECKING, Any

import optuna
from optuna.samplers import GPSampler, RandomSampler
from optuna.study import StudyDirection
from optuna.trial import TrialState


if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

# Of fewer, no half says how far values lie apart.
_FEWEST = 4
_REACH = 3.0


def fenced(values: Sequence[float]) -> list[float]:
    """Return values, lower is better, with those beyond the fence set to it.

    The fence stands as far on the bad side of the middle as three times the way from there to the
    best. One training that diverged to 1e9 leaves no difference between all others once they are
    standardised, as Optuna does; of a bad value a model needs to know no more than that it is bad.
    """
    if len(values) < _FEWEST:
        return list(values)
    middle = median(values)
    fence = middle + _REACH * (middle - min(values))
    # Where the better half is alike, it has no measure for the others.
    return [min(value, fence) for value in values] if fence > middle else list(values)


class GaussianProcess(GPSampler):
    """Optuna's sampler, which sees the values of a single objective `fenced`."""

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return values of what is proposed together."""
        if len(study.directions) > 1:
            return super().sample_relative(study, trial, search_space)
        known = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        sign = 1.0 if study.direction is StudyDirection.MINIMIZE else -1.0
        told = [sign * each.values[0] for each in known]
        values = fenced(told)
        if values == told:
            return super().sample_relative(study, trial, search_space)
        # What a study was told stays as it is: the fence moves with every trial.
        seen = optuna.create_study(sampler=RandomSampler(), direction=study.direction)
        for each, value in zip(known, values, strict=True):
            retold = copy.copy(each)
            retold.values = [sign * value]
            seen.add_trial(retold)
        others = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        seen.add_trials(each for each in others if each.number != trial.number)
        seen.ask()
        return super().sample_relative(seen, seen.get_trials(deepcopy=False)[-1], search_space)
