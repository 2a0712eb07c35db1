"""Search spaces as people bring them along."""

import numpy as np
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from ray import tune

from hpo_app.api.search_space import define_space
from hpo_app.errors import PlanError


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (FloatDistribution(1e-5, 1.0, log=True), {"type": "loguniform", "low": 1e-5, "high": 1.0}),
        (IntDistribution(1, 9, step=2), {"type": "qrandint", "low": 1, "high": 9, "q": 2}),
        (IntDistribution(1, 9, log=True), {"type": "lograndint", "low": 1, "high": 9}),
        (CategoricalDistribution(["a", None]), {"type": "choice", "values": ["a", None]}),
        (tune.uniform(0.0, 1.0), {"type": "uniform", "low": 0.0, "high": 1.0}),
        (tune.loguniform(1e-4, 1.0), {"type": "loguniform", "low": 1e-4, "high": 1.0}),
        (tune.quniform(0.0, 1.0, 0.25), {"type": "quniform", "low": 0.0, "high": 1.0, "q": 0.25}),
        (tune.randint(1, 5), {"type": "randint", "low": 1, "high": 4}),
        (tune.lograndint(1, 9), {"type": "lograndint", "low": 1, "high": 8}),
        (tune.qrandint(1, 22, 5), {"type": "qrandint", "low": 5, "high": 20, "q": 5}),
        (tune.choice([1, 2]), {"type": "choice", "values": [1, 2]}),
        (tune.randn(1.0, 2.0), {"type": "normal", "mean": 1.0, "sd": 2.0}),
        (tune.grid_search([1, 2]), {"type": "choice", "values": [1, 2]}),
        (
            {"type": "float", "low": "1e-5", "high": 1, "log": True},
            {"type": "loguniform", "low": 1e-5, "high": 1},
        ),
        ({"type": int, "min": 1, "max": 3}, {"type": "randint", "low": 1, "high": 3}),
        (
            {"type": "int", "low": 0, "high": 8, "step": 2},
            {"type": "qrandint", "low": 0, "high": 8, "q": 2},
        ),
        ({"type": "categorical", "choices": ("a", "b")}, {"type": "choice", "values": ["a", "b"]}),
        ({"type": "choice", "values": np.arange(3)}, {"type": "choice", "values": [0, 1, 2]}),
        ({"type": "ordinal", "values": range(3)}, {"type": "ordinal", "values": [0, 1, 2]}),
        ({"type": "bool"}, {"type": "choice", "values": [False, True]}),
    ],
)
def test_what_means_one_thing_is_taken(theirs, ours):
    assert define_space({"x": theirs})["x"] == define_space({"x": ours})["x"]


@pytest.mark.parametrize(
    ("entry", "fix"),
    [
        ([1, 2], "{'type': 'choice', 'values': [1, 2]} to try these values, or {'type': 'uniform'"),
        (range(4), "{'type': 'choice', 'values': [0, 1, 2, 3]} to try these values"),
        (0.5, "what does not vary belongs into the config"),
        (tune.sample_from(lambda _: 1), "or another type with its fields"),
        (tune.qrandn(0.0, 1.0, 0.1), "or another type with its fields"),
        ({"type": "choice", "values": {1, 2}}, "write a list: a set has no order"),
        ({"type": "unifrom", "low": 0.0, "high": 1.0}, "set param_space['x']['type'] = 'uniform'"),
    ],
)
def test_what_can_mean_several_things_is_told_what_to_write(entry, fix):
    with pytest.raises(PlanError) as refused:
        define_space({"x": entry})
    (problem,) = refused.value.problems
    assert problem.key.startswith("param_space.x")
    assert fix in problem.fix


def test_a_stepped_float_keeps_its_values():
    space = define_space({"x": FloatDistribution(0.5, 2.0, step=0.5)})
    assert (
        space["x"]
        == define_space({"x": {"type": "quniform", "low": 0.5, "high": 2, "q": 0.5}})["x"]
    )
