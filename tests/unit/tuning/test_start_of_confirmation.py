"""Who is confirmed, what that may cost, and what is said of it before the first training."""

from dataclasses import replace

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.plan.run_plan import Baseline
from hpo_app.study.fresh import Race
from hpo_app.tuning.confirming import Confirming


@pytest.fixture
def begun(make_trial, make_study):
    """Begin the confirmation of a search whose trials came to these losses; 0 is the default."""

    def begin(losses, *overrides, race=None, writes_best=True, brought=(), won_before=None):
        given = ["search_space=quadratic", "training.iterations=1", "confirm=standard", *overrides]
        notes = []
        confirming = Confirming(parse_plan(*compose_config(given)), notes.append)
        confirming.write_best = (lambda _study: None) if writes_best else None
        trials = [make_trial(no, [loss], params={"x": no}) for no, loss in enumerate(losses)]
        baselines = tuple(Baseline("mine.yaml", trials[no].params) for no in brought)
        study = make_study(*trials, iterations=1, race=race, baselines=baselines)
        now = [replace(study, winner=won_before)]

        def write(event, **fields):
            if event == "raced":
                now[0] = replace(now[0], race=Race.from_fields(fields))

        confirming.next(lambda: now[0], write, 0.0)
        return now[0].race, "".join(notes)

    return begin


def test_a_share_that_pays_for_fewer_contenders_says_so(begun):
    race, note = begun([9.0, *range(15)])
    assert race.contenders == (1, 2, 3, 0)
    assert race.trainings == 10
    assert note == (
        "the search is over; trial 1, trial 2, trial 3 and the default are trained anew with fresh "
        "seeds: 10 trainings and a replay at most; the budget is for 4 of 7 contenders"
    )


def test_a_default_that_the_search_saw_with_an_unlucky_seed_races_too(begun):
    # As PPO's on Acrobot: -500 with the seed of the search, -76 to -84 with three fresh ones.
    race, note = begun([99.0, *range(30)])
    assert race.contenders == (1, 2, 3, 4, 5, 6, 0)
    assert "trial 6 and the default are trained anew" in note
    # With room for one there is no race, and it is claimed beside the best as ever.
    alone, note = begun([99.0, 1.0, 2.0, 3.0, 4.0])
    assert alone.contenders == (1,)
    assert "and beside it the default" in note


def test_a_baseline_takes_no_place_of_others_and_costs_its_trainings_beside_the_share(begun):
    losses = [9.0, *range(15)]
    alone, _ = begun(losses)
    race, _ = begun(losses, brought=[9])
    assert race.contenders == (*alone.contenders, 9)
    assert race.trainings == alone.trainings + 1 + 3
    # The default is claimed in any case.
    race, _ = begun(losses, brought=[0])
    assert race.contenders == (1, 2, 3, 4, 0)
    assert race.trainings == alone.trainings + 1


def test_whoever_won_before_the_search_went_on_races_again_and_takes_no_place(begun):
    losses = [9.0, *range(15)]
    alone, _ = begun(losses)
    race, note = begun(losses, won_before=9)
    assert race.contenders == (*alone.contenders, 9)
    assert race.trainings == alone.trainings + 1 + 3
    assert "trial 3, the default and trial 9 are trained anew" in note
    # Where there was room for one, the two of them race.
    race, _ = begun([99.0, 1.0, 2.0, 3.0, 4.0], won_before=3)
    assert race.contenders == (1, 3)


def test_where_no_more_were_to_be_had_nothing_is_said_of_a_budget(begun):
    race, note = begun([9.0, 1.0, 2.0], "confirm.share=0.9", "confirm.replay=false")
    assert race.contenders == (1, 2, 0)
    assert note.endswith("with fresh seeds: 27 trainings at most")


def test_a_default_that_nobody_challenges_is_not_paid_for_twice(begun):
    race, note = begun([0.0, *range(1, 8)])
    # Two fifths of all, as two thirds of eight: no room for another one, which needs three more.
    assert (race.contenders, race.trainings) == ((0,), 5)
    assert "5 trainings" in note
    least, _ = begun([0.0, 1.0])
    assert (least.contenders, least.trainings) == ((0,), 3)
    both, _ = begun([1.0, 0.0])
    assert (both.contenders, both.trainings) == ((1,), 6)


def test_a_replay_that_is_asked_for_later_is_made(begun):
    losses = [9.0, 1.0, 2.0]
    before, _ = begun(losses, "confirm.replay=false")
    assert not before.has_replay
    after, note = begun(losses, race=before)
    assert after == replace(before, has_replay=True)
    assert note.endswith("6 trainings and a replay at most; the budget is for 1 of 3 contenders")
    # Where nobody writes a best.yaml there is none to replay, and the race stands; as it does
    # where there is one already.
    assert begun(losses, race=before, writes_best=False) == (before, "")
    assert begun(losses, "confirm.replay=false", race=after) == (after, "")
