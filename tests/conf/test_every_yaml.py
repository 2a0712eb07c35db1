"""Every file of conf/ composes, plans and renders."""

import pytest

from hpo_app.config.compose import compose_config, conf_dir
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import render
from hpo_app.errors import PlanError


def choices(group):
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))


OF_EVERY_RUN = [
    f"{group}={choice}"
    for group in ("preset", "search_alg", "scheduler", "search_space", "sweep", "tracker")
    for choice in choices(group)
] + [
    f"data={choice}"
    for choice in choices("data")
    # It goes with model=lightning alone, whose searched parameters are the person's own.
    if choice != "datamodule"
]


TABLES = ("breast_cancer", "csv", "diabetes", "digits", "parquet")

# What some choices need beside them.
BESIDE = {
    **{f"data={table}": ["search_space=mlp"] for table in TABLES},
    "scheduler=bohb": ["search_alg=bohb"],
    "search_alg=bohb": ["scheduler=bohb"],
    "search_alg=grid": ["search_space=quadratic", "num_trials=100"],
}


def plan_of(*overrides):
    return parse_plan(*compose_config(overrides))


@pytest.mark.parametrize("override", OF_EVERY_RUN)
def test_a_choice_gives_a_plan(override):
    try:
        plan = plan_of(override, *BESIDE.get(override, ()))
    except PlanError as refused:
        if all(problem.got.endswith(" is not installed") for problem in refused.problems):
            pytest.skip(f"{refused.problems[0].got}")
        raise
    rendered = render(plan.template, plan.space.defaults)
    assert "${" not in str(rendered)


@pytest.mark.parametrize("preset", choices("preset"))
@pytest.mark.parametrize("space", choices("search_space"))
def test_a_preset_goes_with_every_search_space(preset, space):
    plan = plan_of(f"preset={preset}", f"search_space={space}")
    assert (
        plan.num_trials
        == {"quick_test": 5, "standard": 50, "extensive": 200, "production": 100}[preset]
    )


@pytest.mark.parametrize("choice", choices("search_space"))
def test_a_search_space_has_a_model_of_its_name(choice):
    assert choice in choices("model")
    assert plan_of(f"search_space={choice}").choices["model"] == choice


@pytest.mark.parametrize("path", sorted(conf_dir().rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_file_says_at_its_head_what_it_is_for(path):
    assert path.read_text().startswith("# ")


def test_the_command_line_beats_a_preset_and_a_preset_beats_the_base():
    assert plan_of().num_trials == 20
    assert plan_of("preset=standard").num_trials == 50
    assert plan_of("preset=standard", "num_trials=7").num_trials == 7


def test_the_defaults_of_stable_baselines3_are_the_default_configuration():
    model = render(plan_of().template, plan_of().space.defaults).model
    assert model["hyperparameters"] == {
        "learning_rate": 3e-4,
        "n_steps": 2048,
        "batch_size": 64,
        "n_epochs": 10,
        "gamma": 0.99,
        "gae_lambda": 0.95,
        "clip_range": 0.2,
        "ent_coef": 0.0,
        "vf_coef": 0.5,
        "max_grad_norm": 0.5,
    }
    assert model["network"] == {"net_arch": [64, 64], "activation": "tanh"}


@pytest.mark.parametrize("n_envs", [1, 3, 4, 6])
@pytest.mark.parametrize("n_steps", [64, 2048])
@pytest.mark.parametrize("batch_size", [16, 512])
def test_a_minibatch_always_divides_the_rollout(n_envs, n_steps, batch_size):
    plan = plan_of(f"data.n_envs={n_envs}")
    params = {**plan.space.defaults, "n_steps": n_steps, "batch_size": batch_size}
    got = render(plan.template, params).model["hyperparameters"]
    assert got["batch_size"] <= batch_size
    assert (got["n_steps"] * n_envs) % got["batch_size"] == 0


@pytest.mark.parametrize(("steps", "n_envs"), [(4096, 2), (5000, 3), (100, 3), (2, 8)], ids=str)
def test_every_configuration_trains_the_same_number_of_steps(steps, n_envs):
    plan = plan_of(f"training.steps_per_iteration={steps}", f"data.n_envs={n_envs}")
    per_environment = max(1, steps // n_envs)
    for n_steps in plan.space["n_steps"].values:
        params = {**plan.space.defaults, "n_steps": n_steps}
        got = render(plan.template, params).model["hyperparameters"]["n_steps"]
        assert 1 <= got <= n_steps
        assert per_environment % got == 0
