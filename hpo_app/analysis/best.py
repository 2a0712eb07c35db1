"""From a study to an order of its trials: which configuration won."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from hpo_app.study.records import Study, TrialRecord


def rank(study: Study) -> list[TrialRecord]:
    """Return the trials that have a value, best first.

    A trial that was trained further comes first, whatever the others reported: the best value
    after a few iterations is often luck, and it says little about the end of the training.
    A trial that finished by itself was trained to its end, however many iterations that took.
    Among trials with the same number of iterations, the better last value of the objective comes
    first; then the better mean of all reported values, which tells who was better on the way;
    then the lower number. Failed trials and trials without a value are left out. Running and
    interrupted trials count with what they have, so the order of a live study can change.

    The mean is taken only where values tie, so that a live study is ranked without reading all
    its reports.
    """
    metric, sign = study.objective.metric, study.objective.sign
    standings = [
        ((-_fidelity(trial, study.iterations), -sign * value), trial)
        for trial in study.trials
        if (value := trial.value(metric)) is not None
    ]
    standings.sort(key=itemgetter(0))
    ranked: list[TrialRecord] = []
    for _, tied in groupby(standings, key=itemgetter(0)):
        trials = [trial for _, trial in tied]
        if len(trials) > 1:
            trials.sort(key=lambda trial: (-sign * _mean(trial, metric), trial.number))
        ranked += trials
    return ranked


def best_trial(study: Study) -> TrialRecord | None:
    """Return the first trial of `rank`, or None while no trial has a value."""
    return next(iter(rank(study)), None)


def _fidelity(trial: TrialRecord, full: int) -> int:
    is_whole = trial.state is TrialState.FINISHED
    return max(trial.iterations, full) if is_whole else trial.iterations


def _mean(trial: TrialRecord, metric: str) -> float:
    values = [value for _, value in trial.curve(metric)]
    # A plain sum: statistics.fmean raises OverflowError where this gives infinity.
    return sum(values) / len(values)
