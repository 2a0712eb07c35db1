"""How much memory a trial takes is said by the person, by the model, or by nobody."""

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import render
from hpo_app.errors import PlanError


def plan_of(*overrides, config_dir=None):
    return parse_plan(*compose_config(["search_space=quadratic", *overrides], config_dir))


def test_nobody_says_it():
    assert plan_of().resources.memory_gb is None


def test_a_person_says_it():
    assert plan_of("resources.memory_gb=1.5").resources.memory_gb == 1.5


def test_a_model_says_it_and_a_person_knows_better(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "large.yaml").write_text(
        "# One that takes much.\ndefaults:\n  - quadratic\n  - _self_\nmemory_gb: 6\n"
    )
    plan = plan_of("model=large", config_dir=tmp_path)
    assert plan.resources.memory_gb == 6
    assert render(plan.template, plan.space.defaults).model["memory_gb"] == 6
    lighter = plan_of("model=large", "resources.memory_gb=0.5", config_dir=tmp_path)
    assert lighter.resources.memory_gb == 0.5
    uncounted = plan_of("model=large", "resources.memory_gb=null", config_dir=tmp_path)
    assert uncounted.resources.memory_gb is None


@pytest.mark.parametrize("value", ["0", "-1", "much"])
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(PlanError) as refused:
        plan_of(f"resources.memory_gb={value}")
    (problem,) = refused.value.problems
    assert (problem.key, problem.expected) == ("resources.memory_gb", "a number above 0")
    assert problem.fix == "write a number, for example resources.memory_gb=2"
