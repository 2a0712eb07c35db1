from __future__ import annotations

import pytest

from hpo_app.plots.parameter_distributions import parameter_distributions


def by_name(study, **kwargs):
    return {spread.axis.name: spread for spread in parameter_distributions(study, **kwargs)}


def test_shares_of_all_and_of_the_best_by_word_by_step_and_by_decade(make_study, make_trial):
    space = {
        "kind": {"type": "choice", "values": ["a", "b"]},
        "depth": {"type": "randint", "low": 1, "high": 4},
        "lr": {"type": "loguniform", "low": 1e-5, "high": 1e5},
    }
    params = [
        {"kind": "a", "depth": 1, "lr": 1e-5},
        {"kind": "a", "depth": 2, "lr": 5e-5},
        {"kind": "b", "depth": 4, "lr": 1e5},
        {"kind": "a", "depth": 4},
    ]
    trials = [make_trial(n, [float(-n)], params=values) for n, values in enumerate(params)]
    found = by_name(make_study(*trials, space=space), top=2)

    assert found["kind"].tried == (0.75, 0.25)
    assert found["kind"].top == (0.5, 0.5)
    assert found["depth"].edges == (0.5, 1.5, 2.5, 3.5, 4.5)
    assert found["depth"].tried == (0.25, 0.25, 0.0, 0.5)
    assert found["lr"].edges == pytest.approx([10.0**power for power in range(-5, 6)])
    assert found["lr"].tried == pytest.approx([2 / 3, *[0.0] * 8, 1 / 3])
    assert found["lr"].top == (*[0.0] * 9, 1.0)


def test_the_best_are_a_quarter_and_five_at_least(make_study, make_trial):
    space = {"p": {"type": "uniform", "low": 0.0, "high": 100.0}}

    def share_of_the_first_bin(count):
        trials = [make_trial(n, [float(n)], params={"p": float(n)}) for n in range(count)]
        return by_name(make_study(*trials, space=space))["p"].top[0]

    assert share_of_the_first_bin(8) == 1.0
    assert share_of_the_first_bin(80) == 0.5


def test_every_study_has_shares_that_add_up(hostile_study):
    for spread in parameter_distributions(hostile_study):
        assert sum(spread.tried) == pytest.approx(1.0) or not any(spread.tried)
        assert len(spread.edges) == len(spread.tried) + 1
