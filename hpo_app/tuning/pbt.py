"""Population-based training that stays inside its bounds."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ray.tune.schedulers import PopulationBasedTraining, TrialScheduler

from hpo_app.plan.search_space import Choice, Integer, Real
from hpo_app.training.seeds import derive_seed
from hpo_app.tuning.turns import TakesTurns


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hpo_app.plan.search_space import Parameter, Params, ParamValue, SearchSpace
    from hpo_app.study.journal import Event
    from hpo_app.study.records import Study, TrialRecord

_MOST_MOVES = 100


class PopulationTraining(TakesTurns, PopulationBasedTraining):
    """Ray's population-based training with mutations derived from the search space.

    Ray multiplies values by 0.8 or 1.2 and never looks at bounds (ray-project/ray#5035). Here a
    value moves by a share of its range in its own scale, logarithmic where the parameter is, and
    stops at the ends. Ray also runs every member that exists; here members take turns.

    Attributes:
        on_clone: Told of each exploit step: target, source, iteration, new parameters and the
            folder of the copied checkpoint.
        iterations: Iterations of a full trial; the state of a member that has trained so far is
            not copied, because nobody could train on from it. None if that is not known.

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
        self._seed = seed
        self._random = random.Random(seed)
        self._past: dict[int, tuple[TrialRecord, float]] = {}
        self.on_clone: Callable[[int, int, int, Params, str], None] | None = None
        self.iterations: int | None = None

    def remember(self, study: Study, events: Iterable[Event]) -> None:  # noqa: ARG002
        """Take over the scores of a population that trained before.

        Args:
            study: What became of it.
            events: The journal behind that, for who wants to know more.
        """
        judged = study.criteria.judged
        self._past = {
            trial.number: (trial, judged(trial.reports[-1].metrics))
            for trial in study.trials
            if trial.reports
        }
        self._num_perturbations = sum(len(trial.clones) for trial in study.trials)

    def on_trial_add(self, tune_controller: Any, trial: Any) -> None:
        """Take a member into the population, with what is remembered of it."""
        super().on_trial_add(tune_controller, trial)
        if trial.config["number"] not in self._past:
            return
        past, score = self._past.pop(trial.config["number"])
        state = self._trial_state[trial]
        result = {"iteration": past.iterations, **past.reports[-1].metrics}
        state.last_score = self._metric_op * score
        state.last_train_time = past.iterations
        interval = self._perturbation_interval
        state.last_perturbation_time = past.iterations - past.iterations % interval
        state.last_result = result

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Look at the population at intervals; a member then makes room for those not yet made."""
        decision: str = super().on_trial_result(tune_controller, trial, result)
        is_look = self._trial_state[trial].last_train_time == result[self._time_attr]
        is_complete = tune_controller.search_alg.is_finished()
        if decision == TrialScheduler.CONTINUE and is_look and not is_complete:
            return str(TrialScheduler.PAUSE)
        return decision

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """Return the member that trained least, or None while as many train as may."""
        chosen = super().choose_trial_to_run(tune_controller)
        return self.in_turn(chosen, tune_controller.get_trials())

    def is_in_use(self, path: str) -> bool:
        """Return whether a member may still copy the checkpoint in this folder."""
        return any(
            _holds(trial, state.last_checkpoint, path)
            for trial, state in self._trial_state.items()
            if not trial.is_finished()
        )

    def _checkpoint_or_exploit(
        self, trial: Any, tune_controller: Any, upper_quantile: list[Any], lower_quantile: list[Any]
    ) -> None:
        # Who is copied, and how values move, depends on how many steps there were, and not on
        # what else was drawn: a run that goes on after a kill draws the same.
        step_seed = derive_seed(self._seed, "exploit", self._num_perturbations)
        random.seed(step_seed)
        self._random.seed(step_seed)
        super()._checkpoint_or_exploit(trial, tune_controller, upper_quantile, lower_quantile)

    def _exploit(self, tune_controller: Any, trial: Any, trial_to_clone: Any) -> None:
        reached = self._trial_state[trial_to_clone].last_result["iteration"]
        if self.iterations is None or reached < self.iterations:
            super()._exploit(tune_controller, trial, trial_to_clone)

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
        """Return `params` with every mutable value moved or drawn anew, inside its bounds.

        A parameter that becomes active is drawn. Where no move that keeps the rules is found, the
        values stay as they are.
        """
        for _ in range(_MOST_MOVES):
            moved = self._all_moved(params)
            if self._space.keeps(moved):
                return moved
        return dict(params)

    def _all_moved(self, params: Params) -> Params:
        mutable = self._space.mutable
        moved = dict(params)
        for name in self._space.order:
            if name not in mutable or not self._space.is_active(name, moved):
                continue
            if name in params:
                moved[name] = self._moved(mutable[name], params[name])
            else:
                moved[name] = mutable[name].at(self._random.random())
        return self._space.active({name: moved[name] for name in self._space if name in moved})

    def _moved(self, parameter: Parameter, value: ParamValue) -> ParamValue:
        if self._random.random() < self._resampling:
            return parameter.at(self._random.random())
        if isinstance(parameter, Choice) and not parameter.is_ordered:
            return value  # Without an order there is no neighbour to move to.
        here = parameter.position(value)  # type: ignore[arg-type]
        direction = self._random.choice((-1, 1))
        there = min(max(here + direction * self._perturbation, 0.0), 1.0)
        moved = parameter.at(there)
        return _neighbour(parameter, value, direction) if moved == value else moved


def _neighbour(parameter: Parameter, here: ParamValue, direction: int) -> ParamValue:
    """Return the next value of a parameter with steps, or `here` where there is none."""
    if isinstance(parameter, Choice):
        index = parameter.index(here) + direction
        return parameter.values[min(max(index, 0), len(parameter.values) - 1)]
    if isinstance(parameter, Integer | Real) and parameter.step is not None:
        low, step = parameter.low, parameter.step
        last = round((parameter.at(1.0) - low) / step)
        place = min(max(round((cast("float", here) - low) / step) + direction, 0), last)
        return min(low + place * step, parameter.high)
    return here


def _holds(trial: Any, held: Any, path: str) -> bool:
    if held is None:
        return False
    if hasattr(held, "resolve"):
        # A save that Ray has not looked at yet; until it has ended it can be any of the trial's.
        result = held.resolve(block=False)
        if result is None:
            return Path(path).parent == Path(trial.storage.trial_fs_path)
        held = result.checkpoint
    return held is not None and str(held.path) == path
