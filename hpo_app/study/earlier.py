"""From the folders of earlier runs to the trials that the sampler of a new run may learn from.

A trial counts only if the new run would have measured the same number: the same objective, the same
parameters, as many iterations. A run that differs there is refused as a whole, before anything
starts. Of the others, single trials are left out, each for a reason that is kept.

Trials of another length are no exception, although they are numbers too. Optuna ranks every trial
that was cut short below every one that was not, so the good ones of a shorter run would count as
bad as soon as the new run has results of its own; and what a longer run had reached by then may
come of a learning rate that was still to fall.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_app.errors import PlanError, Problem, RunFolderError, listed
from hpo_app.plan.search_space import Real
from hpo_app.plan.wording import key_of
from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.plan.search_space import Parameter, Params, ParamValue
    from hpo_app.study.records import Study, TrialRecord

_TAKEN = (TrialState.FINISHED, TrialState.STOPPED)


@dataclass(frozen=True)
class EarlierTrial:
    """A trial of another run, with what a sampler is told of it.

    Attributes:
        run_id: Name of the run.
        number: Number of the trial in that run.
        state: How it ended: finished, or stopped early.
        params: Its values, in the order of the new run's search space.
        curve: `(iteration, value)` of its last report: a sampler looks at no other, and the first
            line of a journal, where it is kept, has a largest length.
        others: The other metrics of that report by which trials are judged.
    """

    run_id: str
    number: int
    state: TrialState
    params: Params
    curve: tuple[tuple[int, float], ...]
    others: Mapping[str, float] = field(default_factory=dict)

    def to_fields(self) -> dict[str, Any]:
        """Return it as plain values, for the journal."""
        fields = {**asdict(self), "state": self.state.value}
        if not self.others:
            del fields["others"]
        return fields

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> EarlierTrial:
        """Return what `to_fields` was made of."""
        curve = tuple((iteration, value) for iteration, value in fields["curve"])
        return cls(**{**fields, "state": TrialState(fields["state"]), "curve": curve})


@dataclass(frozen=True)
class EarlierRun:
    """What a new run takes over from an earlier one.

    Attributes:
        folder: The run folder, as the person named it.
        taken: The trials that count, by number.
        left_out: `{reason: numbers}` of the others.
        differing: Config keys that were set otherwise; whether that matters, a person has to know.
    """

    folder: str
    taken: tuple[EarlierTrial, ...]
    left_out: Mapping[str, tuple[int, ...]]
    differing: tuple[str, ...] = ()

    @property
    def num_trials(self) -> int:
        """How many trials it has."""
        return len(self.taken) + sum(map(len, self.left_out.values()))

    @property
    def facts(self) -> dict[str, Any]:
        """The account of it, for the record."""
        numbers = {reason: list(found) for reason, found in self.left_out.items()}
        return {
            "taken": len(self.taken),
            "left_out": numbers,
            "differing": list(self.differing),
        }


def read_earlier(plan: RunPlan) -> tuple[EarlierRun, ...]:
    """Read the runs that `warm_start` names, in its order; no pickle is involved.

    Raises:
        RunFolderError: If one of them cannot be read; names what is wrong with the others too.
        PlanError: If one of them cannot be compared with what the plan describes.
    """
    runs: list[EarlierRun] = []
    seen: set[Path] = set()
    unreadable: list[Problem] = []
    unlike: list[Problem] = []
    for index, folder in enumerate(plan.warm_start):
        key, path = f"warm_start[{index}]", Path(folder)
        if path.resolve() in seen:
            unlike.append(Problem(key, folder, "each run once", "leave it out"))
            continue
        seen.add(path.resolve())
        try:
            study = load_study(path)
        except RunFolderError as error:
            unreadable += error.problems
            continue
        run = _taken_from(folder, study, plan)
        problems = list(_differences(key, folder, study, plan)) or list(_emptiness(key, run))
        unlike += problems
        runs.append(run)
    if unreadable:
        raise RunFolderError([*unreadable, *unlike])
    if unlike:
        raise PlanError(unlike)
    return tuple(runs)


def _differences(key: str, folder: str, study: Study, plan: RunPlan) -> Iterator[Problem]:
    """Yield why no trial of a run can be compared with those of the plan."""
    theirs, ours = study.criteria.objectives, plan.objectives
    if theirs != ours:
        got = f"{folder}, which optimised {listed(theirs)}"
        expected = f"a run that optimised {listed(ours)}"
        yield Problem(key, got, expected, "leave it out")
    choices: Any = study.facts.get("choices", {})
    for group in ("model", "data"):
        choice, known = choices.get(group), plan.choices.get(group)
        if choice is not None and known is not None and choice != known:
            expected = f"a run with {group}={known}, which gives the same numbers"
            fix = f"set {group}={choice}, or leave it out"
            yield Problem(key, f"{folder}, a run with {group}={choice}", expected, fix)
    if set(study.space) != set(plan.space):
        got = f"{folder}, a run over {listed(study.space)}"
        yield Problem(key, got, f"a run over {listed(plan.space)}", _fix_of_names(study, plan))
    if study.iterations != plan.iterations:
        got = f"{folder}, whose trials have {study.iterations} iterations"
        expected = f"{plan.iterations}, as here: less or more training gives another number"
        fix = f"set training.iterations={study.iterations}, or leave it out"
        yield Problem(key, got, expected, fix)


def _fix_of_names(study: Study, plan: RunPlan) -> str:
    missing = [name for name in plan.space if name not in study.space]
    extra = [name for name in study.space if name not in plan.space]
    drop = " ".join(f"'{key_of('~search_space', name)}'" for name in missing)
    steps = [f"type {drop} and fix what reads it"] if missing else []
    steps += [f"add {listed(extra)} to the search space"] if extra else []
    return ", ".join([*steps, "or leave it out"])


def _emptiness(key: str, run: EarlierRun) -> Iterator[Problem]:
    if not run.taken:
        reasons = listed(f"{len(numbers)} {reason}" for reason, numbers in run.left_out.items())
        got = f"{run.folder}: {reasons or 'no trial'}"
        expected = "at least one trial that a sampler can learn from"
        yield Problem(key, got, expected, "leave it out")


def _taken_from(folder: str, study: Study, plan: RunPlan) -> EarlierRun:
    taken: list[EarlierTrial] = []
    left_out: dict[str, list[int]] = {}
    for trial in study.trials:
        curve = tuple(trial.curve(plan.objective.metric))
        reason = _reason_against(trial, curve, plan)
        if reason:
            left_out.setdefault(reason, []).append(trial.number)
            continue
        params = plan.space.active(plan.space.complete(trial.params))
        others = {name: trial.last[name] for name in plan.criteria.metrics[1:]}
        last = ((curve[-1][0], plan.criteria.settled([value for _, value in curve])),)
        taken.append(EarlierTrial(study.run_id, trial.number, trial.state, params, last, others))
    numbers = {reason: tuple(found) for reason, found in left_out.items()}
    return EarlierRun(folder, tuple(taken), numbers)


def _reason_against(trial: TrialRecord, curve: tuple[tuple[int, float], ...], plan: RunPlan) -> str:
    """Return why a trial does not count; empty if it does."""
    space = plan.space
    if trial.state not in _TAKEN:
        return "failed" if trial.state is TrialState.FAILED else "not trained to the end"
    missing = [name for name in plan.criteria.metrics if name not in trial.last]
    if not curve or missing:
        return f"without {listed(missing)}" if curve else "without a report"
    if trial.clones:
        # What such a trial reached is the work of several sets of values, one after the other.
        return "with parameters that changed on the way"
    outside = [
        name
        for name in space.active(space.complete(trial.params))
        if name not in trial.params or not _can_be_drawn(space[name], trial.params[name])
    ]
    if outside:
        return f"with {listed(outside)} outside today's values"
    return "" if space.keeps(space.active(trial.params)) else "against today's rules"


def _can_be_drawn(parameter: Parameter, value: ParamValue) -> bool:
    if not parameter.contains(value):
        return False
    if isinstance(parameter, Real) and parameter.step is not None:
        number = float(value)  # type: ignore[arg-type]
        nearest = parameter.at(parameter.position(number))
        return math.isclose(nearest, number, rel_tol=1e-9, abs_tol=parameter.step * 1e-6)
    return True
