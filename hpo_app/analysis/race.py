"""From scores on fresh seeds to who won, and to which trainings would tell more.

A race in two parts. First the contenders are trained with seeds in common, and those that can no
longer win are dropped; where a further seed of all cannot be paid for, the best of them get one.
Then the winner and what it is measured by, the default configuration and a
person's baselines, are trained with seeds that were held back: whoever comes out first of several
looks better than it is, also by fresh scores, and what is claimed of it must not rest on those that
chose it.

Nothing here knows what runs where. Decisions follow from whole rounds, so that the order in which
trainings end changes none.

Sources:
    Maron and Moore (1994), "Hoeffding Races"; Birattari et al. (2002), "A Racing Algorithm for
    Configuring Metaheuristics": contenders are dropped by a paired test over instances in common.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpo_app.analysis.robust import deviation, interquartile_mean, student_quantile
from hpo_app.study.fresh import Fresh, Kind


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hpo_app.study.fresh import Race

# How sure a paired test has to be that a contender is worse than the leader.
DROP_LEVEL = 0.8
# What costs less than this share of the others is cheaper; below, it is the machine's mood.
_CHEAPER = 0.9


@dataclass(frozen=True)
class Standing:
    """How a race stands.

    Attributes:
        wanted: Trainings whose results are waited for, in the order in which to start them; empty
            at the end.
        winner: Number of the trial that won; None while the race goes on.
        left: Contenders that may still win, the leader first; empty where all have failed.
        num_rounds: With how many seeds those that are left were compared.
        claim_seeds: How many seeds are held back; 0 while that is not known.
    """

    wanted: tuple[Fresh, ...]
    winner: int | None
    left: tuple[int, ...]
    num_rounds: int
    claim_seeds: int


def standing(
    race: Race, gains: Mapping[Fresh, float | None], seconds: Mapping[int, float]
) -> Standing:
    """Return how a race stands by what is known.

    Args:
        race: Who runs.
        gains: What came out, of any order; a training that is missing has not ended.
        seconds: What one training of a contender takes, for ties.
    """
    left, done, used = race.contenders, 0, 0
    survivors, survived = left, 0
    for_race = race.trainings - race.claim_seeds * race.num_claims
    while len(left) > 1:
        step, spare = 1 if done else race.first_seeds, for_race - used
        before, beyond = left, done
        if done and race.narrows:
            left = _fitting(left, done, gains, spare)
        if step * len(left) > spare:
            break
        places = range(done, done + step)
        round_ = [Fresh(of, Kind.RACE, place) for place in places for of in left]
        wanted = tuple(fresh for fresh in round_ if fresh not in gains)
        if wanted:
            return Standing(wanted, None, left, done, 0)
        waiting = tuple(of for of in before if of not in left)
        done, used = done + step, used + len(round_)
        left = _dropped(left, done, gains)
        if not left and waiting:
            # Those that did not fit in have failed with no seed.
            survivors, survived = left, done = waiting, beyond
            break
        survivors, survived = (left, done) if left else (survivors, survived)
    # Where the last ones all fail with the same seed, what they came to before tells them apart.
    winner = _winner(survivors, survived, gains, seconds)
    runners = (winner, *(number for number in race.others if number != winner))
    spare = (race.trainings - used) // len(runners)
    held_back = _useful(min(max(spare, race.claim_seeds), race.most_claim_seeds))
    claim = (Fresh(of, Kind.CLAIM, place) for place in range(held_back) for of in runners)
    wanted = tuple(fresh for fresh in claim if fresh not in gains)
    if not wanted and race.has_replay:
        wanted = _replay(winner, held_back, gains)
    return Standing(wanted, winner, left, done, held_back)


def _useful(seeds: int) -> int:
    """Return a number of seeds of which none is wasted.

    Of four values two are left after the quarters are cut off, and an interval by one degree of
    freedom is three times as wide as that of three values. Of eight as many are left as of six.
    """
    return {4: 3, 8: 7}.get(seeds, seeds)


def _replay(winner: int, count: int, gains: Mapping[Fresh, float | None]) -> tuple[Fresh, ...]:
    """Return the replay of the first training that came to something, if it was not made yet."""
    for place in range(count):
        if gains.get(Fresh(winner, Kind.CLAIM, place)) is not None:
            fresh = Fresh(winner, Kind.REPLAY, place)
            return () if fresh in gains else (fresh,)
    return ()


def gains_of(of: int, kind: Kind, count: int, gains: Mapping[Fresh, float | None]) -> list[float]:
    """Return what the trainings of one configuration came to, those that failed left out."""
    found = (gains.get(Fresh(of, kind, place)) for place in range(count))
    return [gain for gain in found if gain is not None]


def _dropped(
    left: Sequence[int], done: int, gains: Mapping[Fresh, float | None]
) -> tuple[int, ...]:
    """Return who may still win after so many seeds, the leader first."""
    # A configuration that does not train with every seed is none to rely on.
    scores = {of: gains_of(of, Kind.RACE, done, gains) for of in left}
    whole = {of: values for of, values in scores.items() if len(values) == done}
    ordered = sorted(whole, key=lambda of: -interquartile_mean(whole[of]))
    if not ordered:
        return ()
    leader, *others = ordered
    may_win = (of for of in others if not _is_beaten(whole[of], whole[leader]))
    return (leader, *may_win)


def _fitting(
    left: Sequence[int], done: int, gains: Mapping[Fresh, float | None], spare: int
) -> tuple[int, ...]:
    """Return who gets a further seed, the leader first: the best, where not all can be paid for.

    Args:
        left: Who may still win, the leader first.
        done: With how many seeds they were trained.
        gains: What these came to.
        spare: How many trainings the race has left.
    """
    if spare >= len(left) or spare < 2:
        return tuple(left)
    means = [interquartile_mean(gains_of(of, Kind.RACE, done, gains)) for of in left]
    # Of equals either all go on or none.
    kept = tuple(of for of, mean in zip(left, means, strict=True) if mean >= means[spare - 1])
    return kept if len(kept) <= spare else tuple(left)


def _is_beaten(values: Sequence[float], leaders: Sequence[float]) -> bool:
    """Return whether a paired test over the seeds in common says so."""
    if len(values) < 2:
        return False
    lost = [leader - value for value, leader in zip(values, leaders, strict=True)]
    error = deviation(lost) / math.sqrt(len(lost))
    return statistics.mean(lost) > student_quantile(len(lost) - 1, DROP_LEVEL) * error


def _winner(
    left: Sequence[int],
    done: int,
    gains: Mapping[Fresh, float | None],
    seconds: Mapping[int, float],
) -> int:
    if not done:
        return left[0]
    means = {of: interquartile_mean(gains_of(of, Kind.RACE, done, gains)) for of in left}
    best = max(means.values())
    tied = [of for of in left if math.isclose(means[of], best, rel_tol=1e-9, abs_tol=1e-12)]
    return cheapest(tied, seconds)


def cheapest(tied: Sequence[int], seconds: Mapping[int, float]) -> int:
    """Return the cheapest of some trials; of those that cost about the same, the first one."""
    least = min((seconds.get(of, math.inf) for of in tied), default=math.inf)
    return next(of for of in tied if seconds.get(of, math.inf) * _CHEAPER <= least)
