"""From trials of any length to values that compare: those of one iteration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpo_app.analysis.best import reach
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from hpo_app.plan.search_space import Params
    from hpo_app.study.records import Study, TrialRecord

# Of ten trials with a value, so many have to have reached the iteration of the comparison.
_OF_TEN = 9


@dataclass(frozen=True)
class Comparable:
    """A trial at the iteration at which trials are compared.

    Attributes:
        number: Number of the trial.
        params: The values that led there.
        value: The objective there.
        is_default: Whether it is the default configuration.
    """

    number: int
    params: Params
    value: float
    is_default: bool = False


@dataclass(frozen=True)
class Comparison:
    """Trials at one iteration.

    Attributes:
        iteration: The iteration; 0 if no trial has a value.
        trials: Those that got there, by number.
        num_short: Trials with a value that did not get there.
        num_failed: Failed trials; none of them is compared.
    """

    iteration: int
    trials: tuple[Comparable, ...]
    num_short: int
    num_failed: int

    @property
    def default(self) -> float | None:
        """The value of the default configuration, if it got there."""
        return next((trial.value for trial in self.trials if trial.is_default), None)


def compare_at_one_iteration(study: Study) -> Comparison:
    """Return the trials with what they reported at the furthest iteration that most reached.

    Most are nine tenths of the trials that have a value. Values from different iterations would
    tell who was trained longer, not who has the better parameters. Those that a scheduler let
    train to their end were chosen for being good: they differ little in what matters most. The
    price is that an early value says less of the end.

    A trial that ended by itself before that iteration counts with its last value. One that took
    over another's state counts up to there, with the parameters it started with. With several
    objectives, the value is that of the first one.
    """
    curves = {
        trial.number: (trial, dict(trial.curve(study.objective.metric)))
        for trial in (trial.as_it_started for trial in study.trials)
        if trial.state is not TrialState.FAILED
    }
    found = [(trial, curve) for trial, curve in curves.values() if curve]
    failed = len(study.in_state(TrialState.FAILED))
    if not found:
        return Comparison(0, (), 0, failed)
    lengths = sorted((reach(trial, study.iterations) for trial, _ in found), reverse=True)
    iteration = lengths[-(-len(found) * _OF_TEN // 10) - 1]
    there = [
        Comparable(trial.number, trial.params, value, trial.is_default)
        for trial, curve in found
        if (value := _value_at(iteration, trial, curve, study)) is not None
    ]
    return Comparison(iteration, tuple(there), len(found) - len(there), failed)


def _value_at(
    iteration: int, trial: TrialRecord, curve: dict[int, float], study: Study
) -> float | None:
    if iteration in curve:
        return curve[iteration]
    if reach(trial, study.iterations) < iteration:
        return None
    # A gap in the curve, or its end: the last value before.
    before = [at for at in curve if at < iteration]
    return curve[max(before)] if before else None
