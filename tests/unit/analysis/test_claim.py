"""What a run claims of its winner."""

from dataclasses import replace

import pytest

from hpo_app.analysis.best import best_trial, rank
from hpo_app.analysis.claim import Verdict, claim_of, mean_seconds, verdict_of
from hpo_app.analysis.claim_words import NO_GAIN
from hpo_app.analysis.progress import best_so_far
from hpo_app.analysis.summary import summarize
from hpo_app.api.analysis import analyze
from hpo_app.api.results import Results
from hpo_app.plan.run_plan import Baseline
from hpo_app.report.comparison import comparison_sentence
from hpo_app.report.document import write_report
from hpo_app.report.sentences import winner_sentence
from hpo_app.report.sweep_table import SweepRow
from hpo_app.study.fresh import FIRST_FRESH, Fresh, Kind


def said(study):
    return " ".join(claim_of(study).sentences)


def test_the_winner_of_the_race_comes_first_whatever_the_search_saw(confirmed_study):
    study = confirmed_study()
    assert best_trial(study).number == 2
    assert [trial.number for trial in rank(study)] == [2, 1, 0]
    assert best_trial(study.searched).number == 1


def test_a_gain_is_told_with_its_interval_and_with_how_lucky_the_search_was(confirmed_study):
    claim = claim_of(confirmed_study())
    assert claim.gain == pytest.approx(0.5)
    assert claim.is_significant
    assert claim.gain_interval.low < 0.5 < claim.gain_interval.high
    assert claim.probability == 1.0
    # Lower is better here: the search saw 0.3, and fresh seeds 0.5.
    assert claim.optimism == pytest.approx(0.2)
    text = said(confirmed_study())
    assert "loss is 0.5 (interquartile mean, 95% interval" in text
    assert "The gain over the default is 0.5 (" in text
    assert "too good by 0.2" in text
    assert NO_GAIN not in text


def test_whoever_compares_runs_gets_what_fresh_seeds_say(confirmed_study):
    verdict = verdict_of(confirmed_study())
    assert (verdict.value, verdict.default) == pytest.approx((0.5, 1.0))
    assert verdict.gain == pytest.approx(0.5)
    assert verdict.is_confirmed
    assert verdict_of(confirmed_study().searched) == Verdict(0.1, 2.0, 1.9, is_confirmed=False)
    lost = confirmed_study(winner=(None, None, None))
    assert verdict_of(lost) == Verdict(0.3, 2.0, None, is_confirmed=False)


def test_no_gain_of_one_seed_stands_beside_the_claim(confirmed_study):
    sentence = winner_sentence(summarize(confirmed_study()))
    assert sentence == "Trial 2 won on fresh seeds; the search saw loss 0.3 after 3 iterations."


def test_what_may_be_chance_is_no_significant_gain_in_these_words(confirmed_study):
    study = confirmed_study(winner=(0.9, 1.4, 0.5))
    assert not claim_of(study).is_significant
    assert "No significant gain over the default" in said(study)


def test_where_the_default_is_better_it_says_so(confirmed_study):
    text = said(confirmed_study(winner=(3.0, 3.1, 2.9)))
    assert "No significant gain over the default" in text
    assert "The default is the better one" in text


def test_failed_trainings_are_counted_and_not_hidden(confirmed_study):
    text = said(confirmed_study(winner=(0.5, None, 0.4)))
    assert "1 training failed" in text
    assert NO_GAIN in text  # Two values have no interval.
    assert "every training failed" in said(confirmed_study(winner=(None, None, None)))


@pytest.mark.parametrize(
    ("replay", "words"),
    [(0.5, "gave 0.5 again, to the last digit"), (0.75, "gave 0.75 instead of 0.5")],
    ids=["exact", "otherwise"],
)
def test_a_replay_tells_whether_training_is_deterministic(confirmed_study, replay, words):
    text = said(confirmed_study(replay=replay))
    assert words in text
    assert "seed=77" in text


def test_without_a_winner_nothing_is_claimed_and_the_run_is_not_complete(confirmed_study):
    study = confirmed_study()
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


def test_the_default_that_won_gains_nothing_over_itself(confirmed_study):
    study = confirmed_study()
    alone = replace(study, winner=0, race=replace(study.race, contenders=(0,)))

    assert verdict_of(alone) == Verdict(1.0, 1.0, 0.0, is_confirmed=True)


def test_every_reader_is_told_what_fresh_seeds_say_and_not_what_one_seed_gained(
    confirmed_study, tmp_path
):
    study = confirmed_study()
    page = write_report(
        study, tmp_path, command="c", train_command="t", has_images=False
    ).read_text()
    assert "<dt>best, on fresh seeds</dt><dd>0.5</dd>" in page
    assert "<dt>default</dt><dd>1</dd>" in page
    assert "<dt>gain</dt><dd>0.5</dd>" in page

    told = analyze(Results(study))
    assert told["gain_over_default"] == pytest.approx(0.5)
    assert told["gain_interval"] == tuple(claim_of(study).gain_interval)
    assert told["gain_note"] == said(study)
    assert told["confirmed"]["winner"]["interquartile_mean"] == pytest.approx(0.5)

    row = SweepRow(0, "a", (), "complete", "0", study)
    assert row.cells()[:3] == ("a", "loss 0.5 on fresh seeds", "0.5")


def test_runs_are_compared_by_fresh_seeds_where_there_are_some(confirmed_study):
    lucky = confirmed_study(winner=(0.6, 0.7, 0.8))
    assert best_trial(lucky).value("loss") == best_trial(confirmed_study()).value("loss")

    sentence = comparison_sentence({"lucky": lucky, "steady": confirmed_study()})
    assert sentence == (
        "steady has loss 0.5 on fresh seeds, the best; lucky has loss 0.7 on fresh seeds."
    )


def test_the_course_of_the_best_value_is_that_of_the_search(confirmed_study):
    # Trial 2 won on fresh seeds, and the search saw less of it than of trial 1.
    assert best_so_far(confirmed_study()).steps == ((0, 2.0), (1, 0.1))


def test_a_race_is_told_with_who_won_it_and_a_single_contender_without_one(confirmed_study):
    study = confirmed_study()
    raced = replace(study, winner=0, race=replace(study.race, contenders=(0, 2)))

    assert said(study).startswith("Confirmed: trial 2 was trained anew. On 3 seeds that chose")
    assert said(raced).startswith(
        "Confirmed: trial 0, the default configuration, won. 2 contenders raced on fresh seeds."
    )


def test_equal_values_have_no_interval_and_prove_nothing(confirmed_study):
    study = confirmed_study(default=(1.0,) * 3, winner=(0.5,) * 3)
    claim = claim_of(study)
    assert claim.gain == 0.5
    assert claim.gain_interval is None
    assert not claim.is_significant
    text = said(study)
    assert "loss is 0.5 (interquartile mean of 3 equal values)" in text
    assert "nothing tells how sure that is" in text
    assert "interval 0.5 to 0.5" not in text
    # Where only one of both has no spread, the other's counts.
    assert claim_of(confirmed_study(default=(1.0, 1.1, 0.9), winner=(0.5,) * 3)).is_significant
    assert NO_GAIN in said(confirmed_study(default=(0.5,) * 3, winner=(0.5,) * 3))


@pytest.fixture
def beside(confirmed_study, make_trial):
    """A study with a baseline: of trial 1, the default, the winner, one not tried, or failed."""

    def make(params=None, values=(0.8, 0.9, 0.7)):
        study = confirmed_study()
        baseline = Baseline("my_best.yaml", params or study.trials[1].params)
        trial = study.trial_of(baseline)
        number = None if trial is None else trial.number
        claimed = [
            make_trial(FIRST_FRESH + 50 + place, [2, 2, value], fresh=Fresh(1, Kind.CLAIM, place))
            for place, value in enumerate(values)
        ]
        brought = () if number is None or not values else (number,)
        race = replace(study.race, contenders=(2, *brought), baselines=brought)
        fresh = (*study.fresh, *(claimed if number == 1 else ()))
        return replace(study, baselines=(baseline,), race=race, fresh=fresh)

    return make


def test_the_claim_says_how_the_winner_stands_to_a_baseline(beside):
    study = beside()
    (to_it,) = claim_of(study).baselines
    assert to_it.source == "my_best.yaml"
    assert to_it.trial == 1
    assert to_it.difference.gain == pytest.approx(0.3)
    assert to_it.difference.is_significant
    assert to_it.difference.to.values == (0.8, 0.9, 0.7)
    assert "The gain over baseline my_best.yaml (trial 1) is 0.3 (" in said(study)
    # What is said of the default stays as it is.
    assert "The gain over the default is 0.5 (" in said(study)
    better = beside(values=(0.1, 0.11, 0.09))
    assert "No significant gain over baseline my_best.yaml (trial 1)" in said(better)
    assert "That baseline is the better one: take it." in said(better)


def test_a_baseline_that_is_something_else_is_called_what_it_is(beside, confirmed_study):
    trials = confirmed_study().trials
    assert "Baseline my_best.yaml is the default configuration." in said(beside(trials[0].params))
    assert "No gain over baseline my_best.yaml: it won itself." in said(beside(trials[2].params))
    assert "was not tried in the search" in said(beside({"lr": 0.77}))
    assert "came to nothing in the search" in said(beside(values=()))
