from __future__ import annotations

import pytest

from hpo_app.analysis.summary import summarize
from hpo_app.plan.criteria import Constraint
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.study.records import Clone, TrialState


def test_counts_times_and_values(make_study, make_trial, make_failed_trial):
    running = make_trial(3, [0.5], state=TrialState.RUNNING, ended_s=None)
    never_started = make_trial(4, state=TrialState.RUNNING, started_s=None, ended_s=None)
    study = make_study(
        make_trial(0, [0.5, 0.4, 0.3]),
        make_trial(1, [0.5, 0.2, 0.1]),
        make_failed_trial(2),
        running,
        never_started,
    )

    summary = summarize(study)

    assert {state.value: count for state, count in summary.counts.items()} == {
        "running": 2,
        "finished": 2,
        "stopped": 0,
        "failed": 1,
        "interrupted": 0,
    }
    assert summary.num_trials == 5
    assert summary.best is study.trials[1]
    assert (summary.best_value, summary.default_value) == (0.1, 0.3)
    assert summary.gain == pytest.approx(0.2)
    assert summary.num_iterations == 7
    assert summary.trial_time_s == 10 + 10 + 10 + (60 - 3)
    assert summary.duration_s == 60


def test_failures_are_grouped_by_the_last_line_of_the_error(make_study, make_failed_trial):
    study = make_study(
        make_failed_trial(0, "Traceback\nKeyError: 'a'\n\n"),
        make_failed_trial(1, None),
        make_failed_trial(2, "Traceback\n  elsewhere\nKeyError: 'b'"),
        make_failed_trial(3, "KeyError: 'b'"),
        make_failed_trial(4, " \n"),
    )

    assert list(summarize(study).failures.items()) == [
        ("ended without a message", (1, 4)),
        ("KeyError: 'b'", (2, 3)),
        ("KeyError: 'a'", (0,)),
    ]


def test_a_gain_is_said_in_the_direction_of_the_objective(make_study, make_trial):
    trials = [make_trial(0, [0.9, 0.9, 0.0412]), make_trial(1, [0.9, 0.9, 0.01])]

    assert summarize(make_study(*trials)).gain_sentence == (
        "0.0312 lower than the default configuration (0.0412)"
    )

    objective = Objective("loss", Mode.MAX)
    better = make_trial(2, [0.9, 0.9, 0.0812])
    assert summarize(make_study(*trials, better, objective=objective)).gain_sentence == (
        "0.04 higher than the default configuration (0.0412)"
    )


def test_no_gain_is_said_plainly(make_study, make_trial):
    equal = make_study(make_trial(0, [1.0, 1.0, 0.5]), make_trial(1, [0.1, 0.1, 0.5]))
    alone = make_study(make_trial(0, [1.0, 1.0, 0.5]))

    assert summarize(equal).gain_sentence == (
        "no gain over the default configuration (0.5); "
        "the mean on the way was 0.2333 against 0.8333"
    )
    assert summarize(alone).gain_sentence == (
        "no gain: the default configuration itself is the best (0.5)"
    )
    assert summarize(alone).gain == 0


@pytest.mark.parametrize(
    ("state", "how"),
    [
        (TrialState.STOPPED, "which the scheduler stopped early, after 1 of 3 iterations"),
        (TrialState.INTERRUPTED, "which was interrupted after 1 of 3 iterations"),
        (TrialState.RUNNING, "which is still training, after 1 of 3 iterations"),
        (TrialState.FINISHED, "which ended after 1 of 3 iterations"),
    ],
)
def test_a_default_that_was_trained_less_far_is_not_compared_in_silence(
    make_study, make_trial, state, how
):
    study = make_study(make_trial(0, [0.5], state=state), make_trial(1, [0.6, 0.3, 0.2]))

    # Two trainings of unequal length are put in a sentence, not in one number.
    assert summarize(study).gain is None
    assert summarize(study).gain_sentence == (
        f"0.3 lower than the default configuration (0.5), {how}, when the best trial stood at 0.6"
    )


def test_a_default_that_looked_better_when_it_was_stopped_is_no_gain(make_study, make_trial):
    study = make_study(
        make_trial(0, [0.1], state=TrialState.STOPPED), make_trial(1, [0.6, 0.3, 0.2])
    )

    assert summarize(study).gain is None
    assert summarize(study).gain_sentence.startswith(
        "no gain over the default configuration (0.1), which the scheduler stopped early"
    )


def test_a_population_that_trained_beyond_the_default_is_compared_openly(make_study, make_trial):
    study = make_study(make_trial(0, [0.5, 0.5, 0.5]), make_trial(1, [0.9, 0.8, 0.7, 0.4]))

    assert summarize(study).gain_sentence.endswith(
        "which ended after 3 of 4 iterations, when the best trial stood at 0.7"
    )


def test_a_default_that_took_over_another_state_counts_up_to_there(make_study, make_trial):
    cloned = make_trial(
        0,
        [0.5, 0.3, 0.1],
        own_params={"lr": 0.1},
        own_reports=make_trial(0, [0.5, 0.4]).reports,
        clones=(Clone(1, 2, {"lr": 0.2}, 2.0),),
        params={"lr": 0.2},
    )
    summary = summarize(make_study(cloned, make_trial(1, [0.6, 0.3, 0.2])))

    assert summary.default.params == {"lr": 0.1}
    assert summary.default_value == 0.4
    assert summary.gain is None
    assert summary.gain_sentence == (
        "0.3 lower than the default configuration (0.4), which was trained for 2 of 3 iterations "
        "before its trial took over another's state, when the best trial stood at 0.3"
    )


@pytest.mark.parametrize(
    ("default", "sentence"),
    [
        pytest.param(
            {"state": TrialState.FAILED},
            "the default configuration failed, so there is nothing to compare with",
            id="failed",
        ),
        pytest.param(
            {"state": TrialState.RUNNING},
            "the default configuration has not reported yet, so there is nothing to compare with",
            id="running",
        ),
        pytest.param(
            {"state": TrialState.INTERRUPTED},
            "the default configuration ended without a value, so there is nothing to compare with",
            id="interrupted",
        ),
        pytest.param(
            {"is_default": False},
            "the default configuration was not tried, so the gain is not known",
            id="absent",
        ),
    ],
)
def test_an_unknown_gain_says_why(make_study, make_trial, default, sentence):
    summary = summarize(make_study(make_trial(0, **default), make_trial(1, [0.5, 0.4, 0.3])))

    assert summary.gain is None
    assert summary.gain_sentence == sentence


def test_a_study_without_values_has_nothing_to_compare(make_study):
    assert summarize(make_study()).gain_sentence == (
        "no trial has a value, so there is nothing to compare"
    )


def test_every_study_can_be_summarised(hostile_study):
    summary = summarize(hostile_study)

    assert summary.num_trials == len(hostile_study.trials)
    assert summary.gain_sentence


CHEAP = Constraint("cost", max=0.1)


def test_a_default_beyond_a_constraint_is_named_and_nothing_counts_as_gain_where_all_are(
    make_study, make_trial
):
    default = make_trial(0, [0.9, 0.9, 0.2], others={"cost": 0.3})
    kept = make_trial(1, [0.9, 0.9, 0.5], others={"cost": 0.1})
    summary = summarize(make_study(default, kept, constraints=(CHEAP,)))
    assert summary.best is kept
    assert summary.unmet == ()
    assert summary.gain_sentence == (
        "no gain over the default configuration (0.2); "
        "the default does not keep cost at most 0.1 (0.3)"
    )
    alone = summarize(make_study(default, constraints=(CHEAP,)))
    assert (alone.best, alone.unmet, alone.gain) == (default, (CHEAP,), None)
