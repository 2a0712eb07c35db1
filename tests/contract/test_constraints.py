"""What trials have to keep is heeded by every part of a real run, and said at its end."""

import os

import pytest

from hpo_app.analysis.best import best_trial
from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study


pytestmark = pytest.mark.ray

ONE = "resources.max_concurrent_trials=1"
# Of the points that keep it, the best one is at x=-1, where the loss ends at 0.25.
CHEAP = "constraints={cost: {max: 0.01}}"
FIXED = [f"~search_space.{name}" for name in ("rate", "depth", "kind")] + [
    "model.rate=0.01",
    "model.depth=5",
    "model.kind=smooth",
]


def test_the_best_point_that_keeps_a_constraint_is_found(search):
    study = search(
        *FIXED, CHEAP, "search_alg=optuna", "num_trials=40", "training.iterations=9", ONE
    )
    best = best_trial(study)
    assert best.last["cost"] <= 0.01
    assert -1.35 < best.params["x"] <= -1.0
    assert load_study(study.folder) == study
    # Without the constraint, the search goes elsewhere.
    beyond = search(*FIXED, "search_alg=optuna", "num_trials=20", "training.iterations=9", ONE)
    assert best_trial(beyond).last["cost"] > 0.01


@pytest.mark.parametrize("scheduler", ["asha", "median_stopping"])
def test_a_scheduler_goes_on_with_what_keeps_the_constraint(search, scheduler):
    # By their loss alone, those beyond would be trained on: theirs is the lower one.
    study = search(
        *FIXED,
        "constraints={cost: {max: 0.16}}",
        f"scheduler={scheduler}",
        "num_trials=24",
        "training.iterations=9",
        "search_space.x.default=1.5",
        "seed=3",
        ONE,
    )
    kept = [trial for trial in study.trials if not trial.unmet(study.criteria)]
    beyond = [trial for trial in study.trials if trial.unmet(study.criteria)]
    assert kept
    assert beyond
    assert not best_trial(study).unmet(study.criteria)
    assert best_trial(study).state is TrialState.FINISHED

    def mean_length(trials):
        return sum(trial.iterations for trial in trials) / len(trials)

    assert mean_length(kept) > mean_length(beyond)


def test_members_of_a_population_copy_those_that_keep_the_constraint(search):
    study = search(
        *FIXED,
        "constraints={cost: {max: 0.16}}",
        "scheduler=pbt",
        "num_trials=6",
        "training.iterations=6",
        "search_space.x.default=1.5",
        "seed=3",
    )
    assert study.is_complete
    sources = {clone.source for trial in study.trials for clone in trial.clones}
    # The default has the lowest loss of all, and a cost of 0.36.
    assert sources
    assert 0 not in sources


def test_a_trial_without_the_metric_of_a_constraint_fails_with_the_name(search):
    study = search("constraints={latency: {max: 1}}", "num_trials=3", "training.iterations=1")
    assert len(study.in_state(TrialState.FAILED)) == 3
    assert "latency', by which trials are judged too, is not in the report" in study.trials[0].error


def test_a_run_in_which_nothing_keeps_a_constraint_says_so_and_what_is_nearest(hpo, tmp_path):
    typed = ["search_space=quadratic", "num_trials=4", "training.iterations=2"]
    done = hpo(*typed, "constraints={cost: {max: -1}}", "hydra.run.dir=run")
    assert done.returncode == os.EX_OK, done.stderr
    text = " ".join(done.stdout.split())
    assert "No trial keeps the constraint: the nearest, trial" in text
    assert "which does not keep cost at most -1" in text
    best = (tmp_path / "run" / "best.yaml").read_text(encoding="utf-8")
    assert "# It does not keep cost at most -1 (" in best
    trained = hpo("action=train", "best=run/best.yaml")
    assert "it does not keep cost at most -1 (" in trained.stdout, trained.stderr
    planned = hpo(*typed, "action=plan", "constraints={cost: {max: -1}}")
    assert "cost at most -1" in planned.stdout
