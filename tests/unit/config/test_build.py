"""A config names code through an exact whitelist."""

import pytest

from hpo_app.config.build import TRAINERS, build, load_function
from hpo_app.errors import PlanError
from hpo_app.plan.run_plan import Component


def test_a_sampler_on_the_list_is_built():
    sampler = build(Component("optuna.samplers.RandomSampler", {"seed": 1}), "search_alg")
    assert type(sampler).__name__ == "RandomSampler"


@pytest.mark.parametrize(
    "target", ["os.system", "optuna.samplers.GridSampler", "pathlib.Path.touch", "builtins.eval"]
)
def test_anything_else_is_refused(target, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PlanError, match="or one inside trusted_modules"):
        build(Component(target, {}), "search_alg")
    assert list(tmp_path.iterdir()) == []


def test_an_argument_that_the_sampler_does_not_take_is_named():
    with pytest.raises(PlanError, match="n_startup_trails"):
        build(Component("optuna.samplers.TPESampler", {"n_startup_trails": 3}), "search_alg")


def test_a_nested_target_is_refused_too(tmp_path):
    marker = tmp_path / "marker"
    nested = {"_target_": "pathlib.Path.write_text", "self": str(marker), "data": "x"}
    with pytest.raises(PlanError):
        build(Component("optuna.samplers.RandomSampler", {"seed": nested}), "search_alg")
    assert not marker.exists()


def test_our_trainers_load():
    assert callable(load_function(TRAINERS[1]))


@pytest.mark.parametrize(
    ("path", "trusted", "text"),
    [
        pytest.param("os:system", (), "trusted_modules", id="not trusted"),
        pytest.param("osmium:system", ("os",), "trusted_modules", id="trusted by half a name"),
        pytest.param("json:no_such", ("json",), "can be imported", id="no such function"),
        pytest.param("json.no_such:dumps", ("json",), "can be imported", id="no such module"),
        pytest.param("json:__name__", ("json",), "a function", id="not a function"),
    ],
)
def test_a_function_that_cannot_be_had_is_a_message(path, trusted, text):
    with pytest.raises(PlanError, match=text):
        load_function(path, trusted)


def test_a_function_of_a_trusted_module_loads():
    assert load_function("json:dumps", ("json",))({}) == "{}"


def test_an_argument_that_only_an_assertion_refuses_is_named_with_its_key():
    component = Component("ray.tune.schedulers.AsyncHyperBandScheduler", {"max_t": 0})
    with pytest.raises(PlanError) as caught:
        build(component, "scheduler")
    assert caught.value.problems[0].key == "scheduler"
