"""The search from Python: the same as from the command line, with functions of one's own."""

import logging
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hpo_app import HpoError, HPOptimizer, TrainingEngine
from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.study.replay import load_study
from hpo_app.tuning.preflight import refuse_at_start


pytestmark = pytest.mark.ray

SCRIPT = '''
"""A script of a person's own: the training function stands in __main__."""
from hpo_app import HPOptimizer, TrainingEngine

def train(model, data, training, trial):
    for epoch in range(training["epochs"]):
        trial.report({"loss": (model["net"]["lr"] - data["best"]) ** 2 + 1 / (epoch + 1)})

optimizer = HPOptimizer(training_engine=TrainingEngine(train), ray_config={"num_cpus": 2})
results = optimizer.optimize(
    model_config={"net": {"lr": 0.9}},
    data_config={"best": 0.3},
    training_config={"epochs": 3},
    param_space={"lr": {"type": "uniform", "low": 0.0, "high": 1.0}},
    num_trials=6,
    metric="loss",
    mode="min",
)
print("BEST", results.best_params["lr"], results.run_folder)
'''


def quadratic(optimizer, folder, **changes):
    arguments = {"num_trials": 5, "search_alg": "optuna", "scheduler": "asha", "seed": 3, **changes}
    return optimizer.optimize(
        "quadratic", run_dir=folder, progress=False, max_concurrent_trials=1, **arguments
    )


@pytest.fixture(scope="module")
def finished(local_ray, tmp_path_factory):
    """A run of five trials, and the optimizer that it was started with."""
    optimizer = HPOptimizer()
    return optimizer, quadratic(optimizer, tmp_path_factory.mktemp("finished") / "run")


def dump(study):
    return [(trial.params, trial.seed, trial.state, trial.curve("loss")) for trial in study.trials]


def test_both_doors_lead_to_one_search(finished, search):
    _, from_python = finished
    typed = search(
        "num_trials=5",
        "search_alg=optuna",
        "scheduler=asha",
        "seed=3",
        "resources.max_concurrent_trials=1",
    )
    assert dump(from_python.study) == dump(typed)
    assert dump(load_study(from_python.run_folder)) == dump(typed)


def test_a_run_is_gone_on_with_from_either_door(local_ray, tmp_path, hpo):
    optimizer = HPOptimizer()
    quadratic(optimizer, tmp_path / "run", num_trials=2)
    longer = optimizer.resume(tmp_path / "run", num_trials=3, progress=False)
    assert len(longer) == 3
    done = hpo("action=resume", "run=run", "num_trials=4")
    assert done.returncode == 0, done.stderr
    assert len(HPOptimizer().load_results(tmp_path / "run")) == 4
    other = HPOptimizer(lambda *_: None)
    with pytest.raises(HpoError, match="could not be compared"):
        other.resume(tmp_path / "run", num_trials=5)
    with pytest.raises(HpoError, match="param_space"):
        optimizer.resume(tmp_path / "run", search_space={})


def test_a_function_of_a_script_is_searched_over_and_says_how_to_go_on(tmp_path, hpo):
    (tmp_path / "mine.py").write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, "mine.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    _, best, folder = done.stdout.splitlines()[-1].split()
    assert abs(float(best) - 0.3) < 0.3
    assert "TrainingEngine(train).fit(**HPOptimizer().load_results(" in done.stdout
    resumed = hpo("action=resume", f"run={folder}", "num_trials=8")
    assert resumed.returncode == 2
    assert "__main__:train" in resumed.stderr
    assert "HPOptimizer(TrainingEngine(train)).resume(" in resumed.stderr


def test_a_script_that_is_told_to_end_while_ray_starts_does_so_without_a_traceback(tmp_path):
    (tmp_path / "mine.py").write_text(SCRIPT)
    with subprocess.Popen(
        [sys.executable, "-u", "mine.py"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as script:
        for line in script.stdout:
            if line.startswith("starting Ray"):
                script.send_signal(signal.SIGTERM)
                break
        shown, errors = script.communicate()
    assert script.returncode == 143, (shown, errors)
    assert "Traceback" not in errors
    assert "stopping in order" in shown + errors
    assert not list(tmp_path.glob("outputs/*/*"))


def test_closures_and_lambdas_are_training_functions_and_debug_tells_of_them(
    local_ray, tmp_path, caplog
):
    caplog.set_level(logging.DEBUG, logger="HPOptimizer")
    offset = 0.25
    engine = TrainingEngine(
        lambda model, _data, _training, trial: trial.report({"loss": abs(model["x"] - offset)})
    )
    before, numbers = dict(os.environ), random.getstate()
    results = HPOptimizer(engine).optimize(
        {"x": 0.9},
        param_space={"x": {"type": "uniform", "low": 0.0, "high": 1.0}},
        training_config={"iterations": 1},
        num_trials=4,
        metric="loss",
        mode="min",
        run_dir=tmp_path / "run",
        progress=False,
    )
    assert results.trials[0].params == {"x": 0.9}
    assert results.trials[0].value("loss") == pytest.approx(0.65)
    assert results.best_value < 0.65
    # The process is somebody else's.
    assert (dict(os.environ), random.getstate()) == (before, numbers)
    assert optimizer_of_a_lock_is_refused(tmp_path)
    assert "trial 1 reported at iteration 1: loss" in caplog.text


def optimizer_of_a_lock_is_refused(folder):
    lock = threading.Lock()
    held = HPOptimizer(lambda _m, _d, _t, trial: trial.report({"loss": bool(lock)}))
    with pytest.raises(HpoError, match="inside the function"):
        held.optimize(
            {"x": 0.9},
            param_space={"x": {"type": "uniform", "low": 0.0, "high": 1.0}},
            training_config={"iterations": 1},
            metric="loss",
            mode="min",
            run_dir=folder / "lock",
        )
    return not (folder / "lock").exists()


def test_the_winner_trains_again_to_the_same_end(finished):
    optimizer, results = finished
    best = optimizer.get_best_model_config()
    assert {key: best[key] for key in results.best_params} == results.best_params
    own = {"x": 0, "rate": 0, "depth": 0, "kind": "", "noise": 7.0}
    mine = optimizer.get_best_model_config(own)
    assert {**results.best_params, "noise": 7.0} == mine
    assert own["x"] == 0
    reports = TrainingEngine().fit(**results.config(), metric="loss", seed=1)
    assert reports[-1]["loss"] == pytest.approx(results.best_value)


def test_the_analysis_tells_of_the_best(finished):
    optimizer, results = finished
    analysis = optimizer.analyze_results(results)
    best = analysis["best_trial"]
    assert (best["number"], best["score"]) == (results.best_trial.number, results.best_value)
    assert best["params"] == results.best_params
    assert analysis["top_k_trials"][0] == best
    assert sum(analysis["counts"].values()) == analysis["num_trials"] == 5
    assert set(analysis["parameter_importance"]) <= set(best["params"])
    assert analysis["importance_notes"]
    assert analysis["gain_note"]
    assert len(results.to_dataframe()) == 5
    assert f"Trial {best['number']} is best" in results._repr_html_()


def test_a_refused_search_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HpoError, match="num_trials"):
        HPOptimizer().optimize("quadratic", num_trials=-1)
    assert not list(Path().iterdir())


def test_a_folder_with_a_run_is_not_written_over(finished):
    _, results = finished
    journal = results.run_folder / "journal.jsonl"
    before = journal.read_bytes()
    with pytest.raises(HpoError, match="a folder that holds no run yet"):
        quadratic(HPOptimizer(), results.run_folder)
    assert journal.read_bytes() == before


def test_a_ray_that_runs_decides_what_fits(local_ray, tmp_path):
    plan = parse_plan(*compose_config(["search_space=quadratic", "resources.cpu=9999"]))
    refuse_at_start(plan, tmp_path)  # Nobody has asked that Ray yet.
    with pytest.raises(HpoError, match="at most 2, the CPUs"):
        HPOptimizer().optimize(
            "quadratic", resources_per_trial={"cpu": 9999}, run_dir=tmp_path / "run"
        )


def test_without_ray_importing_works_and_constructing_says_what_to_install():
    code = """
import sys
sys.modules["ray"] = None  # As if it were not installed.
from hpo_app import ConfigLoader, HPOptimizer, TrainingEngine
try:
    HPOptimizer()
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("Ray Tune is required for HPOptimizer")
    assert "-m pip install" in done.stdout
