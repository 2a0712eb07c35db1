"""Who wins a race on fresh seeds, and what it costs."""

import itertools
import random
import statistics

import pytest

from hpo_app.analysis.race import standing
from hpo_app.analysis.robust import interval_of, interval_of_difference
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
@pytest.mark.parametrize("narrows", [False, True])
def test_a_race_keeps_to_what_it_may_cost(trainings, first, narrows):
    of = race(*range(4), default=9, trainings=trainings, first=first, narrows=narrows)
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


def test_what_does_not_pay_for_a_seed_of_all_goes_to_the_best():
    of_six = tuple(range(6))

    def outcome(fresh):
        # Trial 0 is lucky with its first seed; trial 2 is the best.
        return 9.0 if (fresh.of, fresh.place) == (0, 0) else {2: 5.0, 1: 4.0}.get(fresh.of, 0.0)

    paid = race(*of_six, trainings=12, first=1, narrows=True)
    stands, gains = run(paid, outcome)
    assert stands.winner == 2
    second = {f.of for f in gains if (f.kind, f.place) == (Kind.RACE, 1)}
    assert second == {0, 2, 1}
    assert len(gains) == 6 + 3 + 3
    # Of equals none is sent away by chance, and a journal from before stands as it was decided.
    equals, _ = run(paid, lambda _: 1.0, {0: 9.0, 5: 1.0})
    assert (equals.winner, equals.num_rounds) == (5, 1)
    assert run(race(*of_six, trainings=12, first=1), outcome)[0].winner == 0


def test_where_the_best_fail_with_a_further_seed_the_next_one_wins():
    def outcome(fresh):
        has_failed = fresh.kind is Kind.RACE and fresh.place == 1
        return None if has_failed else float(9 - fresh.of)

    stands, gains = run(race(*range(5), trainings=10, first=1, narrows=True), outcome)
    assert {f.of for f in gains if (f.kind, f.place) == (Kind.RACE, 1)} == {0, 1}
    assert stands.winner == 2
    assert stands.left == (2, 3, 4)
    assert stands.num_rounds == 1


@pytest.mark.parametrize("sign", [lambda f: 1 if f.of == 1 else -1, lambda f: (-1) ** f.place])
def test_values_too_far_apart_to_subtract_end_no_run(sign):
    stands, _ = run(race(1, 2, 3, default=0, trainings=40), lambda f: 1.7e308 * sign(f))
    assert stands.winner == 1
    assert interval_of([1.7e308, -1.7e308, 1e308]) is None


def test_what_a_race_leaves_over_makes_the_claim_surer():
    of = race(1, 2, default=0, trainings=30, claim=3, most=10)
    stands, gains = run(of, lambda f: float(f.of))  # Decided after the first seeds.
    assert stands.claim_seeds == 10
    assert len(gains) == 4 + 20


def test_where_the_last_ones_fail_with_the_same_seed_the_better_of_them_stands():
    levels = {1: 9.0, 2: 1.0, 3: 2.0}

    def outcome(fresh):
        failed = {Kind.RACE: {(1, 0), (2, 1), (3, 1)}}.get(fresh.kind, ())
        return None if (fresh.of, fresh.place) in failed else levels[fresh.of]

    stands, _ = run(race(1, 2, 3, trainings=40, first=1), outcome)
    # Trial 1, the best of the search, had failed before them.
    assert stands.winner == 3
    assert stands.left == ()


@pytest.mark.parametrize(("paid_for", "seeds"), [(3, 3), (4, 3), (7, 7), (8, 7), (9, 9)])
def test_no_seed_is_spent_that_makes_the_interval_wider(paid_for, seeds):
    of = race(1, default=0, trainings=2 * paid_for, most=10)
    assert run(of, lambda f: float(f.of))[0].claim_seeds == seeds


def test_the_numbers_of_seeds_that_are_skipped_tell_less_than_one_fewer():
    source = random.Random(1)

    def width(count):
        pairs = ([[source.gauss(0, 1) for _ in range(count)] for _ in "ab"] for _ in range(2000))
        return statistics.median(high - low for low, high in itertools.starmap(of_both, pairs))

    of_both = interval_of_difference
    widths = {count: width(count) for count in range(3, 11)}
    assert {count for count in range(4, 11) if widths[count] > widths[count - 1]} == {4, 8}
