"""From a study to an order of its trials: which configuration won."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from hpo_app.analysis.once import once_per_study
from hpo_app.analysis.pareto import balance_order, gains_of
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Iterable

    from hpo_app.plan.criteria import Criteria
    from hpo_app.study.records import Study, TrialRecord


# Violation of the constraints, then fidelity, value and mean on the way, each negated where more is
# better, then the number: the smallest standing is the best.
Standing: TypeAlias = "tuple[float, int, float, float, int]"


@once_per_study
def rank(study: Study) -> tuple[TrialRecord, ...]:
    """Return the trials that have a value, best first.

    A trial that keeps all constraints comes before one that does not, and of two that do not, the
    one that is less far beyond the bounds.

    A trial that was trained further comes first, whatever the others reported: the best value
    after a few iterations is often luck, and it says little about the end of the training.
    A trial that finished by itself was trained to its end, however many iterations that took.
    Among trials with the same number of iterations, the better last value of the objective comes
    first, or the better mean of the last ones, where `Criteria.averaged` says so; then the better
    mean of all reported values, which tells who was better on the way; then the lower number.
    Failed trials and trials without a value are left out. Running and interrupted trials count
    with what they have, so the order of a live study can change.

    One exception puts a trial first that was not trained so far: see `leads`.

    With several objectives, trials that stand alike in constraints and fidelity are ordered by
    `pareto.balance_order`, so that the first is the most balanced one of the Pareto front.

    Whoever won on fresh seeds comes first of all.
    """
    if study.winner is not None:
        as_searched = rank(study.searched)
        return tuple(sorted(as_searched, key=lambda trial: trial.number != study.winner))
    if study.criteria.has_several:
        return _balanced(study)
    standings = [
        (standing, trial)
        for trial in study.trials
        if (standing := standing_of(trial, study.criteria, study.iterations)) is not None
    ]
    ordered = [trial for _, trial in sorted(standings, key=itemgetter(0))]
    if not ordered:
        return ()
    best = leader(ordered[0], ordered[1:], study.criteria)
    return (best, *(trial for trial in ordered if trial is not best))


def _balanced(study: Study) -> tuple[TrialRecord, ...]:
    groups: dict[tuple[float, int], list[TrialRecord]] = {}
    for trial in study.trials:
        standing = standing_of(trial, study.criteria, study.iterations)
        if standing is not None:
            groups.setdefault(standing[:2], []).append(trial)
    ordered: list[TrialRecord] = []
    for _, trials in sorted(groups.items(), key=itemgetter(0)):
        order = balance_order([gains_of(trial.last, study.criteria) for trial in trials])
        pairs = sorted(zip(order, trials, strict=True), key=lambda pair: (pair[0], pair[1].number))
        ordered += [trial for _, trial in pairs]
    return tuple(ordered)


def best_trial(study: Study) -> TrialRecord | None:
    """Return the first trial of `rank`, or None while no trial has a value."""
    return next(iter(rank(study)), None)


def leader(first: TrialRecord, others: Iterable[TrialRecord], criteria: Criteria) -> TrialRecord:
    """Return the best of trials in the order of their standing, the first of which is given."""
    for trial in others:
        first = trial if leads(trial, first, criteria) else first
    return first


def leads(trial: TrialRecord, best: TrialRecord, criteria: Criteria) -> bool:
    """Return whether a trial that is not over comes before one that was trained further.

    It does if its last value is better than the other one's last, and better than what that one
    had at the same iteration: it is ahead wherever both can be compared. A trial that the scheduler
    stopped was compared already. Nor may it be further beyond the constraints.

    In the search-quality benchmark this lowers the regret of what is handed back early in a run,
    and changes nothing later (BENCHMARKS.md).
    """
    if not trial.state.is_open or not trial.iterations < best.iterations:
        return False
    objective = criteria.objective
    both = [trial.value(objective.metric), best.value(objective.metric)]
    reports = [report.iteration for report in best.reports]
    if None in both or trial.iterations not in reports:
        return False
    before = [value for at, value in best.curve(objective.metric) if at <= trial.iterations]
    if not before:
        return False
    value, last = settled_value(trial, criteria), settled_value(best, criteria)
    then = criteria.settled(before)
    if criteria.violation(trial.last) > criteria.violation(best.last):
        return False
    sign = objective.sign
    return sign * value > max(sign * last, sign * then)


def reach(trial: TrialRecord, full: int) -> int:
    """Return how many iterations a trial counts for: all of them if it finished by itself.

    Args:
        trial: The trial.
        full: Iterations of a full trial.
    """
    return max(trial.iterations, full) if trial.state is TrialState.FINISHED else trial.iterations


def standing_of(trial: TrialRecord, criteria: Criteria, full: int) -> Standing | None:
    """Return what `rank` orders a trial by; None for one without a value.

    Args:
        trial: The trial.
        criteria: By what it is judged.
        full: Iterations of a full trial.
    """
    last, objective = trial.last, criteria.objective
    if not criteria.are_in(last):
        return None
    mean = _mean(trial, objective.metric)
    value = settled_value(trial, criteria)
    return (
        criteria.violation(last),
        -reach(trial, full),
        -objective.sign * value,
        -objective.sign * mean,
        trial.number,
    )


def settled_value(trial: TrialRecord, criteria: Criteria) -> float:
    """Return what the objective of a trial is worth among others; the trial has to have a value."""
    return criteria.settled([value for _, value in trial.curve(criteria.objective.metric)])


def _mean(trial: TrialRecord, metric: str) -> float:
    values = [value for _, value in trial.curve(metric)]
    # A plain sum: statistics.fmean raises OverflowError where this gives infinity.
    return sum(values) / len(values)
