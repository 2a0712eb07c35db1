"""A Gaussian process while trials are few, Parzen estimators once they are many."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from optuna.samplers import BaseSampler
from optuna.trial import TrialState

from hpo_app.search.gaussian import GaussianProcess
from hpo_app.search.tpe import ParzenEstimator


if TYPE_CHECKING:
    from collections.abc import Sequence

    from optuna.distributions import BaseDistribution
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_NEEDED = ("torch", "scipy")


class AutoSampler(BaseSampler):
    """Optuna's Gaussian process for the first trials, its TPE from there on.

    A Gaussian process finds more with few trials, and thinks longer about each further one; TPE
    has hardly a model before some twenty, and is quick at any number. Several objectives, and an
    environment without torch or scipy, get TPE from the first trial on.

    Source:
        The idea is that of OptunaHub's AutoSampler, https://hub.optuna.org/samplers/auto_sampler/.

    Attributes:
        note: What a person should know of it; empty if all is well.

    Args:
        seed: Of both.
        n_startup_trials: Random trials before a model takes over.
        n_gp_trials: Trials with a value from which on TPE proposes.
    """

    def __init__(self, *, seed: int, n_startup_trials: int = 5, n_gp_trials: int = 60) -> None:
        missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
        self.note = ""
        if missing:
            lacking = " and ".join(missing)
            self.note = (
                f"search_alg=auto goes by TPE alone, because {lacking} is not installed: "
                'pip install "hpo_app[gp]"'
            )
        self._n_gp_trials = 0 if missing else n_gp_trials
        self._gp = GaussianProcess(seed=seed, n_startup_trials=n_startup_trials)
        self._tpe = ParzenEstimator(
            seed=seed, n_startup_trials=n_startup_trials, multivariate=False
        )
        self._chosen: BaseSampler = self._tpe

    @property
    def has_process(self) -> bool:
        """Whether a Gaussian process proposes at first."""
        return self._n_gp_trials > 0

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Choose who proposes this trial."""
        known = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        is_early = len(known) < self._n_gp_trials and len(study.directions) == 1
        self._chosen = self._gp if is_early else self._tpe
        self._chosen.before_trial(study, trial)

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return what is proposed together."""
        return self._chosen.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return values of what is proposed together."""
        return self._chosen.sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Return the value of one parameter."""
        return self._chosen.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self,
        study: Study,
        trial: FrozenTrial,
        state: TrialState,
        values: Sequence[float] | None,
    ) -> None:
        """Let both hear of a trial that ended."""
        self._gp.after_trial(study, trial, state, values)
        self._tpe.after_trial(study, trial, state, values)

    def reseed_rng(self) -> None:
        """Draw other numbers from here on."""
        self._gp.reseed_rng()
        self._tpe.reseed_rng()
