"""Arguments of every wrong kind: each is a message, and none of them starts anything."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from omegaconf import OmegaConf

from hpo_app import HpoError, HPOptimizer, TrainingEngine
from hpo_app.api.request import Request, compose_request
from hpo_app.config.compose import conf_dir
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError


@dataclass
class Settings:
    lr: float = 0.1


UNIFORM = {"type": "uniform", "low": 0.0, "high": 1.0}
ODD = [
    0, b"x", [], (1, 2), object(), Settings(), np.array([1, 2]), np.array(5),
    pd.DataFrame({"a": [1]}), OmegaConf.create([1]),
]  # fmt: skip
OWN = {
    "model_config": {"lr": 0.1},
    "data_config": {},
    "training_config": {"iterations": 5},
    "param_space": {"lr": UNIFORM},
    "num_trials": 7,
    "metric": "loss",
    "mode": "min",
    "trainer": "__main__:train",
}


def plan_of(**changes):
    return parse_plan(*compose_request(Request(**{**OWN, **changes})), has_function=True)


def problems_of(**changes):
    with pytest.raises(PlanError) as refused:
        plan_of(**changes)
    return {problem.key: problem for problem in refused.value.problems}


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: type(odd).__name__)
def test_what_is_of_a_wrong_kind_is_one_problem_each_time(odd):
    arguments = ("data_config", "training_config", "resources_per_trial", "run_dir")
    entry = {**UNIFORM, "type": odd}
    found = problems_of(
        **dict.fromkeys(arguments, odd),
        param_space={"lr": entry},
        search_alg=odd,
        scheduler={"name": odd},
        settings={"trusted_modules": odd, "confirm": odd},
    )
    assert {*arguments, "param_space.lr.type", "search_alg", "scheduler.name"} <= set(found)
    assert "training_config.iterations" not in found


def test_half_an_interpolation_is_a_message_wherever_it_stands():
    found = problems_of(
        num_trials="${",
        resources_per_trial={"cpu": "${"},
        search_alg={"name": "optuna", "n_startup_trials": "${"},
        scheduler={"_target_": "${"},
        settings={"stop": {"target": "${"}},
        ray_config={"num_cpus": "${"},
    )
    assert set(found) == {
        "num_trials",
        "resources_per_trial",
        "search_alg",
        "scheduler",
        "stop",
        "ray_config",
    }
    assert {problem.fix for problem in found.values()} == {r"write \${ for the letters ${"}


def test_several_trackers_that_are_none_are_a_message():
    assert "tracker" in problems_of(settings={"tracker": ["mlfow", "tensorbord"]})


def test_nodes_of_omegaconf_are_taken_at_any_depth():
    config = OmegaConf.create({"lr": 0.1, "net": {"sizes": [1, 2], "rate": 1}})
    model = {"lr": 0.1, "sizes": config.net.sizes, "net": config.net}
    plan = plan_of(
        model_config=model,
        param_space={"lr": UNIFORM, "rate": {"type": "choice", "values": config.net.sizes}},
    )
    assert plan.template["model"]["sizes"] == [1, 2]
    assert plan.template["model"]["net"]["sizes"] == [1, 2]


def test_what_can_be_written_otherwise_is_said_how():
    assert problems_of(model_config=Settings())["model_config"].fix.startswith("write dataclasses")
    found = problems_of(
        model_config={"lr": 0.1, "settings": Settings(), "sizes": np.array([1, 2])},
        time_budget_s=True,
    )
    assert found["model_config.settings"].fix == "write dataclasses.asdict(…) of it"
    assert found["model_config.sizes"].fix == "write a list, by its .tolist()"
    assert found["time_budget_s"].got == "True"


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 300])
def test_a_run_folder_that_cannot_be_is_a_message(tmp_path, monkeypatch, name):
    (tmp_path / "file").write_text("mine")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HpoError, match="run_dir"):
        HPOptimizer().optimize("quadratic", run_dir=name)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_single_training_refuses_what_a_search_would():
    engine = TrainingEngine(lambda *_: None)
    with pytest.raises(PlanError) as refused:
        engine.fit({}, np.array([1, 2]), [1], metric=3)
    told = [problem.key for problem in refused.value.problems]
    assert told == ["data_config", "training_config", "metric"]


def test_results_that_are_none_of_ours_and_a_path_of_no_disk_are_messages():
    with pytest.raises(PlanError, match="what optimize or load_results returned"):
        HPOptimizer().analyze_results(3)
    with pytest.raises(HpoError, match="File name too long"):
        HPOptimizer().load_results("x" * 300)


def test_a_request_is_composed_inside_of_an_app_of_hydra_and_in_two_threads():
    with initialize_config_dir(str(conf_dir())):
        outer = GlobalHydra.instance().hydra
        with ThreadPoolExecutor(2) as threads:
            plans = list(threads.map(lambda trials: plan_of(num_trials=trials), [3, 4]))
        assert GlobalHydra.instance().hydra is outer
    assert [plan.num_trials for plan in plans] == [3, 4]


def test_of_a_refused_parameter_nothing_more_is_said():
    found = problems_of(
        model_config={"lr": 0.1}, param_space={"<b>": UNIFORM}, param_mapping={"<b>": "lr"}
    )
    assert list(found) == ["param_space.<b>"]
