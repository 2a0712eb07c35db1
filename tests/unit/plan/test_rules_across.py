"""A rule across parameters says yes or no, runs no code, and what is wrong with it is named."""

import pickle

import pytest

from hpo_app.plan.configurations import configurations
from hpo_app.plan.grid import grid_size, grid_values
from hpo_app.plan.read_space import read_space
from hpo_app.plan.rule import RuleError, read_rule


PARAMS = {
    "net.size": 3,
    "a": 3,
    "b": 0.5,
    "word": "sgd",
    "flag": True,
    "nothing": None,
    "widths": [8, 8],
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("a <= 3", True),
        ("a < 3", False),
        ("1 < a <= 3 > b", True),
        ("1 < a < 3", False),
        ("a * b + 1 == 2.5 and not a > 4", True),
        ("net.size - a == 0 and not net.size < 3", True),
        ("a - 1 != 2 or b / 2 == 0.25", True),
        ("a // 2 == 1 and a % 2 == 1 and -a < +b", True),
        ("word == 'sgd' and flag", True),
        ("word in ['adam', 'rms'] or not flag", False),
        ("a not in (1, 2)", True),
        ("max(a, 5) - min(a, b) + abs(-1) == 5.5", True),
        ("min(a) == max(a)", True),
        ("flag == true and nothing == null", True),
        ("widths == [8, 8]", True),
        # It has no value: not kept.
        ("a / (b - 0.5) > 0", False),
        ("a > 1e308 * 1e308 - 1e308 * 1e308", False),
        # One of its parameters is inactive: nothing to say.
        ("elsewhere > 5", True),
        ("a > 5 and elsewhere > 5", True),
    ],
)
def test_a_rule_is_kept_or_not(text, holds):
    rule = read_rule(text)
    assert rule.holds(PARAMS) is holds
    assert pickle.loads(pickle.dumps(rule)).holds(PARAMS) is holds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a <", "cannot be read"),
        ("(a + b).real < 3", r"may not hold \(a \+ b\).real"),
        ("a.b() < 3", "may call abs, max and min only"),
        ("widths[0] < 3", r"may not hold widths\[0\]"),
        ("a ** a < 3", "may not hold Pow"),
        ("[x for x in widths] == a", "may not hold"),
        ("(lambda: a)() < 3", "may call abs, max and min only"),
        ("__import__('os').system('ls') == 0", "may call abs, max and min only"),
        ("max(a, key=b) < 3", "may call abs, max and min only"),
        ("f'{a}' == word", "may not hold"),
        ("(" * 300 + "a" + ")" * 300 + " < 1", "longer than 500"),
        ("(" * 240 + "a" + ")" * 240 + " < 1", "cannot be read"),
        ("a := 3", "cannot be read"),
    ],
)
def test_what_is_no_comparison_is_refused(text, words):
    with pytest.raises(RuleError, match=words):
        read_rule(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a", "a is neither true nor false"),
        ("a and flag", "a is neither true nor false"),
        ("word < 3", "word is no number"),
        ("flag + 1 > 1", "flag is no number"),
        ("abs(a, b) < 3", "abs"),
        ("a in b", "b is no list"),
    ],
)
def test_a_rule_that_says_neither_is_not_kept_and_says_why(text, words):
    rule = read_rule(text)
    assert words in rule.objection(PARAMS)
    assert not rule.holds(PARAMS)


ENTRIES = {
    "batch_size": {"type": "ordinal", "values": [32, 64, 128], "default": 64},
    "n_steps": {"type": "lograndint", "low": 16, "high": 256, "default": 128},
    "word": {"type": "choice", "values": ["a", "b"], "default": "a"},
    "share": {"type": "uniform", "low": 0, "high": 1, "default": 0.5, "when": {"word": "b"}},
}


def problems_of(**rules):
    _, problems = read_space({**ENTRIES, "require": rules})
    return [(problem.key.removeprefix("search_space."), problem.fix) for problem in problems]


LIKE = "write it like batch_size <= n_steps"
BAD = {
    "misspelt": ("batchsize <= n_steps", "write batch_size"),
    "unknown": ("z < 3", "correct it, or take the rule out with search_space.require.fits=null"),
    "a part of a parameter": ("n_steps.real < 3", "write n_steps"),
    "no parameter": ("1 < 2", "take it out with search_space.require.fits=null"),
    "no comparison": ("batch_size", LIKE),
    "a flag": (True, "take it out with search_space.require.fits=null"),
    "broken by the default": (
        "batch_size > n_steps",
        "move a default, or take the rule out with search_space.require.fits=null",
    ),
    # The default configuration has no share, so that only draws show it.
    "no comparison where it is active": ("share", LIKE),
}


@pytest.mark.parametrize(("text", "fix"), BAD.values(), ids=BAD)
def test_a_mistake_in_a_rule_is_named(text, fix):
    assert problems_of(fits=text) == [("require.fits", fix)]


def test_all_mistakes_come_at_once():
    found = problems_of(a="x <", b="batchsize < 3", c="batch_size", d="word == 'b'", e="share < 2")
    assert [key for key, _ in found] == ["require.a", "require.b", "require.c", "require.d"]


@pytest.mark.parametrize("rules", [None, {}, {"fits": None}], ids=str)
def test_a_rule_is_taken_out_with_null(rules):
    space, problems = read_space({**ENTRIES, "require": rules})
    assert problems == []
    assert dict(space.rules) == {}
    assert list(space) == list(ENTRIES)


def test_rules_that_nothing_keeps_are_named():
    unit = {"type": "uniform", "low": 0, "high": 1}
    _, (problem,) = read_space({"x": unit, "y": unit, "require": {"never": "x == y"}})
    assert problem.key == "search_space.require"
    assert problem.fix.startswith("loosen one of them")


@pytest.mark.parametrize("rules", ["batch_size <= n_steps", {"type": "uniform"}], ids=str)
def test_what_is_no_mapping_of_rules_is_named(rules):
    _, problems = read_space({**ENTRIES, "require": rules})
    assert [problem.key for problem in problems] == ["search_space.require"]


def test_a_rule_reads_a_parameter_by_its_name_or_as_a_model_does():
    rules = {"fits": "${params.batch_size} <= n_steps"}
    space, problems = read_space({**ENTRIES, "require": rules})
    assert problems == []
    assert space.rules["fits"].text == "batch_size <= n_steps"
    assert space.rules["fits"].names == ("batch_size", "n_steps")


def test_a_rule_that_is_nested_too_deeply_is_named():
    entries = {**ENTRIES, "require": {"deep": "-" * 480 + "batch_size < 6"}}
    (problem,) = read_space(entries)[1]
    assert "nested more than" in f"{problem.got} {problem.expected}"


def test_a_rule_cuts_off_what_it_forbids_before_it_is_combined():
    entries = {f"p{place}": {"type": "uniform", "low": 0, "high": 1} for place in range(12)}
    space, problems = read_space({**entries, "require": {"first": "p0 > 0.9"}})
    assert problems == []
    values = {name: grid_values(space[name], 5) for name in space}
    assert next(configurations(space, values))["p0"] == 1.0
    assert grid_size(space, 5) == 100_000  # It is not counted further.
    forbidden, _ = read_space({**entries, "require": {"first": "p0 > 0.3 and p0 < 0.45"}})
    assert grid_size(forbidden, 5) == 0
