"""Ways to search that no config group has, tried beside the standard preset; adopted if best."""
# ruff: noqa: D102 - described in simulator.Method

from __future__ import annotations

import math
from statistics import NormalDist, median
from typing import TYPE_CHECKING, Any

import optuna
from optuna.trial import TrialState as OptunaState, create_trial

from hpo_app.plan.search_space import Choice
from hpo_app.search.distributions import to_drawn, to_params
from hpo_app.search.engine import Outcome
from hpo_app.search.optuna_engine import OptunaEngine
from hpo_app.study.earlier import EarlierTrial
from hpo_app.study.records import Report, TrialState
from quality.methods import Ours, best_of, best_shared, best_whole, reports_of
from quality.simulator import CONTINUE, PAUSE


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hpo_app.plan.search_space import Params
    from quality.simulator import Method, SimulatedTrial
    from quality.tasks import Task

_LEAST_FOR_A_MODEL = 8
# A Gaussian process thinks longer about each further trial.
_MOST_FOR_A_PROCESS = 60


class RetoldEngine(OptunaEngine):
    """Hears of a trial each time that it pauses, and once more when it has gone on."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._params_of: dict[int, Params] = {}

    def tell(self, number: int, outcome: Outcome) -> str:
        if number in self._open:
            self._params_of[number] = to_params(self._space, self._open[number].params)
            return super().tell(number, outcome)
        # Optuna takes back no word: the longer curve stands beside the shorter one.
        curve = tuple(outcome.curve("loss"))
        self.learn(EarlierTrial("", number, outcome.state, self._params_of[number], curve))
        return outcome.state.name


class Promoting(Ours):
    """ASHA as its paper has it: trials pause at milestones, and the best of each go on.

    Source:
        Algorithm 2 of https://arxiv.org/abs/1810.05934. Ray's scheduler of that name stops what is
        not among the best when it arrives, and nothing that it stopped can go on.
    """

    def __init__(
        self, task: Task, seed: int, *overrides: str, grace: int = 2, factor: int = 3, **parts: Any
    ) -> None:
        parts = {"engine": RetoldEngine, **parts}
        super().__init__(task, seed, ["preset=standard", *overrides], **parts)
        self._factor, self._whole = factor, task.iterations
        milestones = []
        while grace < task.iterations:
            milestones.append(grace)
            grace *= factor
        self._losses: dict[int, dict[int, float]] = {each: {} for each in milestones}
        self._gone_on: set[tuple[int, int]] = set()

    def next_trial(self) -> SimulatedTrial | None:
        for milestone in sorted(self._losses, reverse=True):
            losses = self._losses[milestone]
            for number in sorted(losses, key=losses.__getitem__)[: len(losses) // self._factor]:
                if (milestone, number) not in self._gone_on:
                    self._gone_on.add((milestone, number))
                    return self.trials[number]
        return super().next_trial()

    def on_report(self, trial: SimulatedTrial, iteration: int, loss: float) -> str:
        if iteration not in self._losses or iteration >= self._whole:
            return CONTINUE
        self._losses[iteration][trial.number] = loss
        self._hear(trial, TrialState.STOPPED)
        return PAUSE

    def on_end(self, trial: SimulatedTrial, *, is_whole: bool) -> None:
        self._hear(trial, TrialState.FINISHED if is_whole else TrialState.STOPPED)

    def _hear(self, trial: SimulatedTrial, state: TrialState) -> None:
        outcome = Outcome(state, reports_of(trial))
        is_first = len(trial.reports) <= min(self._losses, default=self._whole)
        # The searcher keeps what was tried, once a trial.
        (self._searcher if is_first else self._searcher._engine).tell(trial.number, outcome)


class ExtrapolatingEngine(OptunaEngine):
    """Tells a stopped trial as complete, with what whole trials still gained from there on."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._whole: list[dict[int, float]] = []

    def tell(self, number: int, outcome: Outcome) -> str:
        curve = dict(outcome.curve("loss"))
        if outcome.state is TrialState.FINISHED and curve:
            self._whole.append(curve)
        if outcome.state is TrialState.STOPPED and len(self._whole) >= 3 and curve:
            at = max(curve)
            gains = [known[max(known)] - known[at] for known in self._whole if at in known]
            last = Report(at, {"loss": curve[at] + median(gains)}, 0.0) if gains else None
            if last is not None:
                return super().tell(number, Outcome(TrialState.FINISHED, (last,)))
        return super().tell(number, outcome)


class ModelledEngine(OptunaEngine):
    """Gives a model every trial that reported as complete, and only as it is known by now.

    Args:
        values: Returns what each is told with, from their curves.
    """

    def __init__(
        self,
        space: Any,
        criteria: Any,
        sampler: Any,
        *,
        values: Callable[[Sequence[dict[int, float]]], list[float]],
    ) -> None:
        super().__init__(space, criteria, sampler)
        self._values_of = values
        self._drawn: dict[int, Params] = {}
        self._curves: dict[int, dict[int, float]] = {}

    def propose(self, number: int) -> Params:
        if len(self._curves) == _MOST_FOR_A_PROCESS:
            self._study.sampler = optuna.samplers.TPESampler(
                n_startup_trials=0, constant_liar=True, seed=0
            )
        told = optuna.create_study(sampler=self._study.sampler)
        values = dict(zip(self._curves, self._values_of(list(self._curves.values())), strict=True))
        for known, drawn in self._drawn.items():
            state = OptunaState.COMPLETE if known in values else OptunaState.RUNNING
            told.add_trial(
                create_trial(
                    state=state,
                    value=values.get(known),
                    params=drawn,
                    distributions=self._distributions,
                )
            )
        self._drawn[number] = told.ask(self._distributions).params
        return to_params(self._space, self._drawn[number])

    def impose(self, number: int, params: Params) -> None:
        self._drawn[number] = to_drawn(self._space, params)

    def withdraw(self, number: int) -> None:
        del self._drawn[number]

    def tell(self, number: int, outcome: Outcome) -> str:
        self._curves[number] = dict(outcome.curve("loss"))
        return outcome.state.name


def last_values(curves: Sequence[dict[int, float]]) -> list[float]:
    """Return the last value of each, at whatever length."""
    return [curve[max(curve)] for curve in curves]


def places(curves: Sequence[dict[int, float]]) -> list[float]:
    """Return the quantiles of a normal distribution by place: the furthest trained, then the best.

    As Optuna's TPE orders stopped trials; an early loss is never taken for one of the end.
    """
    order = sorted(
        range(len(curves)), key=lambda at: (-max(curves[at]), curves[at][max(curves[at])])
    )
    normal, found = NormalDist(), [0.0] * len(curves)
    for place, at in enumerate(order):
        found[at] = normal.inv_cdf((place + 0.5) / len(curves))
    return found


def modelled(values: Any) -> Callable[..., ModelledEngine]:
    """Return how such an engine is made."""
    return lambda *arguments: ModelledEngine(*arguments, values=values)


def best_by_forest(space: Any) -> Callable[[Sequence[SimulatedTrial]], SimulatedTrial | None]:
    """Return what hands back the whole trial that a forest's mean takes for the best."""

    def choose(trials: Sequence[SimulatedTrial]) -> SimulatedTrial | None:
        from sklearn.ensemble import ExtraTreesRegressor  # noqa: PLC0415

        longest = max((len(trial.reports) for trial in trials), default=0)
        whole = [trial for trial in trials if len(trial.reports) == longest]
        if len(whole) < _LEAST_FOR_A_MODEL:
            return best_of(trials)
        rows = [
            [_position(space[name], value) for name, value in space.complete(trial.params).items()]
            for trial in whole
        ]
        losses = [trial.reports[-1] for trial in whole]
        forest = ExtraTreesRegressor(100, min_samples_leaf=2, random_state=0).fit(rows, losses)
        return min(zip(whole, forest.predict(rows), strict=True), key=lambda pair: pair[1])[0]

    return choose


def _position(parameter: Any, value: Any) -> float:
    is_choice = isinstance(parameter, Choice)
    return float(parameter.index(value) if is_choice else parameter.position(value))


class CompleteEngine(OptunaEngine):
    """Tells a stopped trial as complete with its last value, as Ray's adapter does."""

    def tell(self, number: int, outcome: Outcome) -> str:
        state = outcome.state
        state = TrialState.FINISHED if state is TrialState.STOPPED else state
        return super().tell(number, Outcome(state, outcome.reports))


def best_last(trials: Sequence[SimulatedTrial]) -> SimulatedTrial | None:
    """Return the best last value at any length: what Ray Tune hands back."""
    reported = [trial for trial in trials if trial.reports]
    return min(reported, key=lambda trial: trial.reports[-1], default=None)


def best_mean(trials: Sequence[SimulatedTrial], count: int = 3) -> SimulatedTrial | None:
    """Return the furthest trained with the best mean of its last reports."""
    reported = [trial for trial in trials if trial.reports]
    return min(
        reported,
        key=lambda trial: (
            -len(trial.reports),
            sum(trial.reports[-count:]) / len(trial.reports[-count:]),
        ),
        default=None,
    )


def variant(*overrides: str, **parts: Any) -> Callable[[Task, int], Method]:
    """Return the standard preset with something changed."""
    return lambda task, seed: Ours(task, seed, ["preset=standard", *overrides], **parts)


def promoting(*overrides: str, **parts: Any) -> Callable[[Task, int], Method]:
    """Return the same for trials that pause and are promoted from their first report on."""
    return lambda task, seed: Promoting(task, seed, *overrides, grace=1, **parts)


def parzen(gamma: Callable[[int, int], float] | None = None) -> Callable[[Task, int], Method]:
    """Return the preset with Optuna's own TPE, one model of all parameters together.

    Args:
        gamma: Returns how many trials are good, from how many are known and how many of these are
            complete; None for Optuna's number.
    """

    def engine(space: Any, criteria: Any, sampler: Any) -> OptunaEngine:
        made = OptunaEngine(space, criteria, sampler)

        def count(known: int) -> int:
            complete = made._study.get_trials(deepcopy=False, states=(OptunaState.COMPLETE,))
            return min(max(math.ceil(gamma(known, len(complete))), 1), 25)  # type: ignore[misc]

        if gamma is not None:
            sampler._gamma = count
        return made

    target = "search_alg._target_=optuna.samplers.TPESampler"
    return variant(target, "search_alg.multivariate=true", engine=engine)


_GP = ("search_alg=optuna_gp", "search_alg.n_startup_trials=5")

VARIANTS: dict[str, Callable[[Task, int], Method]] = {
    "grace 1": variant("scheduler.grace_period=1"),
    "grace 1, factor 4": variant("scheduler.grace_period=1", "scheduler.reduction_factor=4"),
    "grace 1, factor 2": variant("scheduler.grace_period=1", "scheduler.reduction_factor=2"),
    "factor 4": variant("scheduler.reduction_factor=4"),
    "grace 4, factor 2": variant("scheduler.grace_period=4", "scheduler.reduction_factor=2"),
    "startup 5": variant("search_alg.n_startup_trials=5"),
    "startup 20": variant("search_alg.n_startup_trials=20"),
    "grace 1, startup 20": variant("scheduler.grace_period=1", "search_alg.n_startup_trials=20"),
    "told complete": variant(engine=CompleteEngine),
    "grace 1, told complete": variant("scheduler.grace_period=1", engine=CompleteEngine),
    "grace 1, factor 4, told complete": variant(
        "scheduler.grace_period=1", "scheduler.reduction_factor=4", engine=CompleteEngine
    ),
    "optuna's tpe": parzen(),
    "optuna's tpe, univariate": variant("search_alg._target_=optuna.samplers.TPESampler"),
    "multivariate": variant("search_alg.multivariate=true"),
    "gamma of hyperopt": parzen(lambda known, _: 0.25 * math.sqrt(known)),
    "gamma 0.05": parzen(lambda known, _: 0.05 * known),
    "a tenth of complete": parzen(lambda known, complete: min(0.1 * known, 0.1 * complete)),
    "a half of complete": parzen(lambda known, complete: min(0.1 * known, 0.5 * complete)),
    "best whole": variant(choose=best_whole),
    "best last": variant(choose=best_last),
    "best mean of 3": variant(choose=best_mean),
    "grace 1, best last": variant("scheduler.grace_period=1", choose=best_last),
    "best shared": variant(choose=best_shared),
    "brackets 3, best shared": variant("scheduler.brackets=3", choose=best_shared),
    "grace 1, brackets 3, best shared": variant(
        "scheduler.grace_period=1", "scheduler.brackets=3", choose=best_shared
    ),
    "factor 4, best shared": variant("scheduler.reduction_factor=4", choose=best_shared),
    "grace 3, best shared": variant("scheduler.grace_period=3", choose=best_shared),
    "median stopping, best shared": variant("scheduler=median_stopping", choose=best_shared),
    "told complete, best shared": variant(engine=CompleteEngine, choose=best_shared),
    "factor 4, told complete, best shared": variant(
        "scheduler.reduction_factor=4", engine=CompleteEngine, choose=best_shared
    ),
    "production, best shared": lambda task, seed: Ours(
        task, seed, ["preset=production"], choose=best_shared
    ),
    "promoting": Promoting,
    "promoting, grace 1": lambda task, seed: Promoting(task, seed, grace=1),
    "promoting, factor 4": lambda task, seed: Promoting(task, seed, factor=4),
    "told extrapolated": lambda task, seed: Ours(
        task, seed, ["preset=standard"], engine=ExtrapolatingEngine
    ),
    "best by a forest": lambda task, seed: Ours(
        task, seed, ["preset=standard"], choose=best_by_forest(task.space)
    ),
    "gp places": variant(*_GP, engine=modelled(places)),
    **{
        f"promoting gp {name}": promoting(*_GP, engine=modelled(values))
        for name, values in {"last": last_values, "places": places}.items()
    },
    "gp": lambda task, seed: Ours(
        task,
        seed,
        ["preset=standard", "search_alg=optuna_gp", "search_alg.n_startup_trials=5"],
    ),
}
