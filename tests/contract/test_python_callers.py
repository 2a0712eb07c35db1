"""Where a search is called from: threads, an app of Hydra, a quiet script."""

import logging
import subprocess
import sys

import pytest

from hpo_app import HPOptimizer
from hpo_app.study.replay import load_study


pytestmark = pytest.mark.ray

THREADS = """
from threading import Thread
from hpo_app import HPOptimizer

def train(model, data, training, trial):
    trial.report({"loss": (model["x"] - data["best"]) ** 2})

shared, came = HPOptimizer(train), {}

def search(best):
    came[best] = shared.optimize(
        {"x": 0.9}, {"best": best}, {"iterations": 1},
        {"x": {"type": "uniform", "low": 0.0, "high": 1.0}},
        num_trials=3, metric="loss", mode="min", seed=1, run_dir=f"run-{best}",
    )

threads = [Thread(target=search, args=(best,)) for best in (0.25, 0.75)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for best, results in came.items():
    print("CAME", best, results.run_folder.name, len(results), results.trials[0].value("loss"))
"""

APP = """
import hydra
from hydra.core.hydra_config import HydraConfig
from hpo_app import HPOptimizer

def train(model, data, training, trial):
    for _ in range(training["epochs"]):
        trial.report({"loss": (model["lr"] - data["best"]) ** 2 + abs(model["lr"] - model["warm"])})

@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(cfg):
    optimizer = HPOptimizer(train)
    results = optimizer.optimize(
        cfg.network, cfg.data, cfg.training, cfg.space, num_trials=cfg.trials,
        metric="loss", mode="min", run_dir="search",
    )
    best = results.config()["model"]
    same = best == optimizer.get_best_model_config(cfg.network) and best["warm"] == best["lr"]
    print("CAME", HydraConfig.get().job.num, len(results), same, best["epochs"])

main()
"""

CONF = """
epochs: 2
top: 1.0
network: {lr: 0.9, warm: "${network.lr}", epochs: "${epochs}"}
data: {best: 0.3}
training: {epochs: "${epochs}"}
space: {lr: {type: uniform, low: 0.0, high: "${top}"}}
trials: 2
"""


def script(folder, text, *arguments):
    (folder / "mine.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "mine.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    came = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("CAME")]
    return done.stdout, came


def test_searches_of_two_threads_run_one_after_the_other_and_the_second_says_so(tmp_path):
    shown, came = script(tmp_path, THREADS)
    assert sorted(came) == [
        ["0.25", "run-0.25", "3", "0.42250000000000004"],
        ["0.75", "run-0.75", "3", "0.022500000000000006"],
    ]
    assert shown.count("waiting for another search of this process") == 1
    waited = shown.index("waiting for another")
    assert waited < shown.index("[3/3]") < shown.rindex("run folder") < shown.rindex("[1/3]")
    assert all(load_study(tmp_path / f"run-{best}").is_complete for best in (0.25, 0.75))


def test_an_app_of_hydra_searches_over_parts_of_its_config_also_as_a_multirun(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "config.yaml").write_text(CONF)
    _, came = script(tmp_path, APP, "-m", "trials=2,3", "hydra.job.chdir=true")
    assert came == [["0", "2", "True", "2"], ["1", "3", "True", "2"]]
    for number, trials in (("0", 2), ("1", 3)):
        (folder,) = tmp_path.glob(f"multirun/*/*/{number}/search")
        assert len(load_study(folder).trials) == trials
        # Hydra's own record of the job stands beside that of the search.
        assert (folder.parent / ".hydra" / "overrides.yaml").read_text() == f"- trials={trials}\n"


def test_a_quiet_search_whose_trials_failed_says_so_in_the_log(local_ray, tmp_path, caplog, capfd):
    def train(model, data, training, trial):
        trial.report({"accuracy": model["x"]})

    with caplog.at_level(logging.WARNING, logger="HPOptimizer"):
        results = HPOptimizer(train).optimize(
            {"x": 0.9},
            param_space={"x": {"type": "uniform", "low": 0.0, "high": 1.0}},
            training_config={"iterations": 1},
            num_trials=2,
            metric="loss",
            mode="min",
            run_dir=tmp_path / "run",
            progress=False,
        )
    assert results.best_trial is None
    (record,) = [each for each in caplog.records if each.name == "HPOptimizer"]
    assert "2 trials failed; trials 0 and 1: " in record.getMessage()
    assert "metric 'loss' is not in the report, which has accuracy" in record.getMessage()
    assert str(tmp_path / "run") in record.getMessage()
    assert capfd.readouterr().out == ""
