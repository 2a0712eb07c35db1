"""What a claim rests on, and how its winner stands to whoever had won before."""

from dataclasses import replace

import pytest

from hpo_app.analysis.claim import claim_of
from hpo_app.report.summary_json import claim_fields
from hpo_app.study.fresh import FIRST_FRESH, Fresh, Kind


def said(study):
    return " ".join(claim_of(study).sentences)


def test_a_seed_that_failed_is_worse_than_the_worst_that_did_not(confirmed_study):
    study = confirmed_study(winner=(0.5, 0.4, None))
    fields = claim_fields(claim_of(study))
    assert (fields["winner"]["worst"], fields["winner"]["most_worse"]) == (None, None)
    # Of two values there is no interval, so nobody knows how sure their mean is.
    assert not fields["is_confirmed"]
    assert not fields["is_significant"]
    assert said(study).startswith("Not confirmed: trial 2 was trained anew.")
    assert claim_fields(claim_of(confirmed_study()))["is_confirmed"]


def test_how_the_winner_stands_to_whoever_won_before_is_said(confirmed_study, make_trial):
    study = confirmed_study()
    before = [
        make_trial(FIRST_FRESH + 70 + at, [2, 2, value], fresh=Fresh(1, Kind.CLAIM, at))
        for at, value in enumerate((0.01, 0.011, 0.012))
    ]
    race = replace(study.race, contenders=(2, 1), baselines=(1,))
    again = replace(study, race=race, fresh=(*study.fresh, *before), won_before=1)
    text = said(again)
    assert "No significant gain over the earlier winner (trial 1), which comes to 0.011" in text
    assert "The earlier winner is the better one: take it." in text
    assert claim_of(again).over_earlier.gain == pytest.approx(-0.489)
    # Whoever won again is not compared with itself.
    assert "earlier winner" not in said(replace(study, won_before=2))
