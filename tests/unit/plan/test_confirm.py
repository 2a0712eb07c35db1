"""What may be confirmed, and how a run that exists gets a confirmation."""

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.config.stored import stored_config
from hpo_app.errors import PlanError
from hpo_app.plan.run_plan import Confirm


QUADRATIC = "search_space=quadratic"


def plan_of(*overrides):
    return parse_plan(*compose_config([QUADRATIC, *overrides]))


@pytest.mark.parametrize(
    ("preset", "is_on"),
    [("standard", True), ("production", True), ("quick_test", False), ("extensive", False)],
)
def test_presets_confirm_where_a_winner_is_wanted(preset, is_on):
    assert plan_of(f"preset={preset}").confirm.is_on is is_on


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["scheduler=pbt"], "members of a population change their values"),
        (
            ["objectives=[{metric: loss, mode: min}, {metric: cost, mode: min}]"],
            "with several objectives",
        ),
        (["confirm.share=1.5"], "above 0 and below 1"),
        (["confirm.claim_seeds=2"], "a whole number of at least 3"),
    ],
    ids=["population", "front", "share", "seeds"],
)
def test_what_cannot_be_confirmed_is_refused_with_a_reason(overrides, words):
    with pytest.raises(PlanError) as refused:
        plan_of("confirm=standard", *overrides)
    assert words in str(refused.value)


def test_a_choice_is_looked_up_where_a_run_goes_on(tmp_path):
    from omegaconf import OmegaConf, open_dict

    config, _ = compose_config([QUADRATIC])
    with open_dict(config):
        del config["confirm"]  # As an earlier release left it.
    folder = tmp_path / ".hydra"
    folder.mkdir()
    OmegaConf.save(config, folder / "config.yaml")
    hydra = {"hydra": {"overrides": {"task": [QUADRATIC]}, "runtime": {"choices": {}}}}
    OmegaConf.save(OmegaConf.create(hydra), folder / "hydra.yaml")
    assert parse_plan(*stored_config(tmp_path)).confirm == Confirm()
    found = parse_plan(*stored_config(tmp_path, ["confirm=thorough"])).confirm
    assert found == plan_of("confirm=thorough").confirm
    with pytest.raises(PlanError, match="write confirm=standard"):
        stored_config(tmp_path, ["confirm=standrd"])


def test_a_plan_says_how_many_trainings_a_confirmation_adds():
    from hpo_app.actions.plan import plan_rows

    rows = dict(plan_rows(plan_of("confirm=standard", "num_trials=40"), slots=2))
    assert rows["confirm"].startswith(
        "the best 6 and the default race on fresh seeds: 6 to 26 trainings of 27 "
    )
    assert "40% of the run, 13 waves" in rows["confirm"]
    # What the share pays for, as the run will have it.
    fewer = dict(plan_rows(plan_of("confirm=standard", "num_trials=16"), slots=2))["confirm"]
    assert fewer.startswith(
        "the best 4 (of 6: its share pays for no more), the default among them, race on fresh "
    )
    two = dict(plan_rows(plan_of("confirm=standard", "num_trials=2"), slots=2))["confirm"]
    assert two.startswith("the best one (of 2: its share pays for no more) is trained anew with ")
    assert ": 6 trainings of 27 iterations and one replay, be it more than 40% of the run" in two
    assert "confirm" not in dict(plan_rows(plan_of(), slots=2))
