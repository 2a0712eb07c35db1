"""Importance finds what the result hangs on, and says when it cannot be told."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from hpo_app.analysis import importance
from hpo_app.analysis.importance import Method, most_important, parameter_importance
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.study.records import TrialState


SPACE = {
    "idle": {"type": "uniform", "low": -1.0, "high": 1.0},
    "lr": {"type": "loguniform", "low": 1e-6, "high": 1.0},
    "widths": {"type": "choice", "values": [[8], [8, 8], {"a": 1}]},
}


def drawn(rng):
    return {
        "idle": rng.uniform(-1, 1),
        "lr": 10 ** rng.uniform(-6, 0),
        "widths": rng.choice(SPACE["widths"]["values"]),
    }


@pytest.fixture
def study(make_study, make_trial):
    """Forty trials whose loss is the distance of the learning rate to 1e-4, in decades."""
    rng = random.Random(3)
    trials = []
    for number in range(40):
        params = drawn(rng)
        off = abs(math.log10(params["lr"] / 1e-4))
        trials.append(make_trial(number, [off], params=params))
    return make_study(*trials, space=SPACE, iterations=1)


@pytest.mark.parametrize("method", list(Method))
def test_the_parameter_that_decides_comes_first(study, method):
    if method is Method.FANOVA:
        pytest.importorskip("sklearn")
    measured = parameter_importance(study, method)

    assert measured.parameters[0].name == "lr"
    assert sum(each.share for each in measured.parameters) == pytest.approx(1.0)
    assert {each.name for each in measured.parameters} == set(SPACE)
    assert (measured.num_trials, measured.notes) == (40, ())
    # What was measured is remembered for the same study only.
    again = parameter_importance(replace(study), method)
    assert measured == again
    assert measured is not again
    assert parameter_importance(replace(study, trials=study.trials[:30]), method).num_trials == 30


def test_the_best_trials_are_the_high_ones_where_higher_is_better(make_study, make_trial):
    rng, trials = random.Random(3), []
    for number in range(80):
        params = drawn(rng)
        # Only the learning rate makes values high, and only the idle one makes them low.
        value = 1.0 if params["lr"] < 1e-5 else 0.5 - 0.5 * (params["idle"] > 0.6)
        trials.append(make_trial(number, [value + number * 1e-9], params=params))

    first_by_mode = {}
    for mode in Mode:
        study = make_study(*trials, space=SPACE, objective=Objective("loss", mode))
        first_by_mode[mode] = parameter_importance(study, Method.PED_ANOVA).parameters[0].name

    assert first_by_mode == {Mode.MAX: "lr", Mode.MIN: "idle"}


def test_by_trees_where_they_can_be_grown_and_all_trials_have_all_parameters(
    study, make_study, make_trial
):
    pytest.importorskip("sklearn")
    more = make_trial(40, [3.0], params={"lr": 0.01, "idle": 0.5})

    assert parameter_importance(study).method is Method.FANOVA
    assert parameter_importance(
        make_study(*study.trials, more, space=SPACE, iterations=1)
    ).method is (Method.PED_ANOVA)


def test_without_scikit_learn_it_is_measured_all_the_same(study, monkeypatch):
    monkeypatch.setattr(importance.importlib.util, "find_spec", lambda _: None)
    measured = parameter_importance(study)

    assert (measured.method, measured.parameters[0].name) == (Method.PED_ANOVA, "lr")
    with pytest.raises(ModuleNotFoundError, match="pip install scikit-learn"):
        parameter_importance(study, Method.FANOVA)


def test_failed_trials_are_left_out_and_stopped_ones_compared_where_they_got(
    make_study, make_trial, make_failed_trial
):
    trials = [
        make_trial(
            number,
            [1.0 + number, float(number % 7)] if number < 20 else [1.0 + number],
            params={"p": float(number)},
            state=TrialState.FINISHED if number < 20 else TrialState.STOPPED,
        )
        for number in range(40)
    ]
    study = make_study(
        *trials, make_failed_trial(40), space={"p": {"type": "uniform"}}, iterations=2
    )

    measured = parameter_importance(study)

    assert (measured.iteration, measured.num_trials) == (1, 40)
    assert measured.notes[-1] == "At the end of the training, other parameters can matter."


def test_a_few_values_far_off_do_not_decide_alone(make_study, make_trial):
    pytest.importorskip("sklearn")
    rng, trials = random.Random(5), []
    for number in range(60):
        params = {"p": rng.random(), "q": rng.random()}
        # p decides over three decades; q only how far the worst ones go.
        value = 10 ** (3 * params["p"]) * (1 + 20 * (params["p"] > 0.9) * params["q"])
        trials.append(make_trial(number, [value], params=params))
    space = {name: {"type": "uniform", "low": 0.0, "high": 1.0} for name in "pq"}
    measured = parameter_importance(make_study(*trials, space=space, iterations=1))

    assert measured.parameters[0].share > 0.9
    assert measured.notes == ("Of the logarithm, because the values are far apart.",)


def test_of_very_many_trials_an_even_choice_is_measured(make_study, make_trial):
    trials = [
        make_trial(n, [n % 10 + n / 1e6], params={"p": n % 10, "q": n % 3}) for n in range(1500)
    ]
    space = {"p": {"type": "uniform"}, "q": {"type": "uniform"}}
    measured = parameter_importance(
        make_study(*trials, space=space, iterations=1), Method.PED_ANOVA
    )

    assert measured.num_trials == 1500
    assert measured.parameters[0].name == "p"
    assert measured.notes == ("Measured on 1000 of them, evenly chosen.",)


def test_a_conditional_parameter_is_measured_where_it_is(make_study, make_trial):
    rng, trials = random.Random(1), []
    for number in range(60):
        kind = rng.choice(["sgd", "adam"])
        params = {"kind": kind, "idle": rng.random()}
        if kind == "sgd":
            params["momentum"] = rng.random()
        value = params.get("momentum", 0.6) + 0.01 * rng.random()
        trials.append(make_trial(number, [value], params=params))
    space = {
        "kind": {"type": "choice", "values": ["sgd", "adam"]},
        "idle": {"type": "uniform", "low": 0.0, "high": 1.0},
        "momentum": {"type": "uniform", "low": 0.0, "high": 1.0},
    }

    measured = parameter_importance(make_study(*trials, space=space))
    shares = {each.name: each.share for each in measured.parameters}
    counts = {each.name: each.num_trials for each in measured.parameters}

    assert shares["momentum"] > shares["idle"]
    assert counts["momentum"] < counts["idle"] == 60
    assert "momentum: not in every trial" in measured.notes[0]


def test_fanova_leaves_out_what_not_every_trial_has(study, make_study, make_trial):
    pytest.importorskip("sklearn")
    more = make_trial(40, [3.0], params={"lr": 0.01, "idle": 0.5})

    measured = parameter_importance(
        make_study(*study.trials, more, space=SPACE, iterations=1), Method.FANOVA
    )

    assert "widths" not in {each.name for each in measured.parameters}
    assert measured.notes == ("Left out, because not in every trial, or constant: widths.",)


@pytest.mark.parametrize(
    ("values", "params", "reason"),
    [
        ([], [], "no trial can be compared"),
        ([1.0, 2.0], [1, 2], "only 2 trials can be compared, and fewer than 5"),
        ([1.0] * 6, range(6), "all 6 trials have the same value"),
        (range(6), [3] * 6, "no parameter has more than one value"),
    ],
)
def test_why_it_cannot_be_told(make_study, make_trial, values, params, reason):
    trials = [
        make_trial(n, [float(v)], params={"p": p})
        for n, (v, p) in enumerate(zip(values, params, strict=True))
    ]
    measured = parameter_importance(make_study(*trials, space={"p": {"type": "uniform"}}))

    assert measured.parameters == ()
    assert reason in measured.notes[0]


def test_few_trials_are_told_to_be_chance(make_study, make_trial):
    trials = [make_trial(n, [float(n % 4)], params={"p": float(n)}) for n in range(8)]
    measured = parameter_importance(make_study(*trials, space={"p": {"type": "uniform"}}))

    assert measured.notes[0].startswith("With 8 trials this is mostly chance")


def test_the_most_important_come_first_and_the_rest_in_the_order_of_the_space(
    study, make_study, make_trial
):
    assert most_important(study, 1) == ["lr"]
    assert most_important(make_study(make_trial(0, [1.0]), space=SPACE), 2) == ["idle", "lr"]


def test_every_study_has_an_importance_or_a_reason(hostile_study):
    measured = parameter_importance(hostile_study)

    assert measured.parameters or measured.notes
    assert all(0.0 <= each.share <= 1.0 for each in measured.parameters)


@pytest.mark.parametrize(
    ("objective", "is_little"),
    [
        pytest.param(lambda x, y: 3 * x + y, False, id="additive"),
        pytest.param(lambda x, y: (x - 0.5) * (y - 0.5), True, id="only together"),
    ],
)
def test_it_says_so_where_the_parameters_on_their_own_explain_little(
    make_study, make_trial, objective, is_little
):
    rng = random.Random(0)
    places = [(rng.random(), rng.random()) for _ in range(150)]
    trials = [
        make_trial(n, [objective(x, y)], params={"x": x, "y": y}) for n, (x, y) in enumerate(places)
    ]
    space = {name: {"type": "uniform", "low": 0.0, "high": 1.0} for name in "xy"}
    study = make_study(*trials, space=space, iterations=1)

    # The shares add up to one in both, so that they cannot tell.
    measured = parameter_importance(study, Method.FANOVA)
    assert sum(each.share for each in measured.parameters) == pytest.approx(1.0)
    assert any("the rest is how they act together" in note for note in measured.notes) is is_little
