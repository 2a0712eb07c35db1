"""From trainings with fresh seeds to what can be claimed of the winner, and how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hpo_app.analysis.best import reach
from hpo_app.analysis.claim_words import claim_sentences
from hpo_app.analysis.once import once_per_study
from hpo_app.analysis.race import gains_of, standing
from hpo_app.analysis.robust import (
    FEWEST,
    interquartile_mean,
    interval_of,
    interval_of_difference,
    most_worse,
    probability_of_improvement,
)
from hpo_app.study.fresh import Fresh, Kind


if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpo_app.analysis.robust import Interval
    from hpo_app.plan.run_plan import Baseline
    from hpo_app.study.records import Study, TrialRecord


@dataclass(frozen=True)
class Worth:
    """What a configuration is worth on seeds that chose nobody.

    Attributes:
        trial: Number of the trial whose configuration it is.
        values: What each training came to, in the order of the seeds.
        mean: Their interquartile mean; None if every training failed.
        interval: Of the mean; None if there are too few values, or if they are all equal.
        num_failed: How many trainings failed.
        num_unmet: How many of the others did not keep the constraints.
        worst: The worst of the values; None if a training failed, which is worse than any.
        most_worse: How large a share of further seeds may be worse than that, see `robust`.
    """

    trial: int
    values: tuple[float, ...]
    mean: float | None
    interval: Interval | None
    num_failed: int
    num_unmet: int = 0
    worst: float | None = None
    most_worse: float | None = None


@dataclass(frozen=True)
class Difference:
    """What the winner is worth beside another configuration.

    Attributes:
        to: What that is worth.
        gain: Difference of both means, positive where the winner is better; None if it is not
            known.
        interval: Of the gain; None if there are too few values, or if none of both has a spread.
        probability: How often a training of the winner is better than one of the other; one that
            failed is worse than any that did not.
        has_no_spread: Whether there are values enough for an interval, but those that are left of
            a side without its outer quarters are equal.
        fails_more: Whether more trainings of the winner than of the other one failed.
        breaks_more: Whether more of them did not keep the constraints.
        is_sound: Whether the other one came through the race, if it ran in it.
    """

    to: Worth
    gain: float | None = None
    interval: Interval | None = None
    probability: float | None = None
    has_no_spread: bool = False
    fails_more: bool = False
    breaks_more: bool = False
    is_sound: bool = True

    @property
    def is_significant(self) -> bool:
        """Whether the interval of the gain lies above zero, and nothing was paid for it.

        The mean is that of the trainings that did not fail: who fails where the other one learns
        badly would look better by it.
        """
        is_paid_for = self.fails_more or self.breaks_more
        return self.interval is not None and self.interval.low > 0.0 and not is_paid_for


@dataclass(frozen=True)
class BesideBaseline:
    """How the winner stands to a configuration that a person brought along.

    Attributes:
        source: The file or folder that it is from.
        trial: Number of the trial that tried it in the search; None if none did.
        is_winner: Whether it won itself.
        is_default: Whether it is the default configuration.
        difference: To what it is worth; None if it won, or was not trained anew.
    """

    source: str
    trial: int | None
    is_winner: bool
    is_default: bool
    difference: Difference | None


@dataclass(frozen=True)
class Replay:
    """Whether best.yaml led to a recorded value again.

    Attributes:
        seed: The seed to type for it.
        recorded: The value of the claim with this seed.
        value: What the replay came to; None if it failed.
    """

    seed: int
    recorded: float
    value: float | None

    @property
    def is_exact(self) -> bool:
        """Whether both are the same number, bit for bit."""
        return self.value == self.recorded


@dataclass(frozen=True)
class Claim:
    """What is claimed of the winner.

    Attributes:
        winner: What it is worth.
        is_default: Whether the default configuration itself won.
        over_default: How it stands to the default; None if there is none, or if it won.
        baselines: How it stands to each configuration that a person brought along.
        over_earlier: How it stands to whoever had won before the search went on; None if nobody
            had, or if that one won again.
        search_value: What the search saw of the winner.
        search_iterations: After how many iterations.
        optimism: By how much that looked better than it is; None where the search had not trained
            it to its end, which is no luck.
        num_contenders: How many raced.
        has_survivor: Whether any of them trained with every fresh seed, the constraints kept.
        num_trainings: How many fresh trainings there were.
        replay: Whether best.yaml led to the same value; None if that was not tried.
        sentences: All of it, for people.
    """

    winner: Worth
    is_default: bool
    over_default: Difference | None
    baselines: tuple[BesideBaseline, ...]
    over_earlier: Difference | None
    search_value: float | None
    search_iterations: int
    optimism: float | None
    num_contenders: int
    has_survivor: bool
    num_trainings: int
    replay: Replay | None
    sentences: tuple[str, ...] = ()

    @property
    def is_confirmed(self) -> bool:
        """Whether somebody came through the race, and trained with seeds enough for an interval."""
        return self.has_survivor and len(self.winner.values) >= FEWEST

    @property
    def default(self) -> Worth | None:
        """What the default configuration is worth; None if there is none, or if it won."""
        return self.over_default.to if self.over_default else None

    @property
    def gain(self) -> float | None:
        """What is gained over the default configuration."""
        return self.over_default.gain if self.over_default else None

    @property
    def gain_interval(self) -> Interval | None:
        """Of the gain over the default configuration."""
        return self.over_default.interval if self.over_default else None

    @property
    def probability(self) -> float | None:
        """How often a training of the winner is better than one of the default."""
        return self.over_default.probability if self.over_default else None

    @property
    def is_significant(self) -> bool:
        """Whether it is confirmed, and the interval of its gain over the default above zero."""
        over = self.over_default
        return self.is_confirmed and over is not None and over.is_significant


def gain_of(trial: TrialRecord, study: Study) -> float | None:
    """Return what a fresh training came to, more is better; None if it does not count.

    In a race, one that does not keep the constraints counts as failed: a configuration to rely on
    keeps them with every seed.
    """
    value = trial.value(study.objective.metric)
    is_race = trial.fresh is not None and trial.fresh.kind is Kind.RACE
    if value is None or (is_race and trial.unmet(study.criteria)):
        return None
    return study.objective.sign * value


def known_gains(study: Study) -> Mapping[Fresh, float | None]:
    """Return what the fresh trainings that ended came to."""
    return {
        trial.fresh: gain_of(trial, study)
        for trial in study.fresh
        if trial.fresh is not None and not trial.state.is_open
    }


def came_through(study: Study, number: int) -> bool:
    """Return whether a trial trained with every seed that it raced with, the constraints kept."""
    return all(
        gain is not None
        for fresh, gain in known_gains(study).items()
        if fresh.of == number and fresh.kind is Kind.RACE
    )


def mean_seconds(study: Study) -> Mapping[int, float]:
    """Return what a training of each contender takes.

    Only those of the race count: what is trained after it must change nobody's place.
    """
    found: dict[int, list[float]] = {}
    for trial in study.fresh:
        is_race = trial.fresh is not None and trial.fresh.kind is Kind.RACE
        if trial.fresh is not None and is_race and trial.duration_s is not None:
            found.setdefault(trial.fresh.of, []).append(trial.duration_s)
    return {of: sum(seconds) / len(seconds) for of, seconds in found.items()}


@once_per_study
def claim_of(study: Study) -> Claim | None:
    """Return the claim of a run whose winner is confirmed; None of any other."""
    race, winner = study.race, study.winner
    if race is None or winner is None:
        return None
    gains = known_gains(study)
    stands = standing(race, gains, mean_seconds(study))
    count = stands.claim_seeds
    ours = _worth(study, winner, count, gains)
    over = {
        number: _difference(study, ours, _worth(study, number, count, gains))
        for number in race.others
        if number != winner
    }
    if not stands.left:
        # Of who is none to rely on, nothing is claimed to be gained.
        over = {number: Difference(each.to) for number, each in over.items()}
    sign = study.objective.sign
    seen = next(trial for trial in study.trials if trial.number == winner)
    value = seen.value(study.objective.metric)
    is_whole = reach(seen, study.iterations) >= study.iterations
    optimism = None
    if is_whole and value is not None and ours.mean is not None:
        optimism = sign * (value - ours.mean)
    claim = Claim(
        winner=ours,
        is_default=race.default == winner,
        over_default=None if race.default is None else over.get(race.default),
        baselines=tuple(_beside(study, each, over) for each in study.baselines),
        over_earlier=over.get(_won_before(study)),
        search_value=value,
        search_iterations=seen.iterations,
        optimism=optimism,
        num_contenders=len(race.contenders),
        has_survivor=bool(stands.left),
        num_trainings=len(study.fresh),
        replay=_replay(study, winner),
    )
    return replace(claim, sentences=claim_sentences(claim, study.objective.metric))


def _worth(study: Study, of: int, count: int, gains: Mapping[Fresh, float | None]) -> Worth:
    sign = study.objective.sign
    values = tuple(sign * gain for gain in gains_of(of, Kind.CLAIM, count, gains))
    if not values:
        return Worth(of, (), None, None, count)
    mean, is_whole = interquartile_mean(values), len(values) == count
    unmet = sum(
        bool(trial.unmet(study.criteria))
        for trial in study.fresh
        if trial.fresh in {Fresh(of, Kind.CLAIM, place) for place in range(count)}
    )
    return Worth(
        of,
        values,
        mean,
        _with_width(interval_of(values)),
        count - len(values),
        unmet,
        worst=sign * min(sign * value for value in values) if is_whole else None,
        most_worse=most_worse(len(values)) if is_whole else None,
    )


def _difference(study: Study, ours: Worth, theirs: Worth) -> Difference:
    if theirs.mean is None or ours.mean is None:
        return Difference(theirs)
    sign = study.objective.sign
    pair = [[sign * value for value in each.values] for each in (ours, theirs)]
    interval = interval_of_difference(*pair)
    has_no_spread = interval is not None and interval.low == interval.high
    gain = sign * (ours.mean - theirs.mean)
    # One that failed beats nothing.
    whole = [
        gains + [-math.inf] * each.num_failed
        for gains, each in zip(pair, (ours, theirs), strict=True)
    ]
    better = probability_of_improvement(*whole)
    return Difference(
        theirs,
        gain,
        _with_width(interval),
        better,
        has_no_spread,
        fails_more=ours.num_failed > theirs.num_failed,
        breaks_more=ours.num_unmet > theirs.num_unmet,
        is_sound=came_through(study, theirs.trial),
    )


def _with_width(interval: Interval | None) -> Interval | None:
    # A few values that happen to be equal tell nothing of how far others may be.
    return None if interval is None or interval.low == interval.high else interval


def _won_before(study: Study) -> int:
    """Return who had won before this race and ran in it; -1 for nobody."""
    ran = study.race is not None and study.won_before in study.race.baselines
    return study.won_before if ran and study.won_before is not None else -1


def _beside(study: Study, baseline: Baseline, over: Mapping[int, Difference]) -> BesideBaseline:
    trial, race = study.trial_of(baseline), study.race
    number = None if trial is None else trial.number
    return BesideBaseline(
        source=baseline.source,
        trial=number,
        is_winner=number is not None and number == study.winner,
        is_default=race is not None and number is not None and number == race.default,
        difference=None if number is None else over.get(number),
    )


def _replay(study: Study, winner: int) -> Replay | None:
    by_fresh = {trial.fresh: trial for trial in study.fresh}
    for fresh, trial in by_fresh.items():
        if fresh is None or fresh.kind is not Kind.REPLAY or fresh.of != winner:
            continue
        before = by_fresh.get(Fresh(winner, Kind.CLAIM, fresh.place))
        recorded = before.value(study.objective.metric) if before else None
        if recorded is not None and trial.typed_seed is not None:
            return Replay(trial.typed_seed, recorded, trial.value(study.objective.metric))
    return None
