"""Optuna's tree-structured Parzen estimator, for searches that stop most trials early."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from optuna.samplers import TPESampler
from optuna.trial import TrialState


if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_MOST_GOOD = 25


class ParzenEstimator(TPESampler):
    """TPE that takes no more than a quarter of the trials that came to their end for good.

    Optuna takes a tenth of all, complete ones first, and counts those that were stopped: where nine
    of ten are, whatever came to its end is good, the worst of them too. Where fewer than six of ten
    are stopped, the number is Optuna's. It is so also before any trial is complete, and with
    several objectives, whose good trials are a front.

    Source:
        Bergstra et al. (2011), "Algorithms for Hyper-Parameter Optimization". Of which trials its
        gamma is a share is ours, measured in BENCHMARKS.md.
    """

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Count the good ones, once a proposal."""
        complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        # Optuna takes one that breaks a constraint for good only where there is nobody else.
        sound = sum(all(excess <= 0 for excess in each.constraints.values()) for each in complete)
        most = min(math.ceil(sound / 4), _MOST_GOOD)
        is_counted = sound and len(study.directions) == 1
        # The argument of that name warns at each start that it will go.
        self._gamma = (lambda known: min(math.ceil(0.1 * known), most)) if is_counted else None
        super().before_trial(study, trial)
