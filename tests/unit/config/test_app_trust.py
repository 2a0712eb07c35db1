"""A Hydra app is code that is run: it counts where a person typed it, and nowhere else."""

from pathlib import Path

import pytest

from hpo_app.config.app_trust import app_problems, refuse_app
from hpo_app.config.build import APP_TRAINER
from hpo_app.config.compose import Origin, compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError


APP = str(Path(__file__).parents[2] / "apps" / "image_net" / "src" / "train.py")
SPACE = "+search_space.optimizer={type: choice, values: [sgd, adam]}"


def composed(*overrides):
    others = ("x", "rate", "depth", "kind")
    bare = [f"~search_space.{name}" for name in others]
    base = ["search_space=quadratic", "model=hydra_app", *bare, SPACE]
    return compose_config([*base, *overrides])


def refused(*overrides, origin=None):
    config, typed = composed(*overrides)
    with pytest.raises(PlanError) as error:
        parse_plan(config, origin or typed)
    return str(error.value)


def test_an_app_that_is_typed_is_taken() -> None:
    config, origin = composed(f"model.app={APP}")
    assert parse_plan(config, origin).trainer == APP_TRAINER


def test_an_app_that_a_file_names_is_refused() -> None:
    text = refused(f"model.app={APP}", origin=Origin())
    assert "a file cannot have any code run" in text
    assert f"add model.app={APP}" in text


def test_an_app_that_is_missing_or_is_none_is_named(tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text("print()")
    assert "No such file" in refused("model.app=nowhere.py")
    assert "add model.app=src/train.py" in refused()
    assert "by @hydra.main" in refused(f"model.app={other}")


def problems_of(overrides=(), space=None, trusted=(), typed=(), **model):
    model = {"trainer": APP_TRAINER, "app": APP, "overrides": list(overrides), **model}
    origin = Origin(typed=(f"model.app={APP}", *typed))
    return [each.key for each in app_problems(model, space or {}, origin, trusted)]


@pytest.mark.parametrize(
    "text",
    [
        "model._target_=os.system",
        "+x={_target_: os.system}",
        "+x=[{_target_: os.system}]",
        "a=${eval:1}",
        "a=${params.hostile}",
        "+a.b={c: '${training.hostile}'}",
        "hydra.searchpath=[file:///elsewhere]",
        "+hydra.callbacks.x._target_=os.system",
        "hydra.job.env_set={PATH: here}",
    ],
)
def test_a_file_hands_no_code_to_an_app(text: str) -> None:
    assert problems_of([text]) == ["model.overrides"]
    assert problems_of([text], typed=["model.overrides=[…]"]) == []


@pytest.mark.parametrize("text", ["data.batch_size=32", "hydra.job.chdir=true", "a=\\${b.c}", "~x"])
def test_plain_overrides_may_stand_in_a_file(text: str) -> None:
    assert problems_of([text]) == []


def test_a_start_takes_interpolations_from_ones_own_files() -> None:
    model = {"trainer": APP_TRAINER, "app": APP, "overrides": ["a=${training.iterations}"]}
    origin = Origin(overrides=(f"model.app={APP}",))
    assert list(app_problems(model, {}, origin, [])) == []


def test_a_search_space_names_code_of_trusted_packages_only() -> None:
    space = {"net._target_": {"type": "choice", "values": ["nets.Small", "nets.Large"]}}
    assert problems_of(space=space) == ["search_space.net._target_.values"]
    assert problems_of(space=space, trusted=["nets"]) == []
    assert problems_of(space={"n": space["net._target_"]}, keys={"n": "+net._target_"}) != []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("values", {"net._target_": "os.system"}),
        ("values", "${training.values}"),
        ("keys", {"x": "${training.key}"}),
        ("keys", "${training.keys}"),
    ],
)
def test_no_file_leads_other_values_to_an_app(key: str, value: object) -> None:
    space = {"x": {"type": "choice", "values": ["os.system"]}}
    assert problems_of(space=space, **{key: value}) == [f"model.{key}"]


def test_the_values_of_a_best_yaml_are_read_themselves() -> None:
    model = {"trainer": APP_TRAINER, "app": APP, "overrides": [], "values": {"x": 1}}
    refuse_app(model, [f"model.app={APP}"], ())
    with pytest.raises(PlanError, match=r"_target_ that nobody trusted"):
        refuse_app({**model, "values": {"x._target_": "os.system"}}, [f"model.app={APP}"], ())


def test_folders_of_config_groups_are_typed_anew() -> None:
    assert problems_of(config_dir="elsewhere") == ["model.config_dir"]
    assert problems_of(config_dir="mine", typed=["model.config_dir=mine"]) == []
