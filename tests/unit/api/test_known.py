"""What a person writes for an argument that there is none of, or for a value that is none."""

import pytest

from hpo_app.api.request import Request, compose_request
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError


OWN = {
    "model_config": {"lr": 0.1},
    "data_config": {},
    "training_config": {"iterations": 5},
    "param_space": {"lr": {"type": "uniform", "low": 0.0, "high": 1.0}},
    "num_trials": 7,
    "metric": "loss",
    "mode": "min",
    "trainer": "__main__:train",
}


def problems_of(**changes):
    with pytest.raises(PlanError) as refused:
        compose_request(Request(**{**OWN, **changes}))
    return {problem.key: problem for problem in refused.value.problems}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("num_trails", "num_trials"),
        ("n_trials", "num_trials"),
        ("direction", "mode"),
        ("resources", "resources_per_trial"),
        ("search_space", "param_space"),
        ("sampler", "search_alg"),
        ("output_dir", "run_dir"),
        ("max_failure", "max_failures"),
        ("timeout", "time_budget_s"),
    ],
)
def test_an_argument_that_there_is_none_of_is_named_with_the_one_that_was_meant(typed, meant):
    (problem,) = problems_of(settings={typed: 3}).items()
    assert problem[0] == typed
    assert problem[1].fix == f"write {meant} instead"
    assert "num_trials" in problem[1].expected


def test_whoever_writes_a_preset_reads_how_to_load_it():
    (problem,) = problems_of(settings={"preset": "standard"}).values()
    assert problem.fix == "write **ConfigLoader().load_config()['experiments']['standard'] instead"


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"metric": "???"}, "metric"),
        ({"mode": "???"}, "mode"),
        ({"num_trials": "???"}, "num_trials"),
        ({"model_config": {"lr": 0.1, "net": {"width": "???"}}}, "model_config.net.width"),
        ({"data_config": {"paths": ["a", "???"]}}, "data_config.paths[1]"),
        ({"search_alg": {"name": "optuna", "n_startup_trials": "???"}},
         "search_alg.n_startup_trials"),
        ({"resources_per_trial": {"cpu": "???"}}, "resources_per_trial.cpu"),
        ({"settings": {"stop": {"target": "???"}}}, "stop.target"),
        ({"settings": {"warm_start": ["???"]}}, "warm_start[0]"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_the_mark_of_a_missing_value_is_no_value(changes, key):
    found = problems_of(**changes)
    assert list(found) == [key]
    assert found[key].got == "???, which says that a value is missing"


def test_a_missing_value_that_the_search_fills_is_filled():
    plan = parse_plan(
        *compose_request(Request(**{**OWN, "model_config": {"lr": "???"}})), has_function=True
    )
    assert dict(plan.space.defaults) == {"lr": 0.5}


@pytest.mark.parametrize("name", ["warm_start", "baseline"])
@pytest.mark.parametrize("value", [0, "", {}, False, "outputs/one"], ids=repr)
def test_what_is_no_list_of_runs_is_refused_however_empty_it_is(name, value):
    (problem,) = problems_of(settings={name: value}).values()
    assert (problem.key, problem.expected) == (name, "a list of names")
    assert problem.fix.startswith(f"set {name}=['outputs/DATE/TIME")


@pytest.mark.parametrize("value", [None, []], ids=repr)
def test_no_run_is_none(value):
    plan = parse_plan(
        *compose_request(Request(**OWN, settings={"warm_start": value})), has_function=True
    )
    assert plan.warm_start == ()


def test_numbers_are_shown_as_they_were_written():
    space = {"lr": {"type": "uniform", "low": 1.0, "high": -1.0}}
    assert problems_of(param_space=space)["param_space.lr.low"].got == "1.0"
    fix = problems_of(param_space={})["param_space"].fix
    assert fix.endswith("'lr': {'type': 'loguniform', 'low': 1e-05, 'high': 0.01}")
