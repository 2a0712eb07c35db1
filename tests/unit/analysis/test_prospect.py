"""What a study's trials count for in what further ones can gain."""

import random

import pytest

from hpo_app.analysis.prospect import Prospect, counts, prospect_of
from hpo_app.plan.criteria import Criteria
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.plan.search_space import SearchSpace
from hpo_app.report.sentences import prospect_sentences
from hpo_app.study.fresh import FIRST_FRESH, Fresh, Kind
from hpo_app.study.records import Clone, TrialState


SPACE = {"lr": {"type": "uniform", "low": 0.0, "high": 1.0}}


@pytest.fixture
def searched(make_trial, make_study):
    """A study over a bowl, whose curves shake by the noise."""

    def make(count=40, noise=0.05, **fields):
        source = random.Random(1)
        trials = []
        for number in range(count):
            place = source.random()
            curve = [(place - 0.3) ** 2 + source.gauss(0.0, noise) for _ in range(6)]
            trials.append(make_trial(number, curve, params={"lr": place}))
        return make_study(*trials, space=SPACE, iterations=6, **fields)

    return make


def test_a_search_that_found_what_there_is_says_that_more_is_not_worth_it(searched):
    found = prospect_of(searched())
    assert found.is_done
    (sentence,) = prospect_sentences(searched())
    assert sentence.startswith("Further trials can be expected to gain ")
    assert "which is below the noise of 0.0" in sentence
    # What ended the run is not said twice.
    assert prospect_sentences(searched(stop_reason=sentence[0].lower() + sentence[1:])) == []


def test_where_little_is_known_nothing_is_said(searched):
    assert prospect_of(searched(count=19)) is None
    assert prospect_sentences(searched(count=19)) == []
    assert not prospect_of(searched(noise=1e-9)).is_done


def test_what_a_scheduler_stopped_is_no_better_than_the_middle(make_trial, searched):
    study = searched()
    # One that looked best after its first report, and was stopped there.
    early = make_trial(40, [-5.0], params={"lr": 0.9}, state=TrialState.STOPPED)
    both = study.__class__(**{**vars(study), "trials": (*study.trials, early)})
    assert prospect_of(both).gain == pytest.approx(prospect_of(study).gain, abs=0.02)


def test_trials_that_changed_their_values_tell_nothing(searched, make_trial):
    study = searched()
    clone = make_trial(40, [1.0], params={"lr": 0.5}, clones=(Clone(0, 1, {"lr": 0.5}, 1.0),))
    changed = study.__class__(**{**vars(study), "trials": (*study.trials, clone)})
    assert prospect_of(changed) is None


def test_every_study_can_be_asked(hostile_study):
    prospect_of(hostile_study)


def test_looks_get_rarer():
    looks = counts(0.25)
    assert [next(looks) for _ in range(6)] == [20, 25, 32, 40, 50, 63]


def test_a_replay_is_no_further_seed_of_the_noise(make_trial):
    def spread(*kinds):
        prospect = Prospect(SearchSpace({}), Criteria((Objective("loss", Mode.MIN),)), 1)
        for place, (kind, value) in enumerate(kinds):
            fresh = Fresh(0, kind, place)
            trial = make_trial(FIRST_FRESH + place, [value], params={"lr": 0.5}, fresh=fresh)
            prospect.add(trial, trial.state)
        return prospect.noise.between_seeds

    claimed = [(Kind.CLAIM, value) for value in (1.0, 2.0, 3.0, 4.0)]
    assert spread(*claimed, (Kind.REPLAY, 1.0)) == spread(*claimed) is not None
    assert spread(*claimed[:3], (Kind.REPLAY, 1.0)) is None
