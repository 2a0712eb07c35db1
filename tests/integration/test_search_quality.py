"""The simulated workers of the search-quality benchmark do what real ones do, and leak nothing."""

import math

import pytest

from hpo_app.training.models.quadratic import KINDS, SPEED, START, _end as end_of


ENTRIES = {
    "x": {"type": "uniform", "low": -5.0, "high": 5.0, "default": 0.0},
    "rate": {"type": "loguniform", "low": 1.0e-5, "high": 1.0, "default": 1.0e-3},
    "depth": {"type": "randint", "low": 1, "high": 10, "default": 3},
    "kind": {"type": "choice", "values": list(KINDS), "default": "rough"},
}


def curve(params, _seed=0):
    end = end_of(params, params["kind"])
    speed = SPEED * math.sqrt(min(1.0, params["rate"] / 0.01))
    losses, loss = [], START
    for _ in range(9):
        loss = end + (loss - end) * math.exp(-speed)
        losses.append(loss)
    return losses


@pytest.fixture
def task(quality):
    return quality("tasks").Task("test/quadratic", ENTRIES, 9, curve, lambda p: curve(p)[-1])


class Watcher:
    """Trains three configurations at once, and notes when it hears of what."""

    def __init__(self, simulator, params):
        self.simulator, self.params, self.heard, self.asked = simulator, params, [], []

    def next_trial(self):
        number = len(self.asked)
        if number == len(self.params):
            return None
        self.asked.append(len(self.heard))
        return self.simulator.SimulatedTrial(number, self.params[number])

    def on_report(self, trial, iteration, loss):
        assert len(trial.reports) == iteration
        assert trial.reports[-1] == loss
        self.heard.append((trial.number, iteration))
        return self.simulator.CONTINUE

    def on_end(self, _trial, *, is_whole):
        assert is_whole

    def incumbent(self):
        return {"heard": len(self.heard)}


def test_nobody_hears_of_a_report_before_its_time(quality):
    simulator, tasks = quality("simulator"), quality("tasks")
    costs = {0: [3.0, 3.0], 1: [1.0, 1.0], 2: [5.0, 5.0], 3: [1.0, 0.5]}
    names = [{"x": number} for number in costs]
    entries = {"x": {"type": "choice", "values": list(costs)}}
    slow = tasks.Task(
        "test/slow", entries, 2, lambda p, _: [p["x"], p["x"]], lambda p: p["x"],
        costs=lambda p: costs[p["x"]],
    )  # fmt: skip
    vars(slow)["frozen"] = (0.0, 1.0, 1.0)
    watcher = Watcher(simulator, names)
    budgets = [0.9, 1.5, 3.2, 20.0]
    outcome = simulator.simulate(watcher, slow, workers=3, budgets=budgets, seed=0)
    # Trial 1 reports at 1 and 2; trial 3 takes its place and reports at 3 and 3.5; trial 0 at 3
    # and 6; trial 2 at 5 and 10.
    assert watcher.asked == [0, 0, 0, 2]
    assert watcher.heard == [(1, 1), (1, 2), (0, 1), (3, 1), (3, 2), (2, 1), (0, 2), (2, 2)]
    assert [found["heard"] for found in outcome.incumbents] == [0, 1, 4, 8]


@pytest.mark.parametrize("name", ["standard", "ray-tune", "optuna-hyperband", "random+asha"])
def test_a_seed_repeats_a_run_and_another_one_does_not(quality, task, name):
    simulator, methods = quality("simulator"), quality("methods")

    def run(seed):
        tuner = methods.METHODS[name](task, seed)
        found = simulator.simulate(tuner, task, workers=4, budgets=[2.0], seed=seed)
        return [(trial.params, trial.reports) for trial in found.trials], found.incumbents

    assert run(3) == run(3)
    assert run(3) != run(4)


@pytest.mark.ray
@pytest.mark.parametrize("search_alg", ["random", "optuna"])
def test_a_simulated_run_is_the_run_that_ray_makes(quality, task, search, search_alg):
    simulator, methods = quality("simulator"), quality("methods")
    overrides = [f"search_alg={search_alg}", "scheduler=asha"]
    one = ["num_trials=20", "training.iterations=9", "resources.max_concurrent_trials=1"]
    study = search(*overrides, *one, "seed=5", "search_alg.n_startup_trials=4"
                   if search_alg == "optuna" else "seed=5")  # fmt: skip
    if search_alg == "optuna":
        overrides.append("search_alg.n_startup_trials=4")
    tuner = methods.Ours(task, 5, overrides)
    found = simulator.simulate(tuner, task, workers=1, budgets=[20.0], seed=5)
    real = [(trial.params, [value for _, value in trial.curve("loss")]) for trial in study.trials]
    simulated = [(trial.params, trial.reports) for trial in found.trials[:20]]
    for (params, losses), (same, also) in zip(real, simulated, strict=True):
        assert params == same
        assert losses == pytest.approx(also)
    assert len({len(losses) for _, losses in real}) > 1


def test_who_promotes_lets_the_best_of_those_that_pause_go_on(quality, task):
    simulator, variants = quality("simulator"), quality("variants")
    run = variants.Promoting(task, 1, grace=1)
    trials = simulator.simulate(run, task, workers=2, budgets=[8.0], seed=1).trials
    for milestone in (1, 3):
        there = [trial for trial in trials if len(trial.reports) >= milestone]
        there.sort(key=lambda trial: trial.reports[milestone - 1])
        waiting = [trial for trial in there if len(trial.reports) == milestone]
        # What is among the best third waits for a worker only, and there are two.
        best = there[: len(there) // 3]
        assert best
        assert len([trial for trial in best if trial in waiting]) <= 2
        assert there[-1] in waiting
    assert {len(trial.reports) for trial in trials if trial.is_over} == {9}
