"""A config becomes a plan, or all that is wrong with it with what set it."""

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import EXIT_CONFIG, PlanError
from hpo_app.plan.run_plan import Mode


QUADRATIC = "search_space=quadratic"


def problems_of(*overrides):
    with pytest.raises(PlanError) as caught:
        parse_plan(*compose_config(overrides))
    assert caught.value.exit_code == EXIT_CONFIG
    return {problem.key: problem for problem in caught.value.problems}


def test_a_plan_holds_what_was_asked_for():
    plan = parse_plan(
        *compose_config(["preset=standard", QUADRATIC, "resources.gpu=0.5", "time_budget_s=60"])
    )
    assert plan.objective.metric == "loss"
    assert plan.objective.mode is Mode.MIN
    assert plan.num_trials == 50
    assert plan.iterations == 27
    assert plan.resources.gpu == 0.5
    assert plan.time_budget_s == 60
    assert plan.searcher.is_model_based
    assert plan.scheduler.component.arguments["max_t"] == 27
    assert list(plan.space) == ["x", "rate", "depth", "kind"]


BAD = {
    "no trial": ("num_trials=0", "num_trials", "a whole number of at least 1"),
    "trials in words": ("num_trials=many", "num_trials", "a whole number of at least 1"),
    "trials as a flag": ("num_trials=true", "num_trials", "a whole number of at least 1"),
    "negative seed": ("seed=-1", "seed", "a whole number of at least 0"),
    "no time": ("time_budget_s=0", "time_budget_s", "a number above 0"),
    "no CPU": ("resources.cpu=0", "resources.cpu", "a number above 0"),
    "negative GPU": ("resources.gpu=-1", "resources.gpu", "a number of at least 0"),
    "no trial at once": (
        "resources.max_concurrent_trials=0",
        "resources.max_concurrent_trials",
        "a whole number of at least 1",
    ),
    "no iteration": (
        "training.iterations=0",
        "training.iterations",
        "a whole number of at least 1",
    ),
    "third mode": ("objective.mode=maximise", "objective.mode", "min or max"),
    "no metric": ("objective.metric=null", "objective.metric", "a name"),
    "dashboard in words": ("ray.dashboard=maybe", "ray.dashboard", "true or false"),
    "modules not a list": ("trusted_modules=mine", "trusted_modules", "a list of names"),
    "low above high": ("search_space.x.low=9", "search_space.x.low", "at most high=5"),
    "metric in the searcher": (
        "+search_alg.metric=loss",
        "search_alg.metric",
        "metric in objective and nowhere else",
    ),
    "mode in the scheduler": (
        "+scheduler.mode=min",
        "scheduler.mode",
        "mode in objective and nowhere else",
    ),
    "unused parameter": (
        "+search_space.lr={type: uniform, low: 0, high: 1}",
        "search_space.lr",
        "${params.lr} somewhere in model, data or training",
    ),
    "interpolation to nowhere": (
        "model.noise=${no.such.key}",
        "model.noise",
        "an interpolation that can be resolved",
    ),
}


@pytest.mark.parametrize(("override", "key", "expected"), BAD.values(), ids=BAD)
def test_a_wrong_value_is_named_with_what_set_it(override, key, expected):
    problems = problems_of(QUADRATIC, override)
    assert list(problems) == [key]
    assert problems[key].expected == expected
    assert problems[key].set_by == f"command line: {override}"


def test_params_without_a_parameter_get_the_near_miss():
    problems = problems_of(QUADRATIC, "model.x=${params.rte}")
    assert problems["model.x"].fix == "write ${params.rate}"
    assert set(problems) == {"model.x", "search_space.x"}


def test_population_training_refuses_a_searcher_that_learns():
    problems = problems_of(QUADRATIC, "scheduler=pbt", "search_alg=optuna")
    assert list(problems) == ["search_alg"]
    assert problems["search_alg"].fix == "set search_alg=random, or scheduler=asha"


def test_population_training_needs_something_to_change():
    frozen = [f"+search_space.{name}.mutable=false" for name in ("x", "rate", "depth", "kind")]
    problems = problems_of(QUADRATIC, "scheduler=pbt", "num_trials=1", *frozen)
    assert set(problems) == {"search_space", "num_trials"}


@pytest.mark.parametrize(
    ("scheduler", "key"),
    [("asha", "grace_period"), ("asha", "max_t"), ("pbt", "perturbation_interval")],
)
def test_a_scheduler_cannot_wait_for_more_iterations_than_a_trial_has(scheduler, key):
    problems = problems_of(QUADRATIC, f"scheduler={scheduler}", f"scheduler.{key}=28")
    assert list(problems) == [f"scheduler.{key}"]
    assert "because a trial has 27 iterations" in problems[f"scheduler.{key}"].expected


def test_a_missing_package_comes_with_the_command_that_installs_it():
    install = "pip install no-such-package"
    problems = problems_of(QUADRATIC, "+model.needs={no_such_package: " + install + "}")
    assert problems["model"].fix == install


def test_everything_wrong_is_said_at_once():
    problems = problems_of(
        QUADRATIC,
        "preset=standard",
        "num_trials=0",
        "resources.cpu=-1",
        "scheduler.grace_period=99",
    )
    assert set(problems) == {"num_trials", "resources.cpu", "scheduler.grace_period"}


def test_a_misspelt_key_in_a_file_of_ones_own_is_not_dropped(tmp_path):
    (tmp_path / "preset").mkdir()
    preset = tmp_path / "preset" / "mine.yaml"
    preset.write_text("# @package _global_\nnum_trails: 5\nresources:\n  cpus: 2\n")
    with pytest.raises(PlanError) as caught:
        parse_plan(*compose_config([QUADRATIC, "preset=mine"], tmp_path))
    problems = {problem.key: problem for problem in caught.value.problems}
    assert problems["num_trails"].fix == "write num_trials instead"
    assert problems["num_trails"].set_by == "preset/mine.yaml"
    assert problems["resources.cpus"].fix == "write cpu instead"


def test_a_key_of_ones_own_is_welcome_where_something_reads_it(tmp_path):
    (tmp_path / "preset").mkdir()
    (tmp_path / "preset" / "mine.yaml").write_text(
        "# @package _global_\nhow_noisy: 0.5\nmodel:\n  noise: ${how_noisy}\n"
    )
    plan = parse_plan(*compose_config([QUADRATIC, "preset=mine"], tmp_path))
    assert plan.template["how_noisy"] == 0.5


@pytest.mark.parametrize(
    ("overrides", "key", "set_by"),
    [
        (["preset=standard"], "num_trials", "preset/standard.yaml"),
        (["preset=standard", "num_trials=3"], "num_trials", "command line: num_trials=3"),
        ([], "num_trials", "config.yaml"),
        (["scheduler=asha"], "scheduler.grace_period", "scheduler/asha.yaml"),
        (["preset=production"], "scheduler.grace_period", "preset/production.yaml"),
        ([], "search_space.gamma.low", "search_space/ppo.yaml"),
        ([], "training.iterations", "training/rl.yaml"),
    ],
)
def test_every_value_knows_what_set_it(overrides, key, set_by):
    from hpo_app.config import provenance

    _, origin = compose_config(overrides)
    assert provenance.set_by(key, origin) == set_by
