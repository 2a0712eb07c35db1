"""From a study to an order of its trials: which configuration won."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from hpo_app.plan.run_plan import Objective
    from hpo_app.study.records import Study, TrialRecord


# Fidelity, value and mean on the way, each negated where more is better, then the number: the
# smallest standing is the best.
Standing: TypeAlias = "tuple[int, float, float, int]"


def rank(study: Study) -> list[TrialRecord]:
    """Return the trials that have a value, best first.

    A trial that was trained further comes first, whatever the others reported: the best value
    after a few iterations is often luck, and it says little about the end of the training.
    A trial that finished by itself was trained to its end, however many iterations that took.
    Among trials with the same number of iterations, the better last value of the objective comes
    first; then the better mean of all reported values, which tells who was better on the way;
    then the lower number. Failed trials and trials without a value are left out. Running and
    interrupted trials count with what they have, so the order of a live study can change.
    """
    standings = [
        (standing, trial)
        for trial in study.trials
        if (standing := standing_of(trial, study.objective, study.iterations)) is not None
    ]
    return [trial for _, trial in sorted(standings, key=itemgetter(0))]


def best_trial(study: Study) -> TrialRecord | None:
    """Return the first trial of `rank`, or None while no trial has a value."""
    return next(iter(rank(study)), None)


def standing_of(trial: TrialRecord, objective: Objective, full: int) -> Standing | None:
    """Return what `rank` orders a trial by; None for one without a value.

    Args:
        trial: The trial.
        objective: Metric and mode.
        full: Iterations of a full trial.
    """
    value = trial.value(objective.metric)
    if value is None:
        return None
    is_whole = trial.state is TrialState.FINISHED
    fidelity = max(trial.iterations, full) if is_whole else trial.iterations
    mean = _mean(trial, objective.metric)
    return -fidelity, -objective.sign * value, -objective.sign * mean, trial.number


def _mean(trial: TrialRecord, metric: str) -> float:
    values = [value for _, value in trial.curve(metric)]
    # A plain sum: statistics.fmean raises OverflowError where this gives infinity.
    return sum(values) / len(values)
