"""What Optuna draws and what a trial gets are the same thing in two vocabularies."""

import optuna
import pytest
from hypothesis import given, settings, strategies as st

from hpo_app.plan.read_space import read_space
from hpo_app.search.distributions import to_distributions, to_drawn, to_params


SPACE, _ = read_space(
    {
        "flat": {"type": "uniform", "low": -1, "high": 1},
        "log": {"type": "loguniform", "low": 1e-4, "high": 1},
        "steps": {"type": "quniform", "low": 0.1, "high": 0.7, "q": 0.2},
        "log_steps": {"type": "qloguniform", "low": 1, "high": 4, "q": 1},
        "count": {"type": "randint", "low": 1, "high": 4},
        "log_count": {"type": "lograndint", "low": 1, "high": 8},
        "evens": {"type": "qrandint", "low": 2, "high": 7, "q": 2},
        "choice": {"type": "choice", "values": ["a", None, [64, 64], {"k": 1}, True]},
        "ordinal": {"type": "ordinal", "values": [16, 32, 64]},
        "normal": {"type": "normal", "mean": 1, "sd": 2, "low": 0},
    }
)


def draw(num_draws, seed=0):
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    trials = [study.ask(to_distributions(SPACE)) for _ in range(num_draws)]
    return [to_params(SPACE, trial.params) for trial in trials]


@given(seed=st.integers(0, 2**31))
@settings(deadline=None, max_examples=30)
def test_every_draw_is_inside_the_space(seed):
    for params in draw(5, seed):
        assert all(SPACE[name].contains(params[name]) for name in SPACE if name != "steps")
        assert 0.1 <= params["steps"] <= 0.7 + 1e-9


@given(seed=st.integers(0, 2**31))
@settings(deadline=None, max_examples=30)
def test_params_survive_the_way_to_optuna_and_back(seed):
    (params,) = draw(1, seed)
    again = to_params(SPACE, to_drawn(SPACE, params))
    assert again == {
        name: pytest.approx(value, rel=1e-6) if isinstance(value, float) else value
        for name, value in params.items()
    }


def test_an_end_that_no_step_reaches_is_told_as_the_last_step():
    steps = {"type": "quniform", "low": 0.0, "high": 1.0, "q": 0.35, "default": 1.0}
    space, problems = read_space({"x": steps})
    assert not problems
    drawn = to_drawn(space, {"x": 1.0})
    assert to_distributions(space)["x"].high == drawn["x"] == 2


@pytest.mark.parametrize("step", [1, 3])
@pytest.mark.parametrize(
    "sampler",
    [optuna.samplers.TPESampler(n_startup_trials=2), optuna.samplers.GPSampler(n_startup_trials=2)],
    ids=["tpe", "gp"],
)
def test_a_range_of_very_many_whole_numbers_is_searched_and_never_listed(sampler, step):
    wide = {"type": "qrandint", "low": -(2**53), "high": 2**53, "q": step}
    space, problems = read_space({"n": wide})
    assert not problems
    study = optuna.create_study(sampler=sampler)
    for _ in range(8):
        trial = study.ask(to_distributions(space))
        params = to_params(space, trial.params)
        assert space["n"].contains(params["n"])
        study.tell(trial, abs(params["n"]) / 2**53)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        pytest.param("count", {1, 2, 3, 4}, id="integers"),
        pytest.param("log_count", set(range(1, 9)), id="logarithmic integers"),
        pytest.param("evens", {2, 4, 6}, id="integers with a step"),
        pytest.param("log_steps", {1.0, 2.0, 3.0, 4.0}, id="logarithmic steps"),
        pytest.param("ordinal", {16, 32, 64}, id="ordinal"),
    ],
)
def test_every_value_both_ends_included_is_drawn(name, values):
    # The rarest value has a share above 0.05: 400 draws miss it once in 10**9 runs.
    assert {params[name] for params in draw(400)} == values


def test_every_choice_is_drawn_lists_and_mappings_too():
    drawn = [params["choice"] for params in draw(200)]
    assert all(value in drawn for value in ["a", None, [64, 64], {"k": 1}, True])


def test_what_has_one_value_is_not_drawn_and_always_there():
    space, _ = read_space(
        {
            "fixed": {"type": "uniform", "low": 2, "high": 2},
            "word": {"type": "choice", "values": ["a"]},
            "free": {"type": "randint", "low": 1, "high": 2},
        }
    )
    params = {"fixed": 2.0, "word": "a", "free": 2}
    assert list(to_distributions(space)) == list(to_drawn(space, params)) == ["free"]
    assert to_params(space, to_drawn(space, params)) == params
