"""The first trials lie around the default, as far from it as a person says."""

import math
import statistics

import optuna
import pytest
from hypothesis import given, settings, strategies as st

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError
from hpo_app.plan.criteria import Criteria
from hpo_app.plan.read_space import read_space
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.search.engine import Outcome
from hpo_app.search.optuna_engine import OptunaEngine
from hpo_app.search.prior import prior_draws
from hpo_app.search.searcher import Searcher
from hpo_app.study.records import Report, TrialState


ENTRIES = {
    "x": {"type": "uniform", "low": -5, "high": 5, "default": 1.0, "prior": 0.1},
    "log": {"type": "loguniform", "low": 1e-4, "high": 1.0, "default": 1e-2, "prior": 0.1},
    "edge": {"type": "uniform", "low": 0, "high": 1, "default": 0.0, "prior": 0.05},
    "count": {"type": "randint", "low": 1, "high": 101, "default": 51, "prior": 0.02},
    "size": {"type": "ordinal", "values": [8, 16, 32, 64], "default": 16, "prior": 0.1},
    "word": {"type": "choice", "values": ["a", "b", "c"], "default": "b", "prior": 0.2},
    "free": {"type": "uniform", "low": 0, "high": 1},
    "below": {"type": "uniform", "low": 0, "high": 1, "default": 0.5, "when": {"word": "a"}},
}


def space_of(entries=ENTRIES):
    space, problems = read_space(entries)
    assert problems == []
    return space


def test_draws_stray_from_the_default_by_the_width_on_the_parameters_own_scale():
    draws = prior_draws(space_of(), 1, 400)
    assert len(draws) == 400
    # The standard error of a deviation over 400 draws is 3.5 % of it.
    assert statistics.mean(p["x"] for p in draws) == pytest.approx(1.0, abs=0.2)
    assert statistics.stdev(p["x"] for p in draws) == pytest.approx(1.0, rel=0.2)
    decades = [math.log10(p["log"]) for p in draws]
    assert statistics.mean(decades) == pytest.approx(-2, abs=0.1)
    assert statistics.stdev(decades) == pytest.approx(0.4, rel=0.2)
    # Half of a normal distribution: its mean is 0.8 of its width.
    assert statistics.mean(p["edge"] for p in draws) == pytest.approx(0.04, rel=0.2)
    assert {p["size"] for p in draws} >= {8, 16, 32}
    assert sum(p["size"] == 16 for p in draws) > 250
    assert sum(p["word"] != "b" for p in draws) == pytest.approx(80, abs=40)
    assert statistics.stdev(p["free"] for p in draws) == pytest.approx(0.29, rel=0.2)


@given(seed=st.integers(0, 2**31), width=st.floats(1e-9, 1.0), place=st.floats(-5, 5))
@settings(deadline=None, max_examples=50)
def test_draws_are_configurations_of_the_space(seed, width, place):
    x = {**ENTRIES["x"], "default": place, "prior": width}
    entries = {**ENTRIES, "x": x, "require": {"some": "free < 0.9"}}
    space = space_of(entries)
    if not space.keeps(space.defaults):
        return
    for params in prior_draws(space, seed, 5):
        assert all(space[name].contains(value) for name, value in params.items())
        assert ("below" in params) == (params["word"] == "a")
        assert params["free"] < 0.9


def test_each_comes_once_and_none_is_the_default():
    entries = {"word": {**ENTRIES["word"], "prior": 0.01}, "size": ENTRIES["size"]}
    draws = prior_draws(space_of(entries), 0, 30)
    texts = {str(params) for params in draws}
    assert len(texts) == len(draws) >= 5
    assert str(space_of(entries).defaults) not in texts


def test_without_a_prior_nothing_is_drawn():
    assert prior_draws(space_of({"free": ENTRIES["free"]}), 0, 5) == []


def test_a_sampler_goes_on_from_what_they_showed():
    x = {**ENTRIES["x"], "default": 3.0, "prior": 0.05}
    criteria = Criteria((Objective("loss", Mode.MIN),))
    xs = []
    for seed in range(5):
        space = space_of({"x": x})
        engine = OptunaEngine(space, criteria, optuna.samplers.TPESampler(seed=seed))
        searcher = Searcher(space, engine, seed=seed, prior_trials=12)
        for _ in range(45):
            number, params, _ = searcher.ask()
            report = Report(1, {"loss": abs(params["x"] - 3.3)}, 0.0)
            searcher.tell(number, Outcome(TrialState.FINISHED, [report]))
            # It first looks elsewhere, where it knows nothing yet.
            xs += [params["x"]] if number > 30 else []
    # Random draws would be 4 away in the median.
    assert statistics.median(abs(x - 3.3) for x in xs) < 1.0


@pytest.mark.parametrize(
    ("override", "key", "fix"),
    [
        ("+search_space.x.prior=0", "search_space.x.prior", "write it as search_space.x.prior=0.1"),
        (
            "+search_space.x.prior=yes",
            "search_space.x.prior",
            "write it as search_space.x.prior=0.1",
        ),
        ("prior_trials=-1", "prior_trials", "write a whole number, for example prior_trials=1"),
    ],
)
def test_a_prior_that_cannot_be_is_named(override, key, fix):
    with pytest.raises(PlanError) as caught:
        parse_plan(*compose_config(["search_space=quadratic", override]))
    assert [(problem.key, problem.fix) for problem in caught.value.problems] == [(key, fix)]


def test_a_prior_needs_a_default():
    _, (problem,) = read_space({"free": {**ENTRIES["free"], "prior": 0.1}})
    assert problem.fix == "add +search_space.free.default=VALUE, or remove the prior"


def test_a_grid_with_a_prior_is_refused():
    typed = ["search_space=quadratic", "search_alg=grid", "num_trials=1000"]
    with pytest.raises(PlanError, match="set prior_trials=0, or search_alg=optuna"):
        parse_plan(*compose_config([*typed, "+search_space.x.prior=0.1"]))
    parse_plan(*compose_config([*typed, "+search_space.x.prior=0.1", "prior_trials=0"]))


def test_a_flag_is_no_number_and_a_space_that_is_used_up_ends_the_search():
    space, _ = read_space(
        {"f": {"type": "choice", "values": [False, 0, 1], "default": False, "prior": 1.0}}
    )
    drawn = prior_draws(space, 0, 10_000)
    assert sorted(map(repr, (params["f"] for params in drawn))) == ["0", "1"]
