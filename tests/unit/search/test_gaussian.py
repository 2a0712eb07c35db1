"""A Gaussian process that a training which diverged does not blind."""

import optuna
import pytest

from hpo_app.search.gaussian import GaussianProcess, fenced


def test_what_is_far_beyond_the_middle_stands_at_the_fence():
    # From the best to the middle, 6, it is 5, so that the fence stands 15 beyond that.
    assert fenced([1.0, 2.0, 3.0, 9.0, 9.5, 1e9]) == [1.0, 2.0, 3.0, 9.0, 9.5, 21.0]
    assert fenced([-5.0, -4.0, -3.0, 2.9, 3.1]) == [-5.0, -4.0, -3.0, 2.9, 3.0]


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0, 1e9], [1.0, 1.0, 1.0, 1.0, 5.0]])
def test_where_nothing_tells_how_far_is_far_values_stay(values):
    assert fenced(values) == values


@pytest.mark.parametrize(("direction", "sign"), [("minimize", 1.0), ("maximize", -1.0)])
def test_the_best_is_found_where_a_part_of_the_space_diverges(direction, sign):
    pytest.importorskip("torch")

    def bowl(trial):
        x, y = (trial.suggest_float(name, 0.0, 1.0) for name in "xy")
        loss = (x - 0.3) ** 2 + (y - 0.6) ** 2
        return sign * (loss if x < 0.7 else 10.0 ** (1 + 26 * (x - 0.7)))

    study = optuna.create_study(
        sampler=GaussianProcess(seed=0, n_startup_trials=5), direction=direction
    )
    study.optimize(bowl, n_trials=16)
    assert sign * study.best_value < 1e-3


def test_running_trials_are_seen_and_several_objectives_are_left_to_optuna():
    pytest.importorskip("torch")
    x = {"x": optuna.distributions.FloatDistribution(0.0, 1.0)}

    def proposed(sampler, directions, num_open):
        study = optuna.create_study(sampler=sampler, directions=directions)
        for place in (0.1, 0.5, 0.9, 0.2, 0.7):
            study.enqueue_trial({"x": place})
            # One is behind the fence, so that the sampler sees a study of its own.
            loss = 1e9 if place > 0.8 else (place - 0.4) ** 2
            values = [loss, place][: len(directions)]
            study.tell(study.ask(x), values)
        return [study.ask(x).params["x"] for _ in range(num_open)]

    one, two = proposed(GaussianProcess(seed=0, n_startup_trials=2), ["minimize"], 2)
    assert one != two
    both = ["minimize", "minimize"]
    ours = proposed(GaussianProcess(seed=0, n_startup_trials=2), both, 1)
    assert ours == proposed(optuna.samplers.GPSampler(seed=0, n_startup_trials=2), both, 1)
