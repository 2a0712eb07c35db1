"""Runs that end before their last trial, because they have what they were started for."""

import pytest

from hpo_app.study.replay import load_study


pytestmark = pytest.mark.ray

ONE = "resources.max_concurrent_trials=1"


@pytest.fixture
def resume(local_ray, silent_view):
    """Go on with a run in its folder."""
    from hpo_app.config.compose import compose_config
    from hpo_app.config.parse import parse_plan
    from hpo_app.tuning.runner import run_search

    def run(folder, *overrides):
        plan = parse_plan(*compose_config(["search_space=quadratic", ONE, *overrides]))
        return run_search(plan, folder, silent_view, {}, changes=[])

    return run


def test_a_target_ends_the_run_and_a_higher_one_lets_it_go_on(search, resume):
    same = ["num_trials=30", "training.iterations=3"]
    study = search(*same, "stop.target=5", ONE)
    reached = [trial for trial in study.trials if trial.value("loss") <= 5]
    assert len(reached) == 1
    number = reached[0].number
    assert study.stop_reason.startswith(f"trial {number} reached the target, loss ")
    assert study.stop_reason == load_study(study.folder).stop_reason
    again = resume(study.folder, *same, "stop.target=5")
    assert len(again.trials) == len(study.trials)
    assert again.stop_reason == study.stop_reason
    count = f"num_trials={number + 3}"
    further = resume(study.folder, "training.iterations=3", "stop.target=-1", count)
    assert further.stop_reason == f"all {number + 3} trials ended"


def test_a_plateau_ends_the_run(search):
    study = search("num_trials=60", "training.iterations=5", "stop.plateau=6", ONE)
    assert len(study.trials) < 60
    assert study.stop_reason.startswith("the last 6 trials brought no gain beyond the noise")


def test_a_space_of_six_is_tried_six_times(search):
    drop = [f"~search_space.{name}" for name in ("x", "rate")]
    fix = [
        "model.x=1.5",
        "model.rate=0.01",
        "search_space.depth.low=4",
        "search_space.depth.high=5",
    ]
    default = ["search_space.depth.default=4"]
    study = search(*drop, *fix, *default, "num_trials=20", "training.iterations=1", ONE)
    assert study.stop_reason == "all 6 configurations of the search space were tried"
    assert study.is_complete
    tried = [(trial.params["depth"], trial.params["kind"]) for trial in study.trials]
    assert len(tried) == len(set(tried)) == 6
    noisy = ["repeat_duplicates=true", "num_trials=20", "training.iterations=1"]
    assert len(search(*drop, *fix, *default, *noisy).trials) == 20


def test_a_search_without_a_gain_left_ends_where_that_is_asked_for(search):
    # One parameter, and noise above all that it can change.
    fixed = [f"~search_space.{name}" for name in ("rate", "depth", "kind")]
    fixed += ["model.rate=0.01", "model.depth=5", "model.kind=smooth", "model.noise=8.0"]
    study = search(
        *fixed, "num_trials=70", "training.iterations=6", "stop.when_done=true", "search_alg=optuna"
    )
    assert 20 <= len(study.trials) < 70
    assert study.stop_reason.startswith("further trials can be expected to gain ")
