"""What a run claims of its winner."""

import json
from dataclasses import replace

import pytest

from hpo_app.analysis.best import best_trial, rank
from hpo_app.analysis.claim import claim_of, mean_seconds
from hpo_app.analysis.claim_words import NO_GAIN
from hpo_app.analysis.progress import best_so_far
from hpo_app.analysis.summary import summarize
from hpo_app.analysis.verdict import Verdict, verdict_of
from hpo_app.api.analysis import analyze
from hpo_app.api.results import Results
from hpo_app.plan.criteria import Constraint
from hpo_app.plan.run_plan import Baseline, Mode, Objective
from hpo_app.report.comparison import comparison_sentence
from hpo_app.report.document import write_report
from hpo_app.report.sentences import winner_sentence
from hpo_app.report.summary_json import claim_fields, write_summary
from hpo_app.report.sweep_table import SweepRow
from hpo_app.study.fresh import FIRST_FRESH, Fresh, Kind
from hpo_app.study.records import TrialState


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
    assert "one training of it beats one of the default in 100% of 9 pairs." in text
    assert "too good by 0.2" in text
    assert NO_GAIN not in text


def test_the_worst_seed_is_named_with_how_many_others_may_be_worse(confirmed_study):
    study = confirmed_study(winner=(0.5, 0.4, 0.9))
    # Lower is better. 1 - 0.05 ** (1 / 3) = 0.63.
    worst = "The worst of 3 seeds came to 0.9: with 95% confidence, at most 63% of other seeds do"
    assert worst in said(study)
    fields = claim_fields(claim_of(study))["winner"]
    assert (fields["worst"], fields["most_worse"]) == (0.9, pytest.approx(0.6316, abs=1e-4))


def test_a_last_digit_is_no_luck(confirmed_study):
    # The search saw 0.3.
    assert "The search saw 0.3 with one seed." in said(confirmed_study(winner=(0.3 + 1e-16,) * 3))
    assert "too good by 3e-06" in said(confirmed_study(winner=(0.300003,) * 3))


def test_whoever_compares_runs_gets_what_fresh_seeds_say(confirmed_study):
    verdict = verdict_of(confirmed_study())
    assert (verdict.value, verdict.default) == pytest.approx((0.5, 1.0))
    assert verdict.gain == pytest.approx(0.5)
    assert verdict.is_confirmed
    assert verdict_of(confirmed_study().searched) == Verdict(0.1, 2.0, 1.9, is_confirmed=False)
    lost = confirmed_study(winner=(None, None, None))
    assert verdict_of(lost) == Verdict(0.3, 2.0, None, is_confirmed=False)


def test_no_gain_of_one_seed_stands_beside_the_claim(confirmed_study, raced):
    sentence = winner_sentence(summarize(confirmed_study()))
    seen = "fresh seeds; the search saw loss 0.3 after 3 iterations."
    assert sentence == f"Trial 2 was trained anew with {seen}"
    assert winner_sentence(summarize(raced(0.5))) == f"Trial 2 won on {seen}"
    assert winner_sentence(summarize(raced(None))) == f"Trial 2 was trained anew with {seen}"
    # What an earlier race with other settings trained does not count.
    alone = replace(raced(0.5), race=confirmed_study().race)
    assert winner_sentence(summarize(alone)) == f"Trial 2 was trained anew with {seen}"


@pytest.fixture
def raced(confirmed_study, make_trial):
    """A study whose trials 1 and 2 raced with one fresh seed, which trial 1 failed with."""

    def make(winner):
        study = confirmed_study()
        ends = {1: None, 2: winner}
        race = [
            make_trial(
                FIRST_FRESH + 50 + of,
                [] if value is None else [2, 2, value],
                state=TrialState.FAILED if value is None else TrialState.FINISHED,
                fresh=Fresh(of, Kind.RACE, 0),
            )
            for of, value in ends.items()
        ]
        of = replace(study.race, contenders=(2, 1), trainings=8)
        return replace(study, race=of, fresh=(*race, *study.fresh))

    return make


def test_where_no_contender_came_through_the_race_nobody_is_said_to_have_won(raced):
    assert said(raced(0.5)).startswith("Confirmed: trial 2 won. 2 contenders raced")
    text = said(raced(None))
    assert text.startswith("Not confirmed: none of 2 contenders came through a race on fresh seeds")
    assert "Until the last of them failed, trial 2 was the best." in text


def test_no_gain_is_claimed_where_nobody_came_through_the_race(raced):
    study = raced(None)
    claim = claim_of(study)
    assert not claim.is_confirmed
    assert not claim.is_significant
    assert f"{NO_GAIN} is claimed, because no contender came through the race." in said(study)
    assert verdict_of(study).gain is None


def test_what_may_be_chance_is_no_significant_gain_in_these_words(confirmed_study):
    study = confirmed_study(winner=(0.9, 1.4, 0.5))
    assert not claim_of(study).is_significant
    assert "No significant gain over the default" in said(study)


def test_where_the_default_is_better_it_says_so(confirmed_study):
    text = said(confirmed_study(winner=(3.0, 3.1, 2.9)))
    assert "No significant gain over the default" in text
    assert "The default is the better one: take it." in text


def test_a_default_that_breaks_the_constraints_or_fails_is_not_recommended(confirmed_study):
    study = confirmed_study(default=(1.0, 1.1, 0.9), winner=(3.0, 3.1, 2.9))
    assert "take it" in said(study)
    criteria = replace(study.criteria, constraints=(Constraint("loss", min=1.05),))
    text = said(replace(study, criteria=criteria))
    assert "2 trainings did not keep the constraints: the difference is -2" in text
    assert "take it" not in text
    fails = confirmed_study(default=(1.0, 1.1, 0.9, None, None), winner=(3.0, 3.1, 2.9, 3.2, 2.8))
    assert claim_of(fails).gain_interval.high < 0.0
    assert "take it" not in said(fails)


def test_whose_trainings_all_failed_is_said(confirmed_study):
    none = (None, None, None)
    assert "known: every training of the default failed." in said(confirmed_study(default=none))
    assert "known: every training of the winner failed." in said(confirmed_study(winner=none))


def test_failed_trainings_are_counted_and_not_hidden(confirmed_study):
    text = said(confirmed_study(winner=(0.5, None, 0.4)))
    assert "1 training failed" in text
    assert NO_GAIN in text  # Two values have no interval.
    nothing = said(confirmed_study(winner=(None, None, None)))
    assert nothing.startswith("Not confirmed: trial 2 was trained anew.")
    assert "every training failed" in nothing


def test_no_gain_is_significant_that_was_paid_for_by_failing_or_breaking_the_constraints(
    confirmed_study,
):
    # Whoever fails where the default learns badly has a better mean of what is left.
    values = (0.5, 0.55, 0.45, None, None)
    study = confirmed_study(default=(1.0, 1.1, 0.9, 1.05, 0.95), winner=values)
    assert claim_of(study).gain_interval.low > 0.0
    assert not claim_of(study).is_significant
    assert NO_GAIN in said(study)
    assert "But it failed with more seeds than the default." in said(study)
    alike = confirmed_study(default=(1.0, 1.1, 0.9, None, None), winner=values)
    assert claim_of(alike).is_significant
    assert "more seeds" not in said(alike)
    # Lower is better, and what is too low costs something else.
    study = confirmed_study()
    criteria = replace(study.criteria, constraints=(Constraint("loss", min=0.45),))
    broken = replace(study, criteria=criteria)
    assert not claim_of(broken).is_significant
    assert "But it did not keep the constraints with more seeds than the default." in said(broken)


def test_a_value_of_a_trial_that_was_stopped_early_is_no_luck(confirmed_study, make_trial):
    study = confirmed_study()
    early = make_trial(2, [8], state=TrialState.STOPPED)
    stopped = replace(study, trials=(*study.trials[:2], early), iterations=3)
    assert claim_of(stopped).search_value == 8
    assert claim_of(stopped).optimism is None
    text = said(stopped)
    assert "The search saw 8 with one seed, and trained it for 1 iteration only." in text
    assert "too bad" not in text


def test_a_training_that_failed_beats_nothing(confirmed_study):
    claim = claim_of(confirmed_study(winner=(0.5, None, 0.4)))
    assert claim.probability == pytest.approx(2 / 3)
    both = claim_of(confirmed_study(default=(1.0, None, 0.9), winner=(0.5, None, 0.4)))
    # Two of three beat all, also what failed; the third one is even with that.
    assert both.probability == pytest.approx(6.5 / 9)


def test_a_constraint_that_was_broken_with_a_seed_held_back_is_told(confirmed_study, make_trial):
    study = confirmed_study(winner=(0.5, 0.6, 0.4))
    bound = Constraint("loss", max=0.55)
    criteria = replace(study.criteria, constraints=(bound,))
    strict = replace(study, criteria=criteria)
    claim = claim_of(strict)
    assert (claim.winner.num_unmet, claim.default.num_unmet) == (1, 3)
    assert "; 1 training did not keep the constraints." in said(strict)
    assert claim_fields(claim)["winner"]["num_unmet"] == 1
    assert "constraints" not in said(study)


@pytest.mark.parametrize("mode", ["min", "max"])
def test_a_search_that_was_unlucky_is_not_said_to_have_seen_less(confirmed_study, mode):
    study = confirmed_study()
    objective = Objective("loss", Mode(mode))
    turned = replace(study, criteria=replace(study.criteria, objectives=(objective,)))
    assert claim_of(turned).optimism == pytest.approx(0.2 if mode == "min" else -0.2)
    word = {"min": "good", "max": "bad"}[mode]
    assert f"The search saw 0.3 with one seed, which was too {word} by 0.2." in said(turned)


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
    assert f"{NO_GAIN}: the search saw nothing better than the default" in said(alone)


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

    write_summary(study, tmp_path / "summary.json")
    written = json.loads((tmp_path / "summary.json").read_text())
    assert written["gain"] == written["confirmed"]["gain"] == pytest.approx(0.5)
    assert written["gain_interval"] == written["confirmed"]["gain_interval"]

    row = SweepRow(0, "a", (), "complete", "0", study)
    assert row.cells()[:3] == ("a", "loss 0.5 on fresh seeds", "0.5")


def test_runs_are_compared_by_fresh_seeds_where_there_are_some(confirmed_study):
    lucky = confirmed_study(winner=(0.6, 0.7, 0.8))
    assert best_trial(lucky).value("loss") == best_trial(confirmed_study()).value("loss")

    studies = {"lucky": lucky, "steady": confirmed_study()}
    alike = {"lucky": {"seed": "1", "model.lr": "0.1"}, "steady": {"seed": "2", "model.lr": "3"}}
    assert comparison_sentence(studies, alike) == (
        "steady has loss 0.5 on fresh seeds, the best; lucky has loss 0.7 on fresh seeds."
    )


def test_runs_over_different_problems_are_set_side_by_side_and_none_is_the_best(confirmed_study):
    studies = {"short": confirmed_study(), "long": confirmed_study(winner=(0.6, 0.7, 0.8))}
    settings = {
        "short": {"data.env_id": "A", "training.iterations": "3", "seed": "1"},
        "long": {"data.env_id": "B", "training.iterations": "9", "seed": "2"},
    }
    assert comparison_sentence(studies, settings) == (
        "short has loss 0.5 on fresh seeds; long has loss 0.7 on fresh seeds. The runs differ in "
        "data.env_id and training.iterations: values of different problems do not compare."
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
    outer = said(confirmed_study(default=(1.0,) * 5, winner=(0.5, 0.5, 0.9, 0.5, 0.5)))
    assert "loss is 0.5 (interquartile mean of 5 values)" in outer
    assert "without the outer quarters, every seed came to the same, on both sides" in outer
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
    twice = replace(study, baselines=study.baselines * 2)
    assert said(twice) == said(study)
    better = beside(values=(0.1, 0.11, 0.09))
    assert "No significant gain over baseline my_best.yaml (trial 1)" in said(better)
    assert "That baseline is the better one: take it." in said(better)


def test_a_baseline_that_is_something_else_is_called_what_it_is(beside, confirmed_study):
    trials = confirmed_study().trials
    assert "Baseline my_best.yaml is the default configuration." in said(beside(trials[0].params))
    assert "No gain over baseline my_best.yaml: it won itself." in said(beside(trials[2].params))
    assert "was not tried in the search" in said(beside({"lr": 0.77}))
    assert "came to nothing in the search" in said(beside(values=()))
