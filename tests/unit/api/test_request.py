"""What `optimize` is asked for, as the config that the command line would compose."""

from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from hpo_app.api.config_loader import ConfigLoader
from hpo_app.api.request import Request, compose_request
from hpo_app.api.search_space import define_space
from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import render
from hpo_app.errors import PlanError


OWN = {
    "model_config": {"lr": 0.1, "net": {"width": 32}},
    "data_config": {},
    "training_config": {"iterations": 5},
    "param_space": {
        "lr": {"type": "loguniform", "low": 1e-3, "high": 1.0},
        "width": {"type": "choice", "values": [16, 32]},
    },
    "num_trials": 7,
    "metric": "loss",
    "mode": "min",
    "trainer": "__main__:train",
}


def plan_of(**changes):
    request = Request(**{**OWN, **changes})
    return parse_plan(*compose_request(request), has_function=request.trainer is not None)


def problems_of(**changes):
    with pytest.raises(PlanError) as refused:
        plan_of(**changes)
    return {problem.key: problem for problem in refused.value.problems}


def test_what_stands_in_the_config_is_the_default_configuration():
    assert plan_of().space.defaults == {"lr": 0.1, "width": 32}
    outside = {"lr": 5.0, "net": {"width": 32}}
    with pytest.warns(UserWarning, match=r"lr=5\.0 of the config is none of the values"):
        assert plan_of(model_config=outside).space.defaults["width"] == 32
    own = {"lr": {"type": "loguniform", "low": 1e-3, "high": 1.0, "default": 0.5}}
    assert plan_of(param_space=own).space.defaults == {"lr": 0.5}


def test_a_dotted_name_reaches_the_model_in_every_trial():
    entries = {
        "net.width": {"type": "randint", "low": 1, "high": 64},
        "lr": OWN["param_space"]["lr"],
    }
    plan = plan_of(param_space=entries)
    assert plan.space.defaults == {"net.width": 32, "lr": 0.1}
    model = render(plan.template, {"net.width": 7, "lr": 0.5}).model
    assert (model["net"], model["lr"]) == ({"width": 7}, 0.5)
    both = {**entries, "net": {"type": "choice", "values": [1, 2]}}
    assert (
        "begin with that of another"
        in problems_of(param_space=both)["param_space.net.width"].expected
    )


def test_a_value_lands_in_training_too():
    training = {"iterations": 5, "optimiser": {"lr": 0.1}}
    plan = plan_of(model_config={"net": {"width": 32}}, training_config=training)
    assert plan.iterations == 5
    assert render(plan.template, {"lr": 0.5, "width": 16}).training["optimiser"] == {"lr": 0.5}


def test_a_space_that_was_defined_before_is_taken_with_its_conditions():
    entries = {**OWN["param_space"], "momentum": {"type": "uniform", "low": 0.0, "high": 0.99}}
    entries["momentum"]["when"] = {"width": 32}
    space = define_space(entries)
    model = {**OWN["model_config"], "momentum": 0.9}
    plan = plan_of(param_space=space, model_config=model)
    assert space.conditions == plan.space.conditions == {"momentum": {"width": (32,)}}
    assert plan.space.defaults == {"lr": 0.1, "width": 32, "momentum": 0.9}


def test_rules_come_along_and_read_dotted_names():
    entries = {
        "net.width": {"type": "randint", "low": 1, "high": 64},
        "lr": OWN["param_space"]["lr"],
        "require": {"small": "${params.net.width} * lr <= 8"},
    }
    plan = plan_of(param_space=entries)
    assert list(plan.space) == list(plan.space_entries) == ["net.width", "lr"]
    assert plan.space.keeps({"net.width": 16, "lr": 0.5})
    assert not plan.space.keeps({"net.width": 17, "lr": 0.5})


def test_a_parameter_that_only_decides_needs_no_place():
    entries = {
        "use_momentum": {"type": "choice", "values": [False, True]},
        "lr": {**OWN["param_space"]["lr"], "when": {"use_momentum": True}},
    }
    assert plan_of(param_space=entries).space.conditions == {"lr": {"use_momentum": (True,)}}


def test_every_argument_reaches_the_plan():
    plan = plan_of(
        search_alg={"name": "optuna", "n_startup_trials": 3},
        scheduler={"name": "asha", "grace_period": 4},
        resources_per_trial={"cpu": 2, "gpu": 0.5, "memory_gb": 3},
        max_concurrent_trials=1,
        time_budget_s=60,
        seed=9,
        ray_config={"num_cpus": 4, "include_dashboard": True},
        settings={"max_failures": 2, "stop": {"target": 0.1}, "constraints": {"cost": {"max": 1}}},
    )
    assert (plan.num_trials, plan.iterations, plan.seed, plan.time_budget_s) == (7, 5, 9, 60)
    assert plan.searcher.component.arguments["n_startup_trials"] == 3
    assert plan.scheduler.component.arguments["grace_period"] == 4
    resources = plan.resources
    assert (resources.cpu, resources.gpu, resources.max_concurrent_trials) == (2, 0.5, 1)
    assert resources.memory_gb == 3
    assert (plan.cluster.num_cpus, plan.cluster.dashboard) == (4, True)
    assert (plan.max_failures, plan.stop.target) == (2, 0.1)
    assert plan.constraints[0].metric == "cost"
    assert plan.trainer == "__main__:train"
    assert list(plan_of(settings={"tracker": ["tensorboard"]}).trackers) == ["tensorboard"]


def test_a_named_model_brings_what_belongs_to_it_and_equals_the_command_line():
    named = Request("quadratic", None, None, None, 4, trainer=None)
    from_python = parse_plan(*compose_request(named))
    typed = parse_plan(*compose_config(["search_space=quadratic", "num_trials=4"]))
    assert from_python.space == typed.space
    assert from_python.criteria == typed.criteria
    assert from_python.template == typed.template


def test_presets_are_arguments():
    presets = ConfigLoader().load_config()["experiments"]
    assert set(presets) == {path.stem for path in Path("conf/preset").glob("*.yaml")}
    for name, preset in presets.items():
        arguments = {**preset}
        mine = {
            key: arguments.pop(key) for key in list(arguments) if key in Request.__annotations__
        }
        changes = {"training_config": None, **mine, "settings": arguments}
        request = Request(
            **{
                **OWN,
                "model_config": "quadratic",
                "param_space": None,
                **changes,
                "data_config": None,
                "trainer": None,
            }
        )
        from_python = parse_plan(*compose_request(request))
        typed = parse_plan(*compose_config(["search_space=quadratic", f"preset={name}"]))
        for part in ("num_trials", "iterations", "searcher", "scheduler", "max_failures"):
            assert getattr(from_python, part) == getattr(typed, part), (name, part)


def test_the_training_config_of_ones_own_beats_a_preset():
    assert plan_of(settings={"iterations": 3}).iterations == 5
    assert plan_of(training_config={}, settings={"iterations": 3}).iterations == 3
    assert plan_of(training_config={"epochs": 6}).iterations == 6


def test_numpy_and_tuples_and_paths_are_taken_as_what_they_are():
    model = {
        "lr": np.float64(0.1),
        "net": {"width": np.int64(32)},
        "sizes": (1, 2),
        "at": Path("a"),
    }
    template = plan_of(model_config=OmegaConf.create({"x": 1}) and model).template
    assert template["model"]["sizes"] == [1, 2]
    assert template["model"]["at"] == "a"
    assert plan_of(model_config=model).space.defaults == {"lr": 0.1, "width": 32}


def test_everything_wrong_is_said_at_once():
    problems = problems_of(
        model_config={"lr": object(), "net": {"width": 32}},
        training_config={},
        settings={"max_failure": 1},
        ray_config={"cpus": 2},
        resources_per_trial={"cpus": 2},
    )
    assert set(problems) == {
        "model_config.lr",
        "training_config.iterations",
        "max_failure",
        "ray_config.cpus",
        "resources_per_trial.cpus",
    }
    assert problems["max_failure"].fix == "write max_failures instead"


@pytest.mark.parametrize(
    ("changes", "key", "fix"),
    [
        ({"search_alg": "optun"}, "search_alg", "write 'optuna'"),
        ({"settings": {"tracker": "mlflo"}}, "tracker", "write 'mlflow'"),
        ({"scheduler": "ashaa"}, "scheduler", "write 'asha'"),
        ({"model_config": "pp"}, "model_config", "write 'ppo'"),
        ({"metric": None}, "metric", "give one"),
        ({"mode": "minimum"}, "mode", "set mode='min'"),
        ({"model_config": {"lr": 1, "trainer": "adam"}}, "model_config.trainer", "rename it"),
        ({"model_config": {"lr": 1, "text": "a ${"}}, "model_config", r"write \${"),
        (
            {"param_space": {"learning rate": {"type": "uniform"}}},
            "param_space.learning rate",
            "rename",
        ),
        ({"num_trials": 0}, "num_trials", "write a whole number"),
        ({"trainer": None}, "model_config.trainer", "write TrainingEngine(train)"),
        ({"param_space": None}, "param_space", "write param_space={…}"),
    ],
)
def test_a_wrong_argument_is_a_message(changes, key, fix):
    problem = problems_of(**changes)[key]
    assert problem.fix.startswith(fix)


PPO = {
    **dict.fromkeys(["data_config", "training_config", "metric", "mode", "trainer"]),
    "model_config": "ppo",
    "param_space": {"gamma": {"type": "uniform", "low": 0.9, "high": 0.999}},
}


def test_problems_of_all_stages_come_at_once_in_the_words_of_python():
    with pytest.raises(PlanError) as refused:
        compose_request(
            Request(
                **{
                    **OWN,
                    "num_trials": 0,
                    "metric": None,
                    "search_alg": "optun",
                    "param_space": {
                        "lr": {"type": "loguniform", "low": 0, "high": 1.0},
                        "ghost": {"type": "uniform", "low": 0.0, "high": 1.0},
                    },
                    "resources_per_trial": {"cpu": 0},
                    "time_budget_s": -1,
                    "run_dir": 3,
                    "ray_config": {"include_dashboard": "yes"},
                    "settings": {"stop": {"target": "low"}, "trusted_modules": 3},
                }
            )
        )
    text = str(refused.value)
    assert text.startswith("11 problems in the arguments of optimize()")
    told = {problem.key: problem for problem in refused.value.problems}
    assert set(told) == {
        "num_trials",
        "metric",
        "search_alg",
        "param_space.lr.low",
        "param_space.ghost",
        "resources_per_trial.cpu",
        "time_budget_s",
        "run_dir",
        "ray_config.include_dashboard",
        "stop.target",
        "trusted_modules",
    }
    assert told["param_space.lr.low"].fix.endswith("param_space['lr']['type'] = 'uniform'")
    assert told["resources_per_trial.cpu"].fix.endswith("resources_per_trial={'cpu': 1}")
    assert told["ray_config.include_dashboard"].expected == "True or False"
    assert told["num_trials"].set_by == "optimize(num_trials=0)"
    for word in ("search_space", "objective", "command line", ".yaml", "resources."):
        assert word not in text


def test_what_is_set_in_a_mapping_is_not_laid_on_a_file():
    problem = problems_of(scheduler={"name": "asha", "max_t": 99})["scheduler.max_t"]
    assert problem.set_by == ""
    assert problem.fix.startswith("set scheduler={'name': 'asha', 'max_t': 5}")


def test_a_named_model_keeps_our_defaults_where_nothing_is_searched():
    changes = {"data_config": {"n_envs": 4, "normalize": {"rewards": True}}}
    plan = plan_of(**{**PPO, **changes, "training_config": {"iterations": 3}})
    assert dict(plan.space.defaults) == {"gamma": 0.99}
    rendered = render(plan.template, {"gamma": 0.95})
    assert rendered.model["hyperparameters"]["gamma"] == 0.95
    assert rendered.model["hyperparameters"]["learning_rate"] == 3e-4
    assert rendered.model["hyperparameters"]["n_steps"] == 1024
    assert rendered.model["network"]["net_arch"] == [64, 64]
    assert (rendered.data["env_id"], rendered.data["n_envs"]) == ("CartPole-v1", 4)
    assert rendered.data["normalize"] == {"observations": False, "rewards": True}
    assert rendered.training["steps_per_iteration"] == 4096


def test_a_parameter_of_another_name_takes_the_place_of_one_of_ours():
    space = {"lr": {"type": "loguniform", "low": 1e-5, "high": 1e-2}}
    mapping = {"lr": "hyperparameters.learning_rate"}
    plan = plan_of(**{**PPO, "param_space": space, "param_mapping": mapping})
    assert dict(plan.space.defaults) == {"lr": 3e-4}


def test_what_a_condition_leaves_out_is_what_stands_under_otherwise():
    space = {"y": {"type": "uniform", "low": 0.0, "high": 2.0}}
    plan = plan_of(**{**PPO, "model_config": "branches", "param_space": space})
    assert plan.template["model"]["depth"] == 1
    assert plan.template["model"]["kind"] == "rough"


def test_a_key_that_a_named_model_does_not_know_is_refused_with_what_was_meant():
    changes = {"data_config": {"n_env": 4}, "training_config": {"steps_per_iter": 3}}
    space = {"gama": PPO["param_space"]["gamma"]}
    told = problems_of(**{**PPO, **changes, "param_space": space})
    assert told["data_config.n_env"].fix == "write 'n_envs'"
    assert told["training_config.steps_per_iter"].fix == "write 'steps_per_iteration'"
    assert told["param_space.gama"].fix == "write 'gamma'"
    free = {"data_config": {"env_kwargs": {"render_mode": None}}}
    assert plan_of(**{**PPO, **free}).template["data"]["env_kwargs"] == {"render_mode": None}
