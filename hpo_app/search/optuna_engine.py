"""Any Optuna sampler as an engine, by ask and tell.

Optuna is told the truth. A trial that trained to its end is COMPLETE. One that the scheduler
stopped is PRUNED with its curve, so that a model never takes its early value for a final one. One
that crashed or reported nothing usable is FAIL. Ray's own wrapper reports a stopped trial as
complete, and leaves one that reported NaN running for ever (measured with Ray 2.60).

One sampler gets less than the truth: Optuna's Gaussian process does not look at a trial that is not
COMPLETE, and under early stopping that leaves it with the few that were trained to their end. It
hears of one that was stopped as COMPLETE with its last value (BENCHMARKS.md has the difference),
and so does the TPE that goes on after it in `search_alg=auto`.

Of each constraint it hears how far a trial is beyond it, as a share of the bound.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import TrialState as OptunaState

from hpo_app.plan.run_plan import Mode
from hpo_app.search.auto import AutoSampler
from hpo_app.search.distributions import to_distributions, to_drawn, to_params
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hpo_app.plan.criteria import Criteria
    from hpo_app.plan.search_space import Params, SearchSpace
    from hpo_app.search.engine import Outcome
    from hpo_app.study.earlier import EarlierTrial

_DIRECTIONS = {Mode.MIN: StudyDirection.MINIMIZE, Mode.MAX: StudyDirection.MAXIMIZE}
_TOLD_AS = {
    TrialState.FINISHED: OptunaState.COMPLETE,
    TrialState.STOPPED: OptunaState.PRUNED,
    TrialState.INTERRUPTED: OptunaState.PRUNED,
    TrialState.FAILED: OptunaState.FAIL,
}


def is_sampler(built: object) -> bool:
    """Return whether something is a sampler of Optuna's kind."""
    return isinstance(built, optuna.samplers.BaseSampler)


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Keep a Gaussian process to one thread of torch, if it has come to torch at all.

    Its matrices are small: on cores that trials keep busy, two threads took seven times the CPU
    time of one, most of it waiting for each other.
    """
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class OptunaEngine:
    """An Optuna sampler over our search space.

    Attributes:
        note: What a person should know of the sampler; empty if all is well.

    Source:
        Optuna's ask-and-tell interface, https://optuna.readthedocs.io.
    """

    def __init__(self, space: SearchSpace, criteria: Criteria, sampler: Any) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = space
        self._criteria = criteria
        self._distributions = to_distributions(space)
        directions = [_DIRECTIONS[objective.mode] for objective in criteria.objectives]
        self._study = optuna.create_study(sampler=sampler, directions=directions)
        self._open: dict[int, optuna.trial.Trial] = {}
        self.note: str = getattr(sampler, "note", "")
        is_process = isinstance(sampler, optuna.samplers.GPSampler) or (
            isinstance(sampler, AutoSampler) and sampler.has_process
        )
        is_blind = is_process and not criteria.has_several
        self._told_as = {
            state: OptunaState.COMPLETE if is_blind and told is OptunaState.PRUNED else told
            for state, told in _TOLD_AS.items()
        }

    def propose(self, number: int) -> Params:
        """Return the values that trial `number` shall be trained with."""
        with _one_thread():
            trial = self._study.ask(self._distributions)
        self._open[number] = trial
        return to_params(self._space, trial.params)

    def impose(self, number: int, params: Params) -> None:
        """Take values that somebody else chose."""
        self._study.enqueue_trial(to_drawn(self._space, params))
        self._open[number] = self._study.ask(self._distributions)

    def withdraw(self, number: int) -> None:
        """Forget what was proposed; Optuna's samplers do not look at a trial that is FAIL."""
        self._study.tell(self._open.pop(number), state=OptunaState.FAIL)

    def tell(self, number: int, outcome: Outcome) -> str:
        """Take what became of a trial; return Optuna's word for it."""
        trial = self._open.pop(number, None)
        if trial is None:
            return "UNTOLD"  # It was told; a sampler of a person's own raised at it.
        curve = outcome.curve(self._criteria.objective.metric)
        told = self._told_as[outcome.state] if curve else OptunaState.FAIL
        if told is not OptunaState.FAIL:
            # Told of every trial that counts: a Gaussian process wants as many from each.
            for bound, excess in self._criteria.excesses(outcome.last).items():
                trial.set_constraint(bound, excess)
        if self._criteria.has_several:
            # Optuna takes no curves here, and so no trials that were cut short.
            told = told if told is OptunaState.COMPLETE else OptunaState.FAIL
        else:
            for iteration, value in curve:
                trial.report(value, iteration)
        is_whole = told is OptunaState.COMPLETE
        self._study.tell(trial, self._values(outcome.last) if is_whole else None, told)
        return told.name

    def _values(self, metrics: Mapping[str, float]) -> list[float]:
        return [metrics[objective.metric] for objective in self._criteria.objectives]

    def learn(self, trial: EarlierTrial) -> None:
        """Add a trial of another run to the study."""
        if self._criteria.has_several and trial.state is not TrialState.FINISHED:
            return  # As in `tell`.
        metrics = {self._criteria.objective.metric: trial.curve[-1][1], **trial.others}
        known = optuna.trial.create_trial(
            state=self._told_as[trial.state],
            values=self._values(metrics),
            params=to_drawn(self._space, trial.params),
            distributions=self._distributions,
            intermediate_values={} if self._criteria.has_several else dict(trial.curve),
            constraints=self._criteria.excesses(metrics),
        )
        self._study.add_trial(known)
