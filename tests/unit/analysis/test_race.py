"""Who wins a race on fresh seeds, and what it costs."""

import pytest

from hpo_app.analysis.race import standing
from hpo_app.study.fresh import Kind, Race


def race(*contenders, default=None, trainings=30, first=2, claim=3, most=3, **fields):
    return Race(tuple(contenders), default, trainings, first, claim, most, **fields)


def run(of, outcome, seconds=None):
    """Run a race whose trainings come to `outcome(fresh)`; return how it ended, and all of it."""
    gains = {}
    while (stands := standing(of, gains, seconds or {})).wanted:
        # In any order, within what is wanted.
        for fresh in reversed(stands.wanted):
            gains[fresh] = outcome(fresh)
    return stands, gains


def noisy(levels, spread=0.1):
    def outcome(fresh):
        if fresh.kind is Kind.CLAIM:
            return levels.get(fresh.of, 0.0)
        return levels[fresh.of] + spread * ((fresh.of * 7 + fresh.place * 3) % 5 - 2)

    return outcome


def test_whoever_is_better_on_fresh_seeds_wins_whatever_the_search_said():
    stands, _ = run(race(3, 8, 5), noisy({3: 0.0, 8: 2.0, 5: 1.0}))
    assert stands.winner == 8


def test_who_can_no_longer_win_gets_no_further_seed():
    stands, gains = run(race(1, 2, 3, trainings=40), noisy({1: 1.0, 2: 1.05, 3: -9.0}))
    seeds = {of: sum(f.of == of and f.kind is Kind.RACE for f in gains) for of in (1, 2, 3)}
    assert seeds[3] == 2
    assert seeds[1] >= seeds[3]
    assert 3 not in stands.left


@pytest.mark.parametrize("trainings", [6, 7, 12, 13, 25, 60])
@pytest.mark.parametrize("first", [1, 2, 4])
def test_a_race_keeps_to_what_it_may_cost(trainings, first):
    of = race(*range(4), default=9, trainings=trainings, first=first)
    levels = dict.fromkeys(range(4), 0.0)
    stands, gains = run(of, noisy(levels, spread=1.0))
    assert len(gains) <= trainings
    assert stands.claim_seeds >= 3
    assert {fresh.of for fresh in gains if fresh.kind is Kind.CLAIM} == {stands.winner, 9}


def test_what_is_claimed_rests_on_seeds_that_chose_nobody():
    _, gains = run(race(1, 2, default=0), noisy({1: 1.0, 2: 2.0}))
    claimed = [fresh for fresh in gains if fresh.kind is Kind.CLAIM]
    assert {fresh.of for fresh in claimed} == {0, 2}
    # Changing what the claim came to changes nobody's place.
    again, _ = run(race(1, 2, default=0), lambda f: -99.0 if f.kind is Kind.CLAIM else float(f.of))
    assert again.winner == 2


def test_ties_go_to_the_cheaper_and_of_the_equally_cheap_to_the_first_of_the_search():
    assert run(race(1, 2, 3), lambda _: 1.0, {1: 10.0, 2: 5.0, 3: 20.0})[0].winner == 2
    assert run(race(1, 2, 3), lambda _: 1.0, {1: 10.0, 2: 9.9, 3: 20.0})[0].winner == 1


def test_a_configuration_that_fails_with_a_fresh_seed_cannot_win():
    stands, _ = run(race(1, 2), lambda f: None if (f.of, f.place) == (1, 1) else 9.0 / f.of)
    assert stands.winner == 2


def test_where_all_fail_the_best_of_the_search_stands_and_nothing_is_replayed():
    stands, gains = run(race(4, 2, has_replay=True), lambda _: None)
    assert stands.winner == 4
    assert all(fresh.kind is not Kind.REPLAY for fresh in gains)


def test_the_default_as_the_only_contender_is_claimed_once():
    stands, gains = run(race(0, default=0, trainings=3), lambda _: 1.0)
    assert stands.winner == 0
    assert len(gains) == 3


def test_the_replay_comes_last_with_the_first_seed_that_came_to_something():
    outcome = lambda f: None if (f.kind, f.place) == (Kind.CLAIM, 0) else 1.0  # noqa: E731
    _, gains = run(race(1, default=0, trainings=6, has_replay=True), outcome)
    last = list(gains)[-1]
    assert (last.kind, last.of, last.place) == (Kind.REPLAY, 1, 1)


def test_what_a_race_leaves_over_makes_the_claim_surer():
    of = race(1, 2, default=0, trainings=30, claim=3, most=10)
    stands, gains = run(of, lambda f: float(f.of))  # Decided after the first seeds.
    assert stands.claim_seeds == 10
    assert len(gains) == 4 + 20
