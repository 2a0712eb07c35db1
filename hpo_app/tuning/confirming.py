"""From the end of a search to trainings with fresh seeds, until it is known who won."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hpo_app.analysis.best import rank
from hpo_app.analysis.claim import came_through, gain_of, known_gains, mean_seconds
from hpo_app.analysis.race import standing
from hpo_app.analysis.wording import counted, number as number_text
from hpo_app.errors import listed
from hpo_app.study.fresh import FIRST_FRESH, FreshSoFar, Kind, Race
from hpo_app.study.records import TrialState
from hpo_app.training.seeds import derive_seed


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hpo_app.analysis.race import Standing
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.study.fresh import Fresh
    from hpo_app.study.records import Study, TrialRecord

# Where the race leaves trainings over, the claim gets up to so many seeds.
_MOST_CLAIM_SEEDS = 10
# A person types it; and what is typed becomes the seed of a training as in action=train.
_TYPED_SEEDS = 1_000_000
# Estimates of what fits into the time that is left are rough.
_SURE = 0.9


class Confirming:
    """Says which training comes next once the search is over, and when there is none.

    Attributes:
        is_over: Whether there is nothing to confirm, or no more.
        seeds: Those of all fresh trainings; no trial of the search may have one.
        slots: How many train at once.
        write_best: Writes best.yaml of a study, before it is replayed; None for no replay.
    """

    def __init__(self, plan: RunPlan, notice: Callable[[str], None]) -> None:
        self._plan = plan
        self._notice = notice
        self._num_begun = 0
        self._open: set[Fresh] = set()
        self._waits = False
        self._told: tuple[int, ...] | None = None
        self._most: int | None = None
        self._seconds: list[float] = []
        self.seeds: set[int] = set()
        self.is_over = not plan.confirm.is_on
        self.slots = 1
        self.write_best: Callable[[Study], None] | None = None

    def take_over(self, study: Study) -> None:
        """Go on where an earlier start stopped."""
        self._num_begun = len(study.fresh)
        self._seconds = [trial.duration_s for trial in study.fresh if trial.duration_s]
        self.seeds = {trial.seed for trial in study.fresh}
        self._open = {
            trial.fresh for trial in study.fresh if trial.fresh is not None and trial.state.is_open
        }

    def next(
        self, study_now: Callable[[], Study], write: Callable[..., None], elapsed_s: float
    ) -> int | None:
        """Begin the next training, and return its number.

        Args:
            study_now: Returns the study as it stands.
            write: Writes an event.
            elapsed_s: Seconds since the run started.

        Returns:
            None if others have to end first, or if it is over.
        """
        if self.is_over or self._waits:
            return None
        study = study_now()
        race = study.race
        if race is None or not race.is_by(replace(self._plan.confirm, has_replay=self._replays)):
            race = self._race(study, elapsed_s)
            if race is None:
                return None
            write("raced", **race.to_fields())
            study = study_now()
        # What an earlier race trained counts for this one only where its contenders race again.
        racing = {*race.contenders, *race.others}
        others = sum(each.fresh is None or each.fresh.of not in racing for each in study.fresh)
        self._most = race.trainings + race.has_replay + others
        fresh = self._wanted(study, write)
        if fresh is None:
            return None
        self.prepare(fresh, lambda: study)
        number = FIRST_FRESH + self._num_begun
        self._num_begun += 1
        self._open.add(fresh)
        typed, seed = self._seed(study, fresh)
        fields = {"of": fresh.of, "kind": fresh.kind.value, "place": fresh.place}
        write("repeated", trial=number, **fields, typed=typed, seed=seed)
        return number

    def so_far(self) -> FreshSoFar | None:
        """Return how far the trainings are; None before the first one."""
        if self._most is None:
            return None
        num_ended = self._num_begun - len(self._open)
        seconds = statistics.fmean(self._seconds) if self._seconds else None
        most = max(self._most, num_ended)
        turns = math.ceil((most - num_ended) / self.slots)
        return FreshSoFar(num_ended, most, None if seconds is None else turns * seconds)

    def end_of_search(self, elapsed_s: float) -> str:
        """Return why the search may take no more of the time; empty while it may."""
        budget_s, share = self._plan.time_budget_s, 1.0 - self._plan.confirm.share
        if self.is_over or budget_s is None or elapsed_s < share * budget_s:
            return ""
        reason = f"{share:.0%} of the time budget of {budget_s:g} s was used up"
        return f"{reason}, and the rest was for the confirmation"

    def prepare(self, fresh: Fresh | None, study_now: Callable[[], Study]) -> None:
        """Write the best.yaml that a replay is about to train, also where it goes on.

        The start that was cut off has written that of the search, because nobody had won yet.
        """
        if fresh is not None and fresh.kind is Kind.REPLAY and self.write_best is not None:
            self.write_best(study_now().won_by(fresh.of))

    def _wanted(self, study: Study, write: Callable[..., None]) -> Fresh | None:
        """Return what is to be trained next; None if others have to end first, or at the end."""
        race: Any = study.race
        stands = standing(race, known_gains(study), mean_seconds(study))
        self._tell(race, stands)
        if not stands.wanted:
            self.is_over = True
            if study.winner is None:
                write("confirmed", winner=stands.winner)
            return None
        fresh = next((fresh for fresh in stands.wanted if fresh not in self._open), None)
        self._waits = fresh is None
        return fresh

    def _race(self, study: Study, elapsed_s: float) -> Race | None:
        """Return who is trained with fresh seeds; None if no trial of the search has a value."""
        confirm = self._plan.confirm
        measures, default = _measures(study), study.default
        contenders = _contenders(study, confirm.contenders, measures)
        if not contenders:
            self.is_over = True
            return None
        race = Race(
            tuple(contenders),
            None if default is None else default.number,
            self._affordable(study, elapsed_s, measures),
            confirm.first_seeds,
            confirm.claim_seeds,
            max(confirm.claim_seeds, _MOST_CLAIM_SEEDS),
            self._replays,
            confirm.contenders,
            confirm.share,
            tuple(measures),
            narrows=True,
        )
        paid = _affordable_of(race, has_default=default is not None and bool(default.last))
        everybody = {*race.contenders, *race.baselines, *paid.contenders}
        self._notice(_on_start(paid, len(everybody)))
        return paid

    @property
    def _replays(self) -> bool:
        return self._plan.confirm.has_replay and self.write_best is not None

    def _affordable(self, study: Study, elapsed_s: float, beside: list[int]) -> int:
        confirm, full = self._plan.confirm, self._plan.iterations
        share, spent = confirm.share, sum(len(trial.reports) for trial in study.trials)
        trainings = int(share / (1.0 - share) * spent / full + 1e-9)
        # Beside the share: what a person brings along must not take from who else may race, and of
        # whoever won before, most of it is trained already.
        default = -1 if study.default is None else study.default.number
        claimed = [number for number in beside if number != default]
        trainings += confirm.first_seeds * len(beside) + confirm.claim_seeds * len(claimed)
        budget_s = self._plan.time_budget_s
        per_iteration = [
            trial.duration_s / trial.iterations
            for trial in study.trials
            if trial.duration_s and trial.iterations
        ]
        if budget_s is None or not per_iteration:
            return trainings
        one_s = statistics.median(per_iteration) * full
        fitting = max(budget_s - elapsed_s, 0.0) * _SURE / one_s * self.slots
        return min(trainings, int(fitting))

    def _seed(self, study: Study, fresh: Fresh) -> tuple[int, int]:
        """Return the seed to type and that of the training: those of all others at this place."""
        kind = Kind.CLAIM if fresh.kind is Kind.REPLAY else fresh.kind
        for trial in study.fresh:
            same = trial.fresh is not None and (trial.fresh.kind, trial.fresh.place)
            if same == (kind, fresh.place) and trial.typed_seed is not None:
                return trial.typed_seed, trial.seed
        taken = {trial.seed for trial in (*study.trials, *study.fresh)}
        attempt = 0
        while True:
            parts = ("fresh", kind.value, fresh.place, attempt)
            typed = derive_seed(self._plan.seed, *parts) % _TYPED_SEEDS
            seed = derive_seed(typed, "train")
            if seed not in taken:
                self.seeds.add(seed)
                return typed, seed
            attempt += 1

    def ended(self, trial: TrialRecord, study: Study) -> None:
        """Take note of a training that ended, and say what it came to."""
        fresh = trial.fresh
        if fresh is None or trial.state is TrialState.INTERRUPTED:
            return
        self._open.discard(fresh)
        self._waits = False
        self._seconds += [trial.duration_s] if trial.duration_s else []
        gain = gain_of(trial, study)
        value = trial.value(study.objective.metric)
        came_to = "failed" if value is None else f"{study.objective.metric} {number_text(value)}"
        if value is not None and gain is None:
            came_to += ", which does not keep the constraints"
        what = {
            Kind.RACE: f"fresh seed {fresh.place + 1}",
            Kind.CLAIM: f"seed {fresh.place + 1} of those held back",
            Kind.REPLAY: "best.yaml once more",
        }[fresh.kind]
        self._notice(f"confirming trial {fresh.of}, {what}: {came_to}")

    def _tell(self, race: Race, stands: Standing) -> None:
        # None is left where all have failed.
        before = race.contenders if self._told is None else self._told
        self._told = stands.left
        out = [number for number in before if number not in stands.left]
        if out and stands.num_rounds:
            after = counted(stands.num_rounds, "fresh seed")
            self._notice(f"out of the race after {after}: {listed(f'trial {no}' for no in out)}")


def _contenders(study: Study, most: int, brought: Sequence[int]) -> list[int]:
    """Return the best trials of the search; of those with the same params, only the first.

    A copy of the default configuration, or of what is brought, stands for that: it is no gain over
    it.
    """
    ranked = rank(study.searched)
    keeping = [trial for trial in ranked if not trial.unmet(study.criteria)]
    known = {trial.number: trial for trial in ranked}
    default = [] if study.default is None else [study.default.number]
    measures = [known[number] for number in (*default, *brought) if number in known]
    chosen: list[TrialRecord] = []
    for trial in keeping or ranked[:1]:
        if len(chosen) < most and all(trial.params != other.params for other in chosen):
            same = (other for other in measures if other.params == trial.params)
            chosen.append(next(same, trial))
    return [trial.number for trial in chosen]


def _measures(study: Study) -> list[int]:
    """Return the trials that the winner is measured by, but the default and those without a value.

    They are what a person brought along, and whoever won before this race: what is claimed of it
    stands, and whoever takes its place has to be better.
    """
    trials = [study.trial_of(baseline) for baseline in study.baselines]
    numbers = [trial.number for trial in trials if trial is not None and trial.last]
    before = study.won_before if study.winner is None else study.winner
    if before is not None and came_through(study, before):
        numbers.append(before)
    return list(dict.fromkeys(numbers))


def _affordable_of(race: Race, *, has_default: bool) -> Race:
    """Return the race with as many contenders as it can pay for; baselines run in any case.

    The default configuration races with the best where two or more are paid for, in the place of
    the last one if there is no room beside it: the search saw it with one seed, and may have
    thought less of it than it is worth.
    """
    brought = tuple(number for number in race.baselines if number != race.contenders[0])
    everybody = tuple(dict.fromkeys((*race.contenders, *brought)))
    claims = race.claim_seeds * replace(race, contenders=everybody).num_claims
    room = max((race.trainings - claims) // race.first_seeds - len(brought), 1)
    best = [number for number in race.contenders if number not in brought]
    chosen, default = best[:room], race.default if has_default else None
    if default is not None and default not in {*brought, *chosen} and room > 1:
        chosen = [*best[: room - 1], default]
    race = replace(race, contenders=(*chosen, *brought))
    # Where whoever is left is what the winner is measured by, nobody else is claimed.
    claims = race.claim_seeds * race.num_claims
    least = (1 + len(brought)) * race.first_seeds if brought else 0
    return replace(race, trainings=max(race.trainings, claims + least))


def _on_start(race: Race, num_wanted: int) -> str:
    names = listed(
        "the default" if number == race.default else f"trial {number}" for number in race.contenders
    )
    count = len(race.contenders)
    who, it = ("the best trial is", "it") if count == 1 else (f"{names} are", "them")
    beside = "" if race.default in (None, *race.contenders) else f", and beside {it} the default"
    replay = " and a replay" if race.has_replay else ""
    # That of the share of all iterations, or of the time.
    few = f"; the budget is for {count} of {counted(num_wanted, 'contender')}"
    return (
        f"the search is over; {who} trained anew with fresh seeds{beside}: "
        f"{counted(race.trainings, 'training')}{replay} at most{few if count < num_wanted else ''}"
    )
