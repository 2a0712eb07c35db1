"""Ways for a search to mind the noise, each beside our search without it.

averaged     what the sampler is told of a trial, and what it is ranked by, is the mean of its
             last three reports
again        a trial that would become the best is trained once more, with another seed, before
             it does; the mean of both counts, for the sampler and in the ranking
fifo         no early stopping, for comparison: a Gaussian process learns from whole trials alone,
             of which successive halving leaves too few
gp           a Gaussian process with noise proposes, in the place of TPE; no early stopping
gp-exact     one that takes every value for exact; likewise
"""
# ruff: noqa: D102 - described in simulator.Method

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

from hpo_app.search.engine import Outcome
from hpo_app.study.earlier import EarlierTrial
from hpo_app.study.records import Report, TrialState
from quality.confirmed import OurRanking
from quality.simulator import CONTINUE, SimulatedTrial


if TYPE_CHECKING:
    from collections.abc import Sequence

    from quality.tasks import Task

_AVERAGED, _WHOLE = 3, "scheduler=fifo"


class Averaged(OurRanking):
    """Tells the sampler, and ranks by, means of the last reports; early stopping sees each."""

    def on_end(self, trial: SimulatedTrial, *, is_whole: bool) -> None:
        last = {"iteration": len(trial.reports), "metrics/loss": trial.reports[-1]}
        self._scheduler.on_trial_complete(None, trial, last)
        state = TrialState.FINISHED if is_whole else TrialState.STOPPED
        self._searcher.tell(trial.number, Outcome(state, self.reports(trial)))

    def reports(self, trial: SimulatedTrial) -> tuple[Report, ...]:
        means = [
            statistics.fmean(trial.reports[max(at - _AVERAGED + 1, 0) : at + 1])
            for at in range(len(trial.reports))
        ]
        return tuple(Report(at + 1, {"loss": loss}, 0.0) for at, loss in enumerate(means))


class Again(OurRanking):
    """Trains whoever would become the best once more before it does."""

    def __init__(self, task: Task, seed: int, overrides: Sequence[str]) -> None:
        super().__init__(task, seed, overrides)
        self._waiting: list[SimulatedTrial] = []
        self._first: dict[int, SimulatedTrial] = {}
        self._values: dict[int, list[float]] = {}
        # Trials that are trained again get numbers, and with them seeds, of their own.
        self._next_number = 1_000_000

    def next_trial(self) -> SimulatedTrial | None:
        if not self._waiting:
            return super().next_trial()
        first = self._waiting.pop(0)
        again = SimulatedTrial(self._next_number, first.params)
        self._next_number += 1
        self._first[again.number] = first
        return again

    def on_report(self, trial: SimulatedTrial, iteration: int, loss: float) -> str:
        if trial.number in self._first:
            return CONTINUE
        return super().on_report(trial, iteration, loss)

    def on_end(self, trial: SimulatedTrial, *, is_whole: bool) -> None:
        first = self._first.get(trial.number)
        if first is not None:
            self._values[first.number].append(trial.reports[-1])
            mean = statistics.fmean(self._values[first.number])
            told = EarlierTrial(
                "again",
                trial.number,
                TrialState.FINISHED,
                trial.params,
                ((len(trial.reports), mean),),
            )
            self._searcher.learn([told])
            return
        super().on_end(trial, is_whole=is_whole)
        if is_whole:
            proved = [statistics.fmean(each) for each in self._values.values() if len(each) > 1]
            self._values[trial.number] = trial.reports[-1:]
            if not proved or trial.reports[-1] < min(proved):
                self._waiting.append(trial)

    def incumbent(self) -> Any:
        ranked = super().incumbent()
        proved = {
            number: statistics.fmean(values)
            for number, values in self._values.items()
            if len(values) > 1
        }
        by_number = {trial.number: trial.params for trial in self.trials}
        first = [(by_number[number], proved[number]) for number in sorted(proved, key=proved.get)]  # type: ignore[arg-type]
        others = [each for each in ranked if all(each[0] != params for params, _ in first)]
        return [*first, *others]


def _standard(task: Task, seed: int, *more: str) -> OurRanking:
    return OurRanking(task, seed, ["preset=standard", *more])


VARIANTS: dict[str, Any] = {
    "plain": _standard,
    "averaged": lambda task, seed: Averaged(task, seed, ["preset=standard"]),
    "again": lambda task, seed: Again(task, seed, ["preset=standard"]),
    "fifo": lambda task, seed: _standard(task, seed, _WHOLE),
    "gp": lambda task, seed: _standard(task, seed, _WHOLE, "search_alg=optuna_gp"),
    "gp-exact": lambda task, seed: _standard(
        task, seed, _WHOLE, "search_alg=optuna_gp", "+search_alg.deterministic_objective=true"
    ),
}
