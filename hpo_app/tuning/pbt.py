"""Population-based training that stays inside its bounds."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from ray.tune.schedulers import PopulationBasedTraining

from hpo_app.plan.search_space import Choice, Integer


if TYPE_CHECKING:
    from collections.abc import Callable

    from hpo_app.plan.search_space import Parameter, Params, ParamValue, SearchSpace
    from hpo_app.study.records import Study, TrialRecord


class PopulationTraining(PopulationBasedTraining):
    """Ray's population-based training with mutations derived from the search space.

    Ray multiplies values by 0.8 or 1.2 and never looks at bounds (ray-project/ray#5035). Here a
    value moves by a share of its range in its own scale, logarithmic where the parameter is, and
    stops at the ends.

    Attributes:
        on_clone: Told of each exploit step: target, source, iteration, new parameters and the
            folder of the copied checkpoint.

    Source:
        Jaderberg et al. (2017), "Population Based Training of Neural Networks".
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        perturbation: float = 0.1,
        resample_probability: float = 0.25,
        seed: int = 0,
        **arguments: Any,
    ) -> None:
        # Ray insists on a mutation of its own; ours replaces the whole step below.
        super().__init__(custom_explore_fn=dict, log_config=False, **arguments)
        self._space = space
        self._perturbation = perturbation
        self._resampling = resample_probability
        self._random = random.Random(seed)
        self._past: dict[int, TrialRecord] = {}
        self._metric_name = ""
        self.on_clone: Callable[[int, int, int, Params, str], None] | None = None

    def remember(self, study: Study) -> None:
        """Take over the scores of a population that trained before."""
        self._past = {trial.number: trial for trial in study.trials if trial.reports}
        self._metric_name = study.objective.metric

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Take a member into the population, with what is remembered of it."""
        super().on_trial_add(tune_controller, trial)
        past = self._past.get(trial.config["number"])
        if past is None:
            return
        state = self._trial_state[trial]
        result = {"iteration": past.iterations, **past.reports[-1].metrics}
        state.last_score = self._metric_op * past.reports[-1].metrics[self._metric_name]
        state.last_train_time = past.iterations
        interval = self._perturbation_interval
        state.last_perturbation_time = past.iterations - past.iterations % interval
        state.last_result = result

    def _get_new_config(
        self, trial: Any, trial_to_clone: Any
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        params = self.mutate(trial_to_clone.config["params"])
        source = self._trial_state[trial_to_clone]
        if self.on_clone is not None:
            self.on_clone(
                trial.config["number"],
                trial_to_clone.config["number"],
                source.last_result["iteration"],
                params,
                source.last_checkpoint.path,
            )
        return {**trial.config, "params": params}, {}

    def mutate(self, params: Params) -> Params:
        """Return `params` with every mutable value moved or drawn anew, inside its bounds."""
        moved = {
            name: self._moved(parameter, params[name])
            for name, parameter in self._space.mutable.items()
        }
        return {**params, **moved}

    def _moved(self, parameter: Parameter, value: ParamValue) -> ParamValue:
        if self._random.random() < self._resampling:
            return parameter.at(self._random.random())
        if isinstance(parameter, Choice) and not parameter.is_ordered:
            return value  # Without an order there is no neighbour to move to.
        here = parameter.position(value)  # type: ignore[arg-type]
        step = self._random.choice((-1, 1)) * max(self._perturbation, _neighbour(parameter))
        there = min(max(here + step, 0.0), 1.0)
        return parameter.at(there)


def _neighbour(parameter: Parameter) -> float:
    """Return the share of the range that leads to the next value at least."""
    if isinstance(parameter, Choice):
        return 1 / len(parameter.values)
    if isinstance(parameter, Integer):
        return 1 / ((parameter.high - parameter.low) // parameter.step + 1)
    return 0.0
