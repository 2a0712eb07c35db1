"""From events to nouns: what is remembered of a run and of each of its trials."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hpo_app.plan.criteria import Constraint, Criteria
    from hpo_app.plan.run_plan import Baseline, Objective
    from hpo_app.plan.search_space import Params
    from hpo_app.study.fresh import Fresh, Race


class TrialState(str, Enum):
    """How a trial stands.

    Attributes:
        RUNNING: Not ended: training, paused, or waiting for a worker.
        FINISHED: Trained to its end.
        STOPPED: Ended early by the scheduler.
        FAILED: Ended by an error, or without a usable report.
        INTERRUPTED: Cut off because the run ended: budget, target or a signal.
    """

    RUNNING = "running"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_open(self) -> bool:
        """Whether a trial in this state may be trained on: it neither ended nor was ended."""
        return self in (TrialState.RUNNING, TrialState.INTERRUPTED)


@dataclass(frozen=True)
class Report:
    """One report of a trial.

    Attributes:
        iteration: Number of the report within the trial, from 1.
        metrics: `{name: number}`, all finite.
        at_s: Seconds since the run started.
    """

    iteration: int
    metrics: Mapping[str, float]
    at_s: float


@dataclass(frozen=True)
class Clone:
    """One exploit step of population-based training: a trial went on from another's state.

    Attributes:
        source: Number of the trial that was copied.
        iteration: Iteration of the copied state.
        params: Values the trial went on with.
        at_s: Seconds since the run started.
        checkpoint: Folder of the copied state, relative to the run folder; None if not recorded.
    """

    source: int
    iteration: int
    params: Params
    at_s: float
    checkpoint: str | None = None


@dataclass(frozen=True)
class TrialRecord:
    """Everything remembered of one trial.

    Attributes:
        number: Number in the run, from 0.
        params: Values it was trained with; the last ones, if a scheduler changed them.
        is_default: Whether this is the default configuration.
        seed: Seed of the trial.
        state: How it stands.
        reports: All reports, by iteration; an iteration that was repeated counts once.
        started_s: Seconds from the run's start to the first start of the trial; None if never.
        ended_s: Seconds from the run's start to its end; None while it runs.
        error: The error with its traceback, for a failed trial.
        checkpoint: Folder of the newest checkpoint, relative to the run folder.
        clones: Exploit steps of population-based training, in order.
        retries: How often it was started again after an error.
        is_untried: Whether `params` have not been trained with yet: the trial took over another's
            state and has not reported since, so that no report belongs to them.
        own_params: Values it started with, if a scheduler changed them; else None.
        own_reports: Reports with those values, before the first exploit step; empty without one.
        fresh: What it is trained for, if it is no trial of the search; else None.
        typed_seed: The seed with which action=train repeats it; None for trials of the search.
    """

    number: int
    params: Params
    is_default: bool = False
    seed: int = 0
    state: TrialState = TrialState.RUNNING
    reports: tuple[Report, ...] = ()
    started_s: float | None = None
    ended_s: float | None = None
    error: str | None = None
    checkpoint: str | None = None
    clones: tuple[Clone, ...] = ()
    retries: int = 0
    is_untried: bool = False
    own_params: Params | None = None
    own_reports: tuple[Report, ...] = ()
    fresh: Fresh | None = None
    typed_seed: int | None = None

    @property
    def iterations(self) -> int:
        """Number of the last reported iteration; 0 before the first report."""
        return self.reports[-1].iteration if self.reports else 0

    @property
    def duration_s(self) -> float | None:
        """Seconds from first start to end, pauses included; None unless started and ended."""
        if self.started_s is None or self.ended_s is None:
            return None
        return self.ended_s - self.started_s

    def curve(self, metric: str) -> list[tuple[int, float]]:
        """Return `(iteration, value)` of every report that has `metric`."""
        return [
            (report.iteration, report.metrics[metric])
            for report in self.reports
            if metric in report.metrics
        ]

    @property
    def last(self) -> Mapping[str, float]:
        """The metrics that training with `params` last led to; empty without a report that counts.

        What a failed trial reported does not count. Neither does what a trial reported before it
        took over another's state and parameters: until it reports again, it has no value.
        """
        if self.state is TrialState.FAILED or self.is_untried or not self.reports:
            return {}
        return self.reports[-1].metrics

    def value(self, metric: str) -> float | None:
        """Return what training with `params` last led to, or None without such a report."""
        return self.last.get(metric)

    def unmet(self, criteria: Criteria) -> tuple[Constraint, ...]:
        """Return the constraints that its last report does not keep; none without a report."""
        return criteria.unmet(self.last) if criteria.are_in(self.last) else ()

    @property
    def as_it_started(self) -> TrialRecord:
        """The trial up to its first exploit step, where the scheduler ended what it had been.

        The trial itself if there was none; otherwise one without clones, whose `own_params` tell
        that there were some.
        """
        if not self.clones or self.own_params is None:
            return self
        return replace(
            self,
            params=self.own_params,
            reports=self.own_reports,
            state=TrialState.STOPPED,
            error=None,
            clones=(),
            is_untried=False,
        )


@dataclass(frozen=True)
class Study:
    """The record of a run.

    Attributes:
        run_id: Unique name of the run.
        folder: The run folder.
        criteria: By what trials are judged: what was optimised, and what they had to keep.
        space: The search space as it was written, `{name: entry}`.
        trials: Records of the search by number.
        fresh: Records of the trainings with seeds that the search never saw, by number.
        race: Who is trained with them; None before that is known.
        winner: Number of the trial that won the race, once it is over and proved; else None.
        won_before: Number of the trial that won a race before this one; None if there was none.
        num_trials: How many trials were asked for.
        iterations: Iterations of a full trial.
        seed: Seed of the run.
        stop_reason: Why the run ended, as a sentence; empty while it runs.
        duration_s: Seconds from start to end, or to the last event.
        facts: Further plain values: versions, host, choices of the config groups.
        note: What of the journal could not be read, as a sentence; empty if all of it was.
        is_to_confirm: Whether the winner is to be found, and proved, with fresh seeds.
        baselines: Configurations that a person brought along, to measure the winner by.
    """

    run_id: str
    folder: Path
    criteria: Criteria
    space: Mapping[str, Mapping[str, object]]
    trials: tuple[TrialRecord, ...]
    num_trials: int
    iterations: int
    seed: int
    stop_reason: str = ""
    duration_s: float = 0.0
    facts: Mapping[str, object] = field(default_factory=dict)
    note: str = ""
    fresh: tuple[TrialRecord, ...] = ()
    race: Race | None = None
    winner: int | None = None
    won_before: int | None = None
    is_to_confirm: bool = False
    baselines: tuple[Baseline, ...] = ()

    @property
    def objective(self) -> Objective:
        """The first objective; the only one of most runs."""
        return self.criteria.objective

    def in_state(self, state: TrialState) -> list[TrialRecord]:
        """Return the trials in one state, by number."""
        return [trial for trial in self.trials if trial.state is state]

    @property
    def is_complete(self) -> bool:
        """Whether all that was asked for has ended, by itself or by the scheduler."""
        has_winner = not self.is_to_confirm or self.winner is not None or not self._can_confirm
        return self.is_searched and has_winner

    @property
    def is_searched(self) -> bool:
        """Whether all trials of the search have ended, by themselves or by the scheduler."""
        return self.num_ended == len(self.trials) >= self.num_trials

    @property
    def num_ended(self) -> int:
        """How many trials of the search have ended, by themselves, by the scheduler or an error."""
        return sum(not trial.state.is_open for trial in self.trials)

    @property
    def _can_confirm(self) -> bool:
        return any(trial.last for trial in self.trials)

    @property
    def searched(self) -> Study:
        """The study as the search left it: nobody is known to have won."""
        return replace(self, winner=None)

    def won_by(self, number: int) -> Study:
        """Return the study in which one trial has won."""
        return replace(self, winner=number)

    def cut_off(self, reason: str) -> Study:
        """Return the study of a run that could not write how it ended.

        Args:
            reason: Why the run ended, as a sentence.
        """
        trials, fresh = (
            tuple(self._cut(trial) for trial in group) for group in (self.trials, self.fresh)
        )
        reason = self.stop_reason or reason
        return replace(self, trials=trials, fresh=fresh, stop_reason=reason)

    def _cut(self, trial: TrialRecord) -> TrialRecord:
        if trial.state is not TrialState.RUNNING:
            return trial
        return replace(trial, state=TrialState.INTERRUPTED, ended_s=self.duration_s)

    @property
    def default(self) -> TrialRecord | None:
        """The trial of the default configuration, up to where a scheduler changed its values."""
        trial = next((trial for trial in self.trials if trial.is_default), None)
        return trial.as_it_started if trial else None

    def trial_of(self, baseline: Baseline) -> TrialRecord | None:
        """Return the first trial with the values of a baseline, up to where they were changed."""
        started = (trial.as_it_started for trial in self.trials)
        return next((trial for trial in started if trial.params == baseline.params), None)
