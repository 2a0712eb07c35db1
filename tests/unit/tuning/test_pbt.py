"""Mutations stay inside the space and leave alone what cannot change."""

import pytest
from hypothesis import given, settings, strategies as st

from hpo_app.plan.read_space import read_space
from hpo_app.tuning.pbt import PopulationTraining


SPACE, _ = read_space(
    {
        "log": {"type": "loguniform", "low": 1e-5, "high": 1e-1},
        "share": {"type": "uniform", "low": 0.9, "high": 0.999},
        "count": {"type": "randint", "low": 1, "high": 3},
        "size": {"type": "ordinal", "values": [16, 32, 64]},
        "word": {"type": "choice", "values": ["a", "b"]},
        "frozen": {"type": "uniform", "low": 0, "high": 1, "mutable": False},
    }
)
START = {"log": 1e-3, "share": 0.99, "count": 2, "size": 32, "word": "a", "frozen": 0.3}


def scheduler(**arguments):
    return PopulationTraining(SPACE, time_attr="iteration", **arguments)


@given(seed=st.integers(0, 10_000), steps=st.integers(1, 30))
@settings(deadline=None)
def test_no_chain_of_mutations_leaves_the_space(seed, steps):
    training = scheduler(seed=seed)
    params = START
    for _ in range(steps):
        params = training.mutate(params)
        assert all(SPACE[name].contains(params[name]) for name in SPACE)
    assert params["frozen"] == 0.3


def test_without_drawing_anew_a_value_moves_to_a_neighbour_in_its_own_scale():
    training = scheduler(resample_probability=0.0, perturbation=0.1)
    moved = [training.mutate(START) for _ in range(50)]
    assert {round(params["log"] / 1e-3, 3) for params in moved} == {0.398, 2.512}
    assert {params["count"] for params in moved} == {1, 3}
    assert {params["size"] for params in moved} == {16, 64}
    assert {params["word"] for params in moved} == {"a"}


EVERY_KIND = {
    "uniform": ({"type": "uniform", "low": 0, "high": 1}, 0.5, {0.4, 0.6}),
    "loguniform": ({"type": "loguniform", "low": 1e-5, "high": 1e5}, 1.0, {0.1, 10.0}),
    "quniform": ({"type": "quniform", "low": 0, "high": 1, "q": 0.5}, 0.5, {0.0, 1.0}),
    "fine quniform": ({"type": "quniform", "low": 0, "high": 1, "q": 0.01}, 0.5, {0.4, 0.6}),
    "qloguniform": ({"type": "qloguniform", "low": 1, "high": 8, "q": 1}, 2.0, {1.0, 3.0}),
    "randint": ({"type": "randint", "low": 1, "high": 3}, 2, {1, 3}),
    "qrandint": ({"type": "qrandint", "low": 8, "high": 40, "q": 8}, 16, {8, 24}),
    "lograndint": ({"type": "lograndint", "low": 1, "high": 4}, 3, {2, 4}),
    "normal": ({"type": "normal", "mean": 0, "sd": 1}, 0.0, {-0.253, 0.253}),
    "ordinal": ({"type": "ordinal", "values": [16, 32, 64]}, 32, {16, 64}),
    "choice": ({"type": "choice", "values": ["a", "b"]}, "a", {"a"}),
}


@pytest.mark.parametrize(("entry", "value", "expected"), EVERY_KIND.values(), ids=EVERY_KIND)
def test_every_kind_moves_by_a_share_or_at_least_to_its_neighbour(entry, value, expected):
    space, problems = read_space({"p": entry})
    assert not problems
    training = PopulationTraining(
        space, time_attr="iteration", resample_probability=0.0, perturbation=0.1
    )
    moved = {training.mutate({"p": value})["p"] for _ in range(50)}
    rounded = {round(there, 3) if isinstance(there, float) else there for there in moved}
    assert rounded == expected


def test_a_value_at_an_end_can_stay_but_not_leave():
    training = scheduler(resample_probability=0.0)
    moved = [training.mutate({**START, "count": 3})["count"] for _ in range(50)]
    assert set(moved) == {2, 3}


def test_the_same_seed_mutates_alike():
    assert scheduler(seed=4).mutate(START) == scheduler(seed=4).mutate(START)


@pytest.mark.parametrize("arguments", [{"no_such": 1}, {"quantile_fraction": 0.9}])
def test_wrong_settings_are_refused(arguments):
    with pytest.raises((TypeError, ValueError)):
        scheduler(**arguments)


def test_what_becomes_active_is_drawn_and_what_becomes_inactive_is_left_out():
    entries = {
        "child": {"type": "uniform", "low": 0.0, "high": 1.0, "when": {"kind": "b"}},
        "kind": {"type": "choice", "values": ["a", "b"]},
    }
    space, problems = read_space(entries)
    assert problems == []
    scheduler = PopulationTraining(space, resample_probability=1.0, perturbation_interval=1)
    params = {"kind": "a"}
    seen = set()
    for _ in range(40):
        params = scheduler.mutate(params)
        assert ("child" in params) == (params["kind"] == "b")
        seen.add(tuple(params))
    assert seen == {("kind",), ("child", "kind")}


def test_a_move_keeps_the_rules_and_where_none_does_nothing_moves():
    entries = {
        "a": {"type": "randint", "low": 0, "high": 9},
        "b": {"type": "randint", "low": 0, "high": 9},
        "require": {"order": "a < b"},
    }
    space, problems = read_space(entries)
    assert problems == []
    training = PopulationTraining(space, time_attr="iteration", seed=3)
    params = {"a": 4, "b": 5}
    seen = set()
    for _ in range(60):
        params = training.mutate(params)
        assert params["a"] < params["b"]
        seen.add(tuple(params.values()))
    assert len(seen) > 10
    stuck, _ = read_space({**entries, "require": {"sum": "a + b == 0"}})
    assert PopulationTraining(stuck, time_attr="iteration", resample_probability=0.0).mutate(
        {"a": 0, "b": 0}
    ) == {"a": 0, "b": 0}
