"""A real run with several objectives finds their front, and leaves all of it."""

import math
import os

import pytest

from hpo_app.analysis.best import best_trial
from hpo_app.analysis.pareto import pareto_front
from hpo_app.config.best import read_best
from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study
from hpo_app.training.models.quadratic import FRONT, lowest_loss


pytestmark = pytest.mark.ray

ONE = "resources.max_concurrent_trials=1"
BOTH = "objectives=[{metric: loss, mode: min}, {metric: cost, mode: min}]"
LENGTH = 20
# Five values of depth and three kinds beside x: one in fifteen draws can be on the front.
SPACE = [
    "~search_space.rate",
    "model.rate=0.01",
    "search_space.depth.low=3",
    "search_space.depth.high=7",
]


def distance_from_front(trial):
    """Return how much the square roots of end and cost add up to beyond what is possible."""
    left = lowest_loss(LENGTH)
    end = max(trial.last["loss"] - left, 0.0) / (1 - left / 10)
    return math.sqrt(end) + math.sqrt(trial.last["cost"]) - FRONT


@pytest.mark.parametrize(
    "search_alg",
    [["optuna"], ["optuna_nsga2", "search_alg.population_size=10"]],
    ids=["tpe", "nsga2"],
)
def test_the_front_is_found_from_one_end_to_the_other(search, search_alg):
    name, *more = search_alg
    length = f"training.iterations={LENGTH}"
    study = search(*SPACE, BOTH, f"search_alg={name}", *more, "num_trials=60", length, ONE)
    assert study.is_complete
    front = pareto_front(study)
    assert len(front) >= 5
    assert all(distance_from_front(trial) > -1e-6 for trial in study.trials)
    near = [trial for trial in front if distance_from_front(trial) < 0.05]
    assert len(near) >= 4
    costs = [trial.last["cost"] for trial in near]
    assert min(costs) < 0.05
    assert max(costs) > 0.15
    assert best_trial(study).number in {trial.number for trial in front}
    assert load_study(study.folder) == study


def test_a_seed_repeats_a_run_with_several_objectives(search):
    def run():
        study = search(BOTH, "search_alg=optuna", "num_trials=14", "training.iterations=2", ONE)
        return [(trial.params, trial.last) for trial in study.trials]

    assert run() == run()


def test_the_front_keeps_its_checkpoints_and_a_failing_trial_does_no_harm(search):
    typed = ["num_trials=16", "training.iterations=3", ONE]
    study = search(BOTH, *typed, "constraints={cost: {max: 1}}")
    front = {str(trial.number) for trial in pareto_front(study)}
    kept = {path.parent.name for path in study.folder.glob("trials/*/checkpoint_*")}
    assert kept == front
    assert all(trial.last["cost"] <= 1 for trial in pareto_front(study))
    failing = ["model.trainer=faulty:fails_above", "trusted_modules=[faulty]"]
    failed = search(
        "objectives=[{metric: loss, mode: min}, {metric: absent, mode: min}]", *failing, *typed
    )
    assert len(failed.in_state(TrialState.FAILED)) == 3
    assert any("'absent', by which trials are judged" in trial.error for trial in failed.trials)


def test_a_run_folder_holds_the_front_and_goes_on(hpo, tmp_path):
    typed = ["search_space=quadratic", "num_trials=8", "training.iterations=2", BOTH]
    done = hpo(*typed, "hydra.run.dir=run")
    assert done.returncode == os.EX_OK, done.stderr
    text = " ".join(done.stdout.split())
    assert "on the Pareto front, loss " in text
    assert "is the most balanced one, with loss " in text
    folder = tmp_path / "run"

    def files():
        return {path.name for path in (folder / "front").iterdir()}

    def expected():
        return {f"{trial.number}.yaml" for trial in pareto_front(load_study(folder))}

    assert files() == expected()
    assert (folder / "report" / "pareto_front.png").stat().st_size > 0
    best = read_best(folder / "best.yaml")
    assert len(best.criteria.objectives) == 2
    assert f"{best.provenance['trial']}.yaml" in files()
    more = hpo("action=resume", "run=run", "num_trials=20")
    assert more.returncode == os.EX_OK, more.stderr
    assert files() == expected()
    trained = hpo("action=train", f"best=run/front/{min(files())}")
    assert trained.returncode == os.EX_OK, trained.stderr
    assert " and cost " in trained.stdout.splitlines()[-2]
