"""What a run claims of its winner."""

import pytest

from hpo_app.analysis.best import best_trial, rank
from hpo_app.analysis.claim import NO_GAIN, claim_of, mean_seconds, value_of
from hpo_app.analysis.summary import summarize
from hpo_app.report.sentences import winner_sentence
from hpo_app.study.fresh import FIRST_FRESH, Fresh, Kind, Race
from hpo_app.study.records import TrialState


@pytest.fixture
def confirmed(make_trial, make_study):
    """A study whose trials 0 (the default) and 2 came to these losses on seeds held back."""

    def make(default=(1.0, 1.1, 0.9), winner=(0.5, 0.6, 0.4), replay=None, **fields):
        trials = [
            make_trial(0, [9, 3, 2.0]),
            make_trial(1, [5, 1, 0.1]),
            make_trial(2, [8, 2, 0.3]),
        ]
        claimed = [
            (Fresh(of, Kind.CLAIM, place), value)
            for of, values in ((0, default), (2, winner))
            for place, value in enumerate(values)
        ]
        if replay is not None:
            claimed.append((Fresh(2, Kind.REPLAY, 0), replay))
        fresh = [
            make_trial(
                FIRST_FRESH + at,
                [] if value is None else [2, 2, value],
                state=TrialState.FAILED if value is None else TrialState.FINISHED,
                fresh=which,
                typed_seed=77,
            )
            for at, (which, value) in enumerate(claimed)
        ]
        race = Race((2,), 0, 6, 1, len(winner), len(winner), has_replay=replay is not None)
        settings = {"race": race, "winner": 2, "fresh": tuple(fresh), "is_to_confirm": True}
        return make_study(*trials, **{**settings, **fields})

    return make


def said(study):
    return " ".join(claim_of(study).sentences)


def test_the_winner_of_the_race_comes_first_whatever_the_search_saw(confirmed):
    study = confirmed()
    assert best_trial(study).number == 2
    assert [trial.number for trial in rank(study)] == [2, 1, 0]
    assert best_trial(study.searched).number == 1


def test_a_gain_is_told_with_its_interval_and_with_how_lucky_the_search_was(confirmed):
    claim = claim_of(confirmed())
    assert claim.gain == pytest.approx(0.5)
    assert claim.is_significant
    assert claim.gain_interval.low < 0.5 < claim.gain_interval.high
    assert claim.probability == 1.0
    # Lower is better here: the search saw 0.3, and fresh seeds 0.5.
    assert claim.optimism == pytest.approx(0.2)
    text = said(confirmed())
    assert "loss is 0.5 (interquartile mean, 95% interval" in text
    assert "The gain over the default is 0.5 (" in text
    assert "too good by 0.2" in text
    assert NO_GAIN not in text


def test_whoever_compares_runs_gets_what_fresh_seeds_say(confirmed):
    assert value_of(confirmed()) == pytest.approx(0.5)
    assert value_of(confirmed().searched) == 0.1
    lost = confirmed(winner=(None, None, None))
    assert value_of(lost) == 0.3


def test_no_gain_of_one_seed_stands_beside_the_claim(confirmed):
    sentence = winner_sentence(summarize(confirmed()))
    assert sentence == "Trial 2 won on fresh seeds; the search saw loss 0.3 after 3 iterations."


def test_what_may_be_chance_is_no_significant_gain_in_these_words(confirmed):
    study = confirmed(winner=(0.9, 1.4, 0.5))
    assert not claim_of(study).is_significant
    assert "No significant gain over the default" in said(study)


def test_where_the_default_is_better_it_says_so(confirmed):
    text = said(confirmed(winner=(3.0, 3.1, 2.9)))
    assert "No significant gain over the default" in text
    assert "The default is the better one" in text


def test_failed_trainings_are_counted_and_not_hidden(confirmed):
    text = said(confirmed(winner=(0.5, None, 0.4)))
    assert "1 training failed" in text
    assert NO_GAIN in text  # Two values have no interval.
    assert "every training failed" in said(confirmed(winner=(None, None, None)))


@pytest.mark.parametrize(
    ("replay", "words"),
    [(0.5, "gave 0.5 again, to the last digit"), (0.75, "gave 0.75 instead of 0.5")],
    ids=["exact", "otherwise"],
)
def test_a_replay_tells_whether_training_is_deterministic(confirmed, replay, words):
    text = said(confirmed(replay=replay))
    assert words in text
    assert "seed=77" in text


def test_without_a_winner_nothing_is_claimed_and_the_run_is_not_complete(confirmed):
    study = confirmed()
    unproved = study.searched
    assert claim_of(unproved) is None
    assert not unproved.is_complete
    assert unproved.is_searched
    assert study.is_complete


def test_what_is_trained_after_the_race_does_not_decide_a_tie(make_trial, make_study):
    def trained(at, of, kind, ended_s):
        which = Fresh(of, kind, 0)
        return make_trial(FIRST_FRESH + at, [1.0], fresh=which, started_s=0.0, ended_s=ended_s)

    race = [trained(0, 1, Kind.RACE, 4.0), trained(1, 2, Kind.RACE, 5.0)]
    later = [trained(2, 1, Kind.CLAIM, 90.0), trained(3, 1, Kind.REPLAY, 90.0)]
    study = make_study(make_trial(1, [1.0]), make_trial(2, [1.0]), fresh=(*race, *later))
    assert mean_seconds(study) == {1: 4.0, 2: 5.0}
