"""From a study to what is worth saying about it: counts, the winner, and the gain over default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpo_app.analysis.best import best_trial
from hpo_app.analysis.failures import group_failures
from hpo_app.analysis.once import once_per_study
from hpo_app.analysis.pareto import beats, gains_of, pareto_front
from hpo_app.analysis.wording import bounds_text, number, objectives_text
from hpo_app.study.fresh import Kind
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpo_app.plan.criteria import Constraint, Criteria
    from hpo_app.plan.run_plan import Objective
    from hpo_app.study.records import Study, TrialRecord

_HOW_DEFAULT_STANDS = {
    TrialState.RUNNING: "is still training,",
    TrialState.FINISHED: "ended",
    TrialState.STOPPED: "the scheduler stopped early,",
    TrialState.INTERRUPTED: "was interrupted",
}


@dataclass(frozen=True)
class StudySummary:
    """What is worth saying about a study.

    Attributes:
        criteria: By what trials are judged.
        iterations: Iterations of a full trial.
        counts: Number of trials by state; every state is there.
        best: The winner by `rank`, or None while no trial has a value.
        best_value: Its last value.
        front: The Pareto front, by the first objective; empty with one objective.
        default: The trial of the default configuration, if there is one, up to where a scheduler
            changed its values.
        default_value: Its last value; None if there is none or the trial failed.
        num_iterations: Iterations trained by all trials together.
        trial_time_s: Seconds of all trials together, pauses included.
        duration_s: Seconds from the run's start to its end, or to the last event.
        is_confirmed: Whether the winner was trained anew with fresh seeds, which `claim_of` tells.
        has_won_race: Whether it came through a race on such seeds, too.
        failures: `{last line of the error: numbers of the trials}`, the most frequent first.
    """

    criteria: Criteria
    iterations: int
    counts: Mapping[TrialState, int]
    best: TrialRecord | None
    best_value: float | None
    front: tuple[TrialRecord, ...]
    default: TrialRecord | None
    default_value: float | None
    num_iterations: int
    trial_time_s: float
    duration_s: float
    is_confirmed: bool
    has_won_race: bool
    failures: Mapping[str, tuple[int, ...]]

    @property
    def objective(self) -> Objective:
        """The first objective; the only one of most runs."""
        return self.criteria.objective

    @property
    def unmet(self) -> tuple[Constraint, ...]:
        """The constraints that the best trial does not keep, and so none does."""
        return self.best.unmet(self.criteria) if self.best is not None else ()

    @property
    def num_trials(self) -> int:
        """Trials that were asked for and recorded, in whatever state."""
        return sum(self.counts.values())

    @property
    def gain(self) -> float | None:
        """How much better the best value is than the default's, in the objective's direction.

        None with several objectives, if either is unknown, if the best trial does not keep the
        constraints, or if the default configuration was trained less far than the best trial: what
        more training brought is no gain over the default.
        """
        if self.best is None or self.default is None:
            return None
        if self.unmet or self.criteria.has_several:
            return None
        return self._difference if self.default.iterations >= self.best.iterations else None

    @property
    def _difference(self) -> float | None:
        if self.best_value is None or self.default_value is None:
            return None
        return self.objective.sign * (self.best_value - self.default_value)

    @property
    def gain_sentence(self) -> str:
        """What was gained over the default configuration, or why that is not known."""
        difference = self._difference
        if difference is None:
            return self._why_unknown()
        if self.default is not None and self.criteria.has_several:
            return self._standing_of_default(self.default)
        if self.best is self.default:
            head = "no gain: the default configuration itself is the best"
        elif difference > 0:
            change = "higher" if self.objective.sign > 0 else "lower"
            head = f"{number(difference)} {change} than the default configuration"
        else:
            head = "no gain over the default configuration"
        return f"{head} ({number(self.default_value)}){self._caveat()}{self._tie()}{self._beyond()}"

    def _standing_of_default(self, default: TrialRecord) -> str:
        """Say how the default configuration stands to a Pareto front."""
        if any(trial.number == default.number for trial in self.front):
            return "the default configuration is on the front"
        if not self.front:
            return f"the default configuration has {objectives_text(default.last, self.criteria)}"
        ours = gains_of(default.last, self.criteria)
        better = sum(beats(gains_of(trial.last, self.criteria), ours) for trial in self.front)
        values = objectives_text(default.last, self.criteria)
        return (
            f"{better} of {len(self.front)} on the front are at least as good as the default "
            f"configuration ({values}) in every objective{self._beyond()}"
        )

    def _beyond(self) -> str:
        """Say which constraints the default configuration does not keep."""
        unmet = self.default.unmet(self.criteria) if self.default is not None else ()
        if not unmet or self.best is self.default or self.default is None:
            return ""
        return f"; the default does not keep {bounds_text(unmet, self.default.last)}"

    def _tie(self) -> str:
        """Say what decided between the default and a best trial that ended at the same value."""
        if self.best is None or self.default is None or self.best is self.default:
            return ""
        if self.gain != 0:
            return ""
        means = [_mean_on_the_way(trial, self.objective) for trial in (self.best, self.default)]
        return f"; the mean on the way was {number(means[0])} against {number(means[1])}"

    def _why_unknown(self) -> str:
        if self.best is None:
            return "no trial has a value, so there is nothing to compare"
        if self.default is None:
            return "the default configuration was not tried, so the gain is not known"
        reason = {
            TrialState.FAILED: "failed",
            TrialState.RUNNING: "has not reported yet",
        }.get(self.default.state, "ended without a value")
        return f"the default configuration {reason}, so there is nothing to compare with"

    def _caveat(self) -> str:
        """Say when the default was trained less far than the best, and how they stood then."""
        if self.best is None or self.default is None:
            return ""
        reached, full = self.default.iterations, max(self.iterations, self.best.iterations)
        if reached >= full:
            return ""
        how = _HOW_DEFAULT_STANDS[self.default.state]
        text = f", which {how} after {reached} of {full} iterations"
        if self.default.own_params is not None:
            text = (
                f", which was trained for {reached} of {full} iterations before its trial took "
                "over another's state"
            )
        at_that_time = dict(self.best.curve(self.objective.metric)).get(reached)
        if at_that_time is None or self.best.iterations == reached:
            return text
        return f"{text}, when the best trial stood at {number(at_that_time)}"


@once_per_study
def summarize(study: Study) -> StudySummary:
    """Return the summary of a study, finished or live."""
    best, default, metric = best_trial(study), study.default, study.objective.metric
    return StudySummary(
        criteria=study.criteria,
        iterations=study.iterations,
        counts={state: len(study.in_state(state)) for state in TrialState},
        best=best,
        best_value=best.value(metric) if best else None,
        front=tuple(pareto_front(study)) if study.criteria.has_several else (),
        default=default,
        default_value=default.value(metric) if default else None,
        num_iterations=sum(len(trial.reports) for trial in study.trials),
        trial_time_s=sum(_seconds(trial, study.duration_s) for trial in study.trials),
        duration_s=study.duration_s,
        is_confirmed=study.winner is not None,
        has_won_race=_has_won_race(study),
        failures=group_failures(study),
    )


def _has_won_race(study: Study) -> bool:
    """Return whether the winner trained with every seed of its race, the constraints kept."""
    # There may be trainings of an earlier race, with other settings.
    if study.race is None or len(study.race.contenders) == 1:
        return False
    raced = [
        trial
        for trial in study.fresh
        if trial.fresh is not None
        and (trial.fresh.of, trial.fresh.kind) == (study.winner, Kind.RACE)
    ]
    kept = (bool(trial.last) and not trial.unmet(study.criteria) for trial in raced)
    return bool(raced) and all(kept)


def _mean_on_the_way(trial: TrialRecord, objective: Objective) -> float:
    values = [value for _, value in trial.curve(objective.metric)]
    return sum(values) / len(values)


def _seconds(trial: TrialRecord, now_s: float) -> float:
    if trial.started_s is None:
        return 0.0
    ended_s = now_s if trial.ended_s is None else trial.ended_s
    return max(ended_s - trial.started_s, 0.0)
