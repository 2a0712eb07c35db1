"""Search spaces and presets by name."""

import pytest

from hpo_app import ConfigLoader, HpoError
from hpo_app.plan.read_space import read_space


def test_ours_are_there_and_sound():
    config = ConfigLoader().load_config()
    assert {"ppo", "quadratic"} <= set(config["search_spaces"])
    for name, entries in config["search_spaces"].items():
        assert not read_space(entries)[1], name
    assert config["experiments"]["production"]["scheduler"] == {"name": "asha", "grace_period": 3}
    assert config["experiments"]["quick_test"] == {"num_trials": 5, "iterations": 3}


def test_a_file_of_ones_own_loads(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "search_spaces:\n  small:\n    lr: {type: uniform, low: 0.0, high: 1.0}\n"
        "experiments:\n  fast: {num_trials: 3, search_alg: optuna}\n"
    )
    config = ConfigLoader().load_config(path)
    assert config["experiments"]["fast"] == {"num_trials": 3, "search_alg": "optuna"}
    assert config["search_spaces"]["small"]["lr"]["high"] == 1.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("search_space: {}\n", "write search_spaces instead"),
        ("search_spaces: {a: {lr: {type: unifrm}}}\n", "search_spaces.a.lr.type"),
        ("search_spaces: [1]\n", "a mapping of names to mappings"),
        (
            "search_spaces: {a: {lr: {type: choice, values: [",
            "mine.yaml",
        ),
        ("- 1\n", "mine.yaml"),
        ("experiments: {fast: {num_trial: 3}}\n", "write num_trials instead"),
    ],
)
def test_what_is_wrong_in_it_is_a_message(tmp_path, text, told):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(HpoError) as refused:
        ConfigLoader().load_config(path)
    assert told in str(refused.value)


def test_a_file_that_is_not_there_is_a_message(tmp_path):
    with pytest.raises(HpoError, match=r"none\.yaml"):
        ConfigLoader().load_config(tmp_path / "none.yaml")
