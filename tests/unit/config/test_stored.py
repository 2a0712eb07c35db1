"""A stored config is read as it was written, with marks and interpolations in what was typed."""

import pytest
from omegaconf import OmegaConf

from hpo_app.config.compose import compose_config
from hpo_app.config.stored import differing_keys, stored_config
from hpo_app.errors import PlanError


@pytest.fixture
def folder(tmp_path):
    config, origin = compose_config(["search_space=quadratic"])
    hydra = {
        "overrides": {"task": ["model.x=${params.x}"]},
        "runtime": {"choices": dict(origin.choices)},
    }
    (tmp_path / ".hydra").mkdir()
    (tmp_path / ".hydra" / "config.yaml").write_text(OmegaConf.to_yaml(config))
    (tmp_path / ".hydra" / "hydra.yaml").write_text(OmegaConf.to_yaml({"hydra": hydra}))
    return tmp_path


def test_an_interpolation_that_was_typed_is_left_as_it_is(folder):
    _, origin = stored_config(folder)
    assert origin.overrides == ("model.x=${params.x}",)


def test_a_change_with_a_mark_of_hydra_is_applied(folder):
    config, _ = stored_config(folder, ["++num_trials=7"])
    assert config.num_trials == 7


@pytest.mark.parametrize("change", ["+model.noise=1", "~num_trials"])
def test_what_would_change_the_trials_is_refused_by_its_key(folder, change):
    with pytest.raises(PlanError) as caught:
        stored_config(folder, [change])
    assert caught.value.problems[0].key == change.lstrip("+~").partition("=")[0]


@pytest.mark.parametrize(
    ("key", "place"), [("ray.address", "10.0.0.1:6379"), ("storage", "s3://bucket/runs")]
)
def test_no_folder_says_where_code_runs_or_where_is_written(folder, key, place):
    path = folder / ".hydra" / "config.yaml"
    config = OmegaConf.load(path)
    OmegaConf.update(config, key, place)
    path.write_text(OmegaConf.to_yaml(config))
    with pytest.raises(PlanError) as caught:
        stored_config(folder)
    assert caught.value.problems[0].key == key
    assert f"add '{key}={place}'" in caught.value.problems[0].fix
    changed, _ = stored_config(folder, [f"{key}={place}"])
    assert OmegaConf.select(changed, key) == place


def test_a_run_of_a_release_that_did_not_know_a_key_gets_its_default(folder):
    path = folder / ".hydra" / "config.yaml"
    config = OmegaConf.load(path)
    del config["checkpoints"]
    path.write_text(OmegaConf.to_yaml(config))
    config, _ = stored_config(folder, ["checkpoints.budget_gb=2"])
    assert config.checkpoints == {"keep_best": 1, "budget_gb": 2}


def test_the_keys_that_an_earlier_run_had_other_values_of_are_named(folder):
    config, _ = compose_config(["search_space=quadratic", "model.noise=0.5", "+data.size=3"])
    template = OmegaConf.to_container(config, resolve=False)
    template["training"]["checkpoint_every"] = 7
    template["search_space"] = {}
    assert differing_keys(folder, template) == ("data.size", "model.noise")
    assert differing_keys(folder / "nowhere", template) == ()
