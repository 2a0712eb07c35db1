"""From a trial of a population to the course of its state: whose it was, with which values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from hpo_app.plan.search_space import Params
    from hpo_app.study.records import Clone, Study, TrialRecord


@dataclass(frozen=True)
class Stretch:
    """A part of a member's training with the same values.

    Attributes:
        member: Number of the trial.
        start: Iteration of the state it went on from; 0 for a fresh one.
        end: Last iteration that it trained with these values.
        params: The values.
    """

    member: int
    start: int
    end: int
    params: Params


def stretches_of(trial: TrialRecord) -> list[Stretch]:
    """Return the parts of a member's training, in order; one without an exploit step."""
    if not trial.clones:
        return [Stretch(trial.number, 0, trial.iterations, trial.params)]
    own = trial.params if trial.own_params is None else trial.own_params
    starts = [0, *(clone.iteration for clone in trial.clones)]
    params = [own, *(clone.params for clone in trial.clones)]
    ends = [_reached(trial, clone, place) for place, clone in enumerate(trial.clones)]
    return [
        Stretch(trial.number, start, max(start, end), values)
        for start, end, values in zip(starts, [*ends, trial.iterations], params, strict=True)
    ]


def course_of(trial: TrialRecord | None, study: Study) -> tuple[Stretch, ...]:
    """Return the stretches that led to a trial's state, from the first iteration on.

    Args:
        trial: The trial; None for none.
        study: The study that it is of.
    """
    trials = {each.number: each for each in study.trials}
    course: list[Stretch] = []
    before_s, end = float("inf"), trial.iterations if trial is not None else 0
    while trial is not None:
        steps = [clone for clone in trial.clones if clone.at_s < before_s]
        stretch = stretches_of(trial)[len(steps)]
        course.insert(0, Stretch(trial.number, stretch.start, end, stretch.params))
        if not steps:
            break
        # Backwards in time at each step, so that this ends whatever a journal says.
        trial, before_s, end = trials.get(steps[-1].source), steps[-1].at_s, steps[-1].iteration
    return tuple(course)


def schedule_of(trial: TrialRecord, study: Study) -> tuple[Stretch, ...]:
    """Return the stretches of a trial's course in which anything was trained, in order."""
    kept: list[Stretch] = []
    for stretch in reversed(course_of(trial, study)):
        if not kept or stretch.start < kept[0].start:
            kept.insert(0, stretch)
    return tuple(kept)


def _reached(trial: TrialRecord, clone: Clone, place: int) -> int:
    """Return how far a trial had come when it took over another's state.

    What it repeated later is not on record, so that this can be too few, but for the first step.
    """
    if place == 0 and trial.own_reports:
        return trial.own_reports[-1].iteration
    return max((r.iteration for r in trial.reports if r.at_s <= clone.at_s), default=0)
