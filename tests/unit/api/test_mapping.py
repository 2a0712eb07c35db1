"""Where the values of parameters land."""

import copy

import pytest

from hpo_app.api.mapping import place_parameters


MODEL = {
    "hyperparameters": {"learning_rate": 0.1, "momentum": 0.9},
    "layers": [{"units": 32, "dropout": 0.1}, {"units": 64, "dropout": 0.2}],
}
DATA = {"batch_size": 16}
TRAINING = {"iterations": 4, "warmup": {"steps": 10}}


def placed(names, mapping=None, model=MODEL):
    configs = copy.deepcopy({"model": model, "data": DATA, "training": TRAINING})
    problems = []
    before = place_parameters(configs, names, mapping, problems)
    return configs, before, problems


def test_one_leaf_of_that_name_is_the_place():
    configs, before, problems = placed(["learning_rate", "batch_size", "steps"])
    assert not problems
    assert configs["model"]["hyperparameters"]["learning_rate"] == "${params.learning_rate}"
    assert configs["data"]["batch_size"] == "${params.batch_size}"
    assert configs["training"]["warmup"]["steps"] == "${params.steps}"
    assert before == {"learning_rate": 0.1, "batch_size": 16, "steps": 10}


def test_a_dotted_name_is_a_path():
    name = "hyperparameters.learning_rate"
    configs, before, problems = placed([name, "training.warmup.steps"])
    assert not problems
    assert configs["model"]["hyperparameters"]["learning_rate"] == f"${{params.{name}}}"
    assert configs["training"]["warmup"]["steps"] == "${params.training.warmup.steps}"
    assert before == {name: 0.1, "training.warmup.steps": 10}


def test_the_model_comes_before_data_and_training():
    configs, _, problems = placed(["batch_size"], model={"inner": {"batch_size": 8}})
    assert not problems
    assert configs["model"] == {"inner": {"batch_size": "${params.batch_size}"}}
    assert configs["data"] == DATA


def test_several_leaves_are_listed():
    configs, _, (problem,) = placed(["units"])
    assert problem.key == "param_space.units"
    assert "layers.0.units and layers.1.units" in problem.got
    assert "param_mapping={'units': 'layers.0.units'}" in problem.fix
    assert configs["model"] == MODEL


def test_a_mapping_names_the_place():
    mapping = {"lr": "hyperparameters.learning_rate", "width": "model.layers.1.units"}
    configs, before, problems = placed(["lr", "width"], mapping)
    assert not problems
    assert configs["model"]["hyperparameters"]["learning_rate"] == "${params.lr}"
    assert [layer["units"] for layer in configs["model"]["layers"]] == [32, "${params.width}"]
    assert before == {"lr": 0.1, "width": 64}


def test_a_path_that_begins_with_a_key_called_model_is_that_key():
    configs, _, problems = placed(
        ["hidden"], {"hidden": "model.layers.hidden"}, {"model": {"layers": {"hidden": 8}}}
    )
    assert not problems
    assert configs["model"] == {"model": {"layers": {"hidden": "${params.hidden}"}}}


def test_one_parameter_may_land_in_several_places():
    mapping = {"width": ["layers.0.units", "layers.1.units"]}
    configs, _, problems = placed(["width"], mapping)
    assert not problems
    assert {layer["units"] for layer in configs["model"]["layers"]} == {"${params.width}"}


def test_what_leads_nowhere_is_said_with_what_was_meant():
    mapping = {"lr": "hyperparameters.learning_rat", "ghost": "layers"}
    _, _, problems = placed(["lr", "momentun", "nothing_like_it"], mapping)
    told = {problem.key: problem for problem in problems}
    assert told["param_mapping.lr"].fix == "write hyperparameters.learning_rate"
    assert "lr, momentun and nothing_like_it" in told["param_mapping.ghost"].expected
    assert "hyperparameters.momentum" in told["param_space.momentun"].fix
    assert told["param_space.nothing_like_it"].fix.startswith("add the key")


def test_a_config_that_reads_the_parameter_itself_is_left_alone():
    model = {"rate": "${params.lr}", "lr": 3}
    configs, before, problems = placed(["lr"], model=model)
    assert not problems
    assert (configs["model"], before) == (model, {})


def test_two_parameters_in_one_place_are_refused():
    mapping = {"lr": "hyperparameters.learning_rate", "rate": "hyperparameters.learning_rate"}
    _, _, (problem,) = placed(["lr", "rate"], mapping)
    assert problem.key == "param_mapping.rate"
    assert "the value of lr lands in model.hyperparameters.learning_rate" in problem.expected
    inside = {"all": "hyperparameters", "lr": "hyperparameters.learning_rate"}
    assert [each.key for each in placed(["all", "lr"], inside)[2]] == ["param_mapping.lr"]
    by_name = ["learning_rate", "hyperparameters.learning_rate"]
    assert [each.key for each in placed(by_name)[2]] == [f"param_space.{by_name[1]}"]


@pytest.mark.parametrize("paths", [3, None, [], ["hyperparameters.momentum", 3], {"a": "b"}, ""])
def test_a_path_that_is_no_text_is_a_message(paths):
    _, _, (problem,) = placed(["lr"], {"lr": paths})
    assert problem.key == "param_mapping.lr"
    assert problem.expected == "a dotted path as text, or a list of them"


def test_a_mapping_that_is_none_is_a_message():
    _, _, (problem, *_) = placed(["momentum"], "momentum")
    assert (problem.key, problem.got) == ("param_mapping", "'momentum'")
