"""A parameter has a say only where its conditions are met, and a mistake in them is named."""

import pytest
from hypothesis import given, strategies as st

from hpo_app.plan.configurations import configurations
from hpo_app.plan.grid import grid_size
from hpo_app.plan.read_space import read_space


TREE = {
    # The one that depends on others may stand before them.
    "nesterov": {"type": "choice", "values": [False, True], "when": {"momentum": [1, 2]}},
    "momentum": {"type": "randint", "low": 0, "high": 3, "when": {"optimizer": "sgd"}},
    "beta": {"type": "uniform", "low": 0, "high": 1, "when": {"optimizer": ["adam", "rms"]}},
    "optimizer": {"type": "choice", "values": ["sgd", "adam", "rms"], "default": "adam"},
    "both": {
        "type": "uniform", "low": 0, "high": 1, "when": {"optimizer": "sgd", "nesterov": True},
    },
    "rate": {"type": "loguniform", "low": 0.1, "high": 1},
}  # fmt: skip


def space_of(entries):
    space, problems = read_space(entries)
    assert problems == []
    return space


@pytest.mark.parametrize(
    ("params", "active"),
    [
        ({"optimizer": "adam"}, {"beta"}),
        ({"optimizer": "rms", "momentum": 1, "nesterov": True}, {"beta"}),
        ({"optimizer": "sgd", "momentum": 0, "nesterov": True}, {"momentum"}),
        ({"optimizer": "sgd", "momentum": 2, "nesterov": False}, {"momentum", "nesterov"}),
        ({"optimizer": "sgd", "momentum": 2, "nesterov": True}, {"momentum", "nesterov", "both"}),
    ],
    ids=["adam", "rms", "plain", "with momentum", "all the way"],
)
def test_what_is_active_depends_on_the_others_all_the_way_up(params, active):
    space = space_of(TREE)
    left = space.active(space.complete(params))
    assert set(left) == {"optimizer", "rate", *active}
    assert list(left) == [name for name in TREE if name in left]


def test_the_default_configuration_has_the_active_parameters_only():
    assert set(space_of(TREE).defaults) == {"beta", "optimizer", "rate"}


def test_what_decides_comes_before_what_it_decides_on():
    order = space_of(TREE).order
    assert order.index("optimizer") < order.index("momentum") < order.index("nesterov")
    assert order.index("nesterov") < order.index("both")


@given(st.fixed_dictionaries({name: st.floats(0.0, 1.0) for name in TREE}))
def test_what_is_left_of_a_draw_needs_nothing_that_is_not(positions):
    space = space_of(TREE)
    drawn = {name: space[name].at(place) for name, place in positions.items()}
    left = space.active(drawn)
    assert space.active(left) == left
    for name in left:
        for other, wanted in TREE[name].get("when", {}).items():
            assert left[other] in (wanted if isinstance(wanted, list) else [wanted])


def test_a_grid_has_each_configuration_once():
    space = space_of({name: TREE[name] for name in ("nesterov", "momentum", "optimizer")})
    values = {"optimizer": ["sgd", "adam"], "momentum": [0, 1], "nesterov": [False, True]}
    assert list(configurations(space, values)) == [
        {"momentum": 0, "optimizer": "sgd"},
        {"nesterov": False, "momentum": 1, "optimizer": "sgd"},
        {"nesterov": True, "momentum": 1, "optimizer": "sgd"},
        {"optimizer": "adam"},
    ]
    # sgd: momentum 0 and 3, and 1 and 2 twice each; then adam and rms.
    assert grid_size(space, 4) == 8


BAD = {
    "no such parameter": ({"optimiser": "sgd"}, "x.when.optimiser", "write optimizer"),
    "no such value": ({"optimizer": "adm"}, "x.when.optimizer", "write 'adam'"),
    "a flag for a word": ({"optimizer": [True]}, "x.when.optimizer",
                          "correct it, or remove the condition"),
    "no mapping": ("optimizer=sgd", "x.when", "write {nesterov: VALUE}"),
    "nothing in it": ({}, "x.when", "write {nesterov: VALUE}"),
    "no value": ({"optimizer": []}, "x.when.optimizer", "add one, or remove the condition"),
    "a number on a scale": ({"rate": 0.5}, "x.when.rate", "depend on another parameter"),
    "a whole number outside": ({"momentum": 4}, "x.when.momentum",
                               "correct it, or remove the condition"),
    "itself": ({"x": 1}, "x.when", "leave one of them out"),
    "never": ({"optimizer": "adam", "momentum": 1}, "x.when", "loosen one of them"),
    "a value that is a list": ({"widths": [8, 8]}, "x.when.widths",
                               "write [[8, 8]]: a list means any of these"),
}  # fmt: skip
WIDTHS = {"type": "choice", "values": [[8, 8], [16]]}


@pytest.mark.parametrize(("when", "key", "fix"), BAD.values(), ids=BAD)
def test_a_condition_that_cannot_be_is_named(when, key, fix):
    entry = {"type": "randint", "low": 0, "high": 1, "when": when}
    space, problems = read_space({**TREE, "widths": WIDTHS, "x": entry})
    assert [(problem.key, problem.fix) for problem in problems] == [(f"search_space.{key}", fix)]
    assert "rate" in space.parameters


def test_conditions_that_turn_in_a_circle_are_named_with_the_way():
    entry = {"type": "randint", "low": 0, "high": 1}
    _, problems = read_space({"a": {**entry, "when": {"b": 1}}, "b": {**entry, "when": {"a": 1}}})
    assert [problem.got for problem in problems] == ["a → b → a", "b → a → b"]


def test_a_condition_is_taken_out_with_null():
    beta = {**TREE["beta"], "when": None, "otherwise": 0.5}
    assert "beta" in space_of({**TREE, "beta": beta}).active({"beta": 0.1, "optimizer": "sgd"})


@pytest.mark.parametrize(
    ("fields", "fix"),
    [
        ({"otherwise": 1}, "remove it, or add when: {NAME: VALUE}"),
        ({"otherwise": float("nan"), "when": {"optimizer": "sgd"}}, "write it as text"),
    ],
    ids=["without a condition", "no JSON"],
)
def test_a_value_for_inactive_trials_that_cannot_be_is_named(fields, fix):
    _, problems = read_space({**TREE, "rate": {**TREE["rate"], **fields}})
    assert [(problem.key, problem.fix) for problem in problems] == [
        ("search_space.rate.otherwise", fix)
    ]
