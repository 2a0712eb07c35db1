"""Entries become parameters, and every mistake in them is named."""

import pytest

from hpo_app.plan.read_space import KINDS, read_space
from hpo_app.plan.search_space import Choice, Integer, Normal, Real


GOOD = {
    "uniform": ({"low": 0, "high": 1}, Real(0.0, 1.0)),
    "loguniform": ({"low": 0.1, "high": 1}, Real(0.1, 1.0, is_log=True)),
    "quniform": ({"low": 0, "high": 1, "q": 0.5}, Real(0.0, 1.0, step=0.5)),
    "qloguniform": ({"low": 1, "high": 9, "q": 2}, Real(1.0, 9.0, is_log=True, step=2.0)),
    "randint": ({"low": 1, "high": 5}, Integer(1, 5)),
    "lograndint": ({"low": 1, "high": 64}, Integer(1, 64, is_log=True)),
    "qrandint": ({"low": 0, "high": 10, "q": 5}, Integer(0, 10, step=5)),
    "choice": ({"values": [1, "a"]}, Choice((1, "a"))),
    "ordinal": ({"values": [1, 2]}, Choice((1, 2), is_ordered=True)),
    "normal": ({"mean": 0, "sd": 1}, Normal(0.0, 1.0)),
}


def test_the_table_of_good_entries_names_every_kind():
    assert set(GOOD) == set(KINDS)


@pytest.mark.parametrize(
    ("word", "fields", "parameter"), [(w, *g) for w, g in GOOD.items()], ids=GOOD
)
def test_a_good_entry_becomes_a_parameter(word, fields, parameter):
    space, problems = read_space({"x": {"type": word, **fields}})
    assert problems == []
    assert space["x"] == parameter


BAD = {
    "unknown type": (
        {"type": "unifrom", "low": 0, "high": 1},
        "type",
        "set search_space.x.type=uniform",
    ),
    "no type": ({"low": 0, "high": 1}, "type", "choose one of them"),
    "no bounds": ({"type": "uniform", "low": 0}, "high", "add it"),
    "misspelt field": (
        {"type": "uniform", "low": 0, "high": 1, "hihg": 2},
        "hihg",
        "write high instead",
    ),
    "swapped": (
        {"type": "uniform", "low": 2, "high": 1},
        "low",
        "lower it, or raise search_space.x.high above 2",
    ),
    "zero in log": (
        {"type": "loguniform", "low": 0, "high": 1},
        "low",
        "raise it above 0, or set search_space.x.type=uniform",
    ),
    "zero in integer log": (
        {"type": "lograndint", "low": 0, "high": 4},
        "low",
        "raise it above 0, or set search_space.x.type=randint",
    ),
    "text as number": (
        {"type": "uniform", "low": "a", "high": 1},
        "low",
        "write it as search_space.x.low=0.1",
    ),
    "infinite": (
        {"type": "uniform", "low": 0, "high": float("inf")},
        "high",
        "write it as search_space.x.high=0.1",
    ),
    "fraction as integer": (
        {"type": "randint", "low": 0.5, "high": 3},
        "low",
        "write it as search_space.x.low=1",
    ),
    "step of zero": (
        {"type": "quniform", "low": 0, "high": 1, "q": 0},
        "q",
        "make it the distance of values",
    ),
    "step too long": ({"type": "quniform", "low": 0, "high": 1, "q": 2}, "q", "make it smaller"),
    "no values": ({"type": "choice", "values": []}, "values", "add one"),
    "values not a list": (
        {"type": "choice", "values": 3},
        "values",
        "write search_space.x.values=[a,b]",
    ),
    "value twice": ({"type": "choice", "values": [1, 2, 1]}, "values", "drop it"),
    "infinite value": (
        {"type": "choice", "values": [1.0, float("inf")]},
        "values",
        "write it as text, or drop it",
    ),
    "value without a number": (
        {"type": "choice", "values": [[float("nan")]]},
        "values",
        "write it as text, or drop it",
    ),
    "value whose keys are no text": (
        {"type": "ordinal", "values": [{1: "a"}]},
        "values",
        "write it as text, or drop it",
    ),
    "default outside": (
        {"type": "uniform", "low": 0, "high": 1, "default": 2},
        "default",
        "move the default, or widen the bounds",
    ),
    "default with a fraction that is none": (
        {"type": "randint", "low": 1, "high": 9, "default": 3.0},
        "default",
        "write it as a whole number: 3",
    ),
    "default no choice": (
        {"type": "choice", "values": ["abc"], "default": "x"},
        "default",
        "name one of them, or add it to values",
    ),
    "default nearly a choice": (
        {"type": "choice", "values": ["rough", "flat"], "default": "Rough"},
        "default",
        "write 'rough'",
    ),
    "mutable not a flag": (
        {"type": "uniform", "low": 0, "high": 1, "mutable": "no"},
        "mutable",
        "write search_space.x.mutable=false",
    ),
    "bounds without a ratio": (
        {"type": "loguniform", "low": 1e-300, "high": 1e300},
        "low",
        "raise it, or lower high",
    ),
    "beyond what floats count": (
        {"type": "randint", "low": 0, "high": 10**20},
        "high",
        "bring it nearer to 0, or search over its logarithm",
    ),
    "step that is lost in the bounds": (
        {"type": "quniform", "low": 0, "high": 1e300, "q": 0.1},
        "q",
        "make it larger",
    ),
    "bounds far from the mean": (
        {"type": "normal", "mean": 0, "sd": 1, "low": 9},
        "low",
        "move search_space.x.mean, or draw evenly: set search_space.x.type=uniform",
    ),
    "bounds on one point of a normal": (
        {"type": "normal", "mean": 0, "sd": 1, "low": 0, "high": 0},
        "low",
        "move search_space.x.mean, or draw evenly: set search_space.x.type=uniform",
    ),
    "spread that is lost in the mean": (
        {"type": "normal", "mean": 1e300, "sd": 1},
        "sd",
        "change one of them",
    ),
    "no spread": ({"type": "normal", "mean": 0, "sd": 0}, "sd", "give the standard deviation"),
}


@pytest.mark.parametrize(("fields", "field", "fix"), BAD.values(), ids=BAD)
def test_a_bad_entry_is_named_with_what_to_type(fields, field, fix):
    _, problems = read_space({"x": fields})
    assert [(problem.key, problem.fix) for problem in problems] == [
        (f"search_space.x.{field}", fix)
    ]


def test_all_bad_entries_are_named_together():
    space, problems = read_space({"a": {"type": "?"}, "b": 3, "c d": {}, "e": GOOD["choice"][0]})
    assert len(problems) == 5
    assert list(space) == []


def test_an_empty_space_is_a_problem():
    _, problems = read_space({})
    assert problems[0].key == "search_space"
