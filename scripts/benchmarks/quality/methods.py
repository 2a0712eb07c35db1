"""The tuners that are compared: ours from its own config groups, and Ray's and Optuna's own.

Each keeps the promises of `simulator.Method`, where its methods are described.
"""
# ruff: noqa: D102 - described in simulator.Method

from __future__ import annotations

import random
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from ray.tune.schedulers import AsyncHyperBandScheduler, TrialScheduler

from hpo_app.analysis.best import best_trial
from hpo_app.config.build import build
from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.plan.criteria import Criteria
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.search.engine import Exhausted, Outcome
from hpo_app.search.optuna_engine import OptunaEngine
from hpo_app.search.searcher import Searcher
from hpo_app.study.records import Report, Study, TrialRecord, TrialState
from quality.simulator import CONTINUE, STOP, SimulatedTrial


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hpo_app.plan.search_space import Params, SearchSpace
    from quality.simulator import Method
    from quality.tasks import Task

LOSS = Criteria((Objective("loss", Mode.MIN),))
_METRIC = "metrics/loss"
_STOPPED, _RUNNING = TrialState.STOPPED, TrialState.RUNNING


def best_of(trials: Sequence[SimulatedTrial]) -> SimulatedTrial | None:
    """Return the best trial by hpo_app's own rule."""
    return _by_rank(trials, lambda trial: _STOPPED if trial.is_over else _RUNNING)


def best_whole(trials: Sequence[SimulatedTrial]) -> SimulatedTrial | None:
    """Return the furthest trained, then the best last value, then the best mean on the way."""
    return _by_rank(trials, lambda _: _STOPPED)


def best_shared(trials: Sequence[SimulatedTrial]) -> SimulatedTrial | None:
    """Return what `best_of` does, stopped trials considered too."""
    return _by_rank(trials, lambda _: _RUNNING)


def _by_rank(
    trials: Sequence[SimulatedTrial], state_of: Callable[[SimulatedTrial], TrialState]
) -> SimulatedTrial | None:
    """Return the first of `analysis.best.rank`, with trials in the states that are given."""
    records = [
        TrialRecord(trial.number, trial.params, state=state_of(trial), reports=reports_of(trial))
        for trial in trials
    ]
    study = Study("", Path(), LOSS, {}, tuple(records), len(records), iterations=0, seed=0)
    best = best_trial(study)
    return None if best is None else next(each for each in trials if each.number == best.number)


def reports_of(trial: SimulatedTrial) -> tuple[Report, ...]:
    """Return the reports of a simulated trial as a study has them."""
    return tuple(Report(at + 1, {"loss": loss}, 0.0) for at, loss in enumerate(trial.reports))


class Ours:
    """hpo_app's searcher with one of Ray's schedulers, made from overrides of our own config."""

    def __init__(
        self,
        task: Task,
        seed: int,
        overrides: Sequence[str],
        *,
        engine: Callable[..., Any] = OptunaEngine,
        choose: Callable[[Sequence[SimulatedTrial]], SimulatedTrial | None] = best_of,
    ) -> None:
        plan = parse_plan(
            *compose_config(
                [
                    "search_space=quadratic",
                    *overrides,
                    f"training.iterations={max(task.iterations, 4)}",
                    f"seed={seed}",
                ]
            )
        )
        sampler = build(plan.searcher.component, "search_alg")
        made = engine(task.space, LOSS, sampler)
        self._searcher = Searcher(task.space, made, seed=seed, repeats=False)
        self._scheduler = build(plan.scheduler.component, "scheduler")
        self._scheduler.set_search_properties(_METRIC, "min")
        np.random.seed(seed)  # noqa: NPY002 - from which Ray's schedulers draw
        self._choose = choose
        self.trials: list[SimulatedTrial] = []

    def next_trial(self) -> SimulatedTrial | None:
        try:
            asked = self._searcher.ask()
        except Exhausted:
            return None
        if asked is None:
            return None
        trial = SimulatedTrial(asked[0], asked[1])
        self.trials.append(trial)
        self._scheduler.on_trial_add(None, trial)
        return trial

    def on_report(self, trial: SimulatedTrial, iteration: int, loss: float) -> str:
        result = {"iteration": iteration, _METRIC: loss}
        return str(self._scheduler.on_trial_result(self, trial, result))

    def get_live_trials(self) -> tuple[()]:
        """Return the trials that wait: none, because each is made when a worker is free."""
        return ()

    def on_end(self, trial: SimulatedTrial, *, is_whole: bool) -> None:
        last = {"iteration": len(trial.reports), _METRIC: trial.reports[-1]}
        self._scheduler.on_trial_complete(None, trial, last)
        state = TrialState.FINISHED if is_whole else TrialState.STOPPED
        self._searcher.tell(trial.number, Outcome(state, reports_of(trial)))

    def incumbent(self) -> Params | None:
        best = self._choose(self.trials)
        return best.params if best else None


class IndependentRandom:
    """Random search that shares no line with ours; the gate that the simulator is fair."""

    def __init__(self, task: Task, seed: int) -> None:
        self._task = task
        self._random = random.Random(f"independent {seed}")
        self.trials: list[SimulatedTrial] = []

    def next_trial(self) -> SimulatedTrial:
        self.trials.append(SimulatedTrial(len(self.trials), self._task.draw(self._random)))
        return self.trials[-1]

    def on_report(self, trial: SimulatedTrial, iteration: int, loss: float) -> str:  # noqa: ARG002
        return CONTINUE

    def on_end(self, trial: SimulatedTrial, *, is_whole: bool) -> None:
        pass

    def incumbent(self) -> Params | None:
        best = best_of(self.trials)
        return best.params if best else None


class RayTune:
    """What a Ray Tune script gets: OptunaSearch behind its adapter, and ASHA.

    The adapter keeps one trial ahead of the workers, so that a model proposes without the result of
    the one that just ended; a stopped trial is told as complete with its last value; and the best
    result is the best last value at any length.
    """

    def __init__(self, task: Task, seed: int, **asha: Any) -> None:
        from ray.tune.search.optuna import OptunaSearch  # noqa: PLC0415

        np.random.seed(seed)  # noqa: NPY002
        self._space = task.space
        self._search = OptunaSearch(seed=seed)
        self._search.set_search_properties("loss", "min", tune_space(task.space))
        settings = {"max_t": task.iterations, "grace_period": 1, "reduction_factor": 4, **asha}
        settings["grace_period"] = min(settings["grace_period"], task.iterations)
        self._asha = AsyncHyperBandScheduler(time_attr="training_iteration", **settings)
        self._asha.set_search_properties("loss", "min")
        self.trials: list[SimulatedTrial] = []
        self._ahead: SimulatedTrial | None = None

    def _suggest(self) -> SimulatedTrial:
        trial = SimulatedTrial(len(self.trials), {})
        trial.params = dict(self._search.suggest(trial.trial_id))
        self.trials.append(trial)
        return trial

    def next_trial(self) -> SimulatedTrial:
        trial = self._ahead or self._suggest()
        self._asha.on_trial_add(None, trial)
        self._ahead = self._suggest()
        return trial

    def on_report(self, trial: SimulatedTrial, iteration: int, loss: float) -> str:
        result = {"training_iteration": iteration, "loss": loss}
        decision = str(self._asha.on_trial_result(None, trial, result))
        if decision != TrialScheduler.STOP:
            self._search.on_trial_result(trial.trial_id, result)
        return decision

    def on_end(self, trial: SimulatedTrial, *, is_whole: bool) -> None:  # noqa: ARG002
        result = {"training_iteration": len(trial.reports), "loss": trial.reports[-1]}
        self._asha.on_trial_complete(None, trial, result)
        self._search.on_trial_complete(trial.trial_id, result)

    def incumbent(self) -> Params | None:
        reported = [trial for trial in self.trials if trial.reports]
        best = min(reported, key=lambda trial: trial.reports[-1], default=None)
        return best.params if best else None


class OptunaHyperband:
    """What an Optuna loop gets: TPE, and its Hyperband pruner."""

    def __init__(self, task: Task, seed: int) -> None:
        self._task = task
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._study = optuna.create_study(
                sampler=optuna.samplers.TPESampler(seed=seed),
                pruner=optuna.pruners.HyperbandPruner(1, task.iterations, 3),
                # The pruner hashes the study's name to place trials in brackets.
                study_name=f"{task.name} {seed}",
            )
        self._open: dict[int, Any] = {}
        self.trials: list[SimulatedTrial] = []

    def next_trial(self) -> SimulatedTrial:
        trial = self._study.ask()
        params = suggested(self._task.space, trial)
        self.trials.append(SimulatedTrial(trial.number, params))
        self._open[trial.number] = trial
        return self.trials[-1]

    def on_report(self, trial: SimulatedTrial, iteration: int, loss: float) -> str:
        theirs = self._open[trial.number]
        theirs.report(loss, iteration)
        return STOP if theirs.should_prune() else CONTINUE

    def on_end(self, trial: SimulatedTrial, *, is_whole: bool) -> None:
        theirs = self._open.pop(trial.number)
        if is_whole:
            self._study.tell(theirs, trial.reports[-1])
        else:
            self._study.tell(theirs, state=optuna.trial.TrialState.PRUNED)

    def incumbent(self) -> Params | None:
        # Optuna's best trial is a complete one; a person without any looks at what there is.
        whole = [trial for trial in self.trials if len(trial.reports) >= self._task.iterations]
        best = best_whole(whole or self.trials)
        return best.params if best else None


def tune_space(space: SearchSpace) -> dict[str, Any]:
    """Return Ray's domains as a person would write them for this space."""
    from ray import tune  # noqa: PLC0415

    from hpo_app.plan.search_space import Choice, Integer  # noqa: PLC0415

    domains: dict[str, Any] = {}
    for name in space:
        parameter = space[name]
        if isinstance(parameter, Choice):
            domains[name] = tune.choice(list(parameter.values))
        elif isinstance(parameter, Integer):
            make = tune.lograndint if parameter.is_log else tune.randint
            domains[name] = make(parameter.low, parameter.high + 1)
        else:
            make = tune.loguniform if parameter.is_log else tune.uniform  # type: ignore[union-attr]
            domains[name] = make(parameter.low, parameter.high)  # type: ignore[arg-type]
    return domains


def suggested(space: SearchSpace, trial: Any) -> Params:
    """Return what an Optuna trial suggests, as a person would write it for this space."""
    from hpo_app.plan.search_space import Choice, Integer  # noqa: PLC0415

    params: Params = {}
    for name in space:
        parameter = space[name]
        if isinstance(parameter, Choice):
            params[name] = trial.suggest_categorical(name, list(parameter.values))
        elif isinstance(parameter, Integer):
            params[name] = trial.suggest_int(
                name, parameter.low, parameter.high, log=parameter.is_log
            )
        else:
            params[name] = trial.suggest_float(
                name,
                parameter.low,
                parameter.high,
                log=parameter.is_log,  # type: ignore[union-attr]
            )
    return params


METHODS: dict[str, Callable[[Task, int], Method]] = {
    "independent-random": IndependentRandom,
    "random": lambda task, seed: Ours(task, seed, ["search_alg=random", "scheduler=fifo"]),
    "random+asha": lambda task, seed: Ours(task, seed, ["search_alg=random", "scheduler=asha"]),
    "optuna": lambda task, seed: Ours(task, seed, ["search_alg=optuna", "scheduler=fifo"]),
    "standard": lambda task, seed: Ours(task, seed, ["preset=standard"]),
    "auto": lambda task, seed: Ours(task, seed, ["preset=standard", "search_alg=auto"]),
    "production": lambda task, seed: Ours(task, seed, ["preset=production"]),
    "ray-tune": RayTune,
    "optuna-hyperband": OptunaHyperband,
}
