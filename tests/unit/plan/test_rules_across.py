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
    "no parameter": (
        "1 < 2",
        "correct it, or take the rule out with search_space.require.fits=null",
    ),
    "no comparison": ("batch_size", LIKE),
    "a flag": (True, "correct it, or take the rule out with search_space.require.fits=null"),
    "a word without quotes": ("word == b", "write it in quotes, 'b'"),
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
    found = problems_of(
        a="x <", b="batchsize < 3", c="batch_size", d="word == 'b'", e="share < 0.7"
    )
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


def test_a_grid_that_hardly_keeps_its_rule_is_not_looked_through_for_hours():
    entries = {f"p{place}": {"type": "uniform", "low": 0, "high": 1} for place in range(20)}
    space, problems = read_space({**entries, "require": {"late": "0 < p0 + p19 < 0.2"}})
    assert problems == []
    assert grid_size(space, 5) == 100_000


TYPES = {
    "opt": {"type": "choice", "values": ["sgd", "adam"], "default": "adam"},
    "depth": {"type": "randint", "low": 1, "high": 10, "default": 3},
    "even": {"type": "qrandint", "low": 2, "high": 8, "q": 2, "default": 4},
    "rate": {"type": "loguniform", "low": 1.0e-5, "high": 0.1, "default": 1.0e-3},
    "width": {"type": "choice", "values": [64, 128, "auto"], "default": 64},
    "size": {"type": "ordinal", "values": [16, 32, 64], "default": 32},
    "flag": {"type": "choice", "values": [False, True], "default": False},
    "net": {"type": "choice", "values": [["a", "b"], ["b"]], "default": ["b"]},
    "noise": {"type": "normal", "mean": 0.0, "sd": 1.0, "low": -1.0, "default": 0.0},
    "momentum": {"type": "uniform", "low": 0.0, "high": 0.9, "when": {"opt": "sgd"}},
    "beta": {"type": "uniform", "low": 0.5, "high": 0.99, "when": {"opt": "adam"}},
}


def rule_problem(text):
    _, (problem,) = read_space({**TYPES, "require": {"r": text}})
    assert problem.key == "search_space.require.r"
    return problem


@pytest.mark.parametrize(
    "text",
    [
        # Not reached by the default nor, but for one draw in thousands, by any other.
        "rate < 0.09999 or opt + 1 > 2",
        "rate > 0 and depth >= 1 and rate < 0.0999 or opt < 3",
        "depth <= 9 or not (rate > 0.09 and depth)",
        "rate < 0.05 or depth < 3 or max(depth, size, opt) > 3",
        "size == 16 or rate < 0.05 or depth in even",
        "depth < 9 or abs(depth, 2) < 3",
        "1 < depth < opt",
        "max(rate, 1) < 2 or opt + 1 < depth",
        # Of three widths one is a word.
        "width <= depth * 64",
        "opt == 'sgd' or width < 100",
    ],
)
def test_a_mistake_of_type_is_found_in_parts_that_hardly_a_draw_reaches(text):
    assert rule_problem(text).expected == (
        "a comparison that is true or false for every configuration"
    )


@pytest.mark.parametrize(
    "text",
    [
        "width == 'auto' or width < 100",
        "width != 'auto' and width < 100 or depth < 5",
        "opt == 'adam' or momentum < 0.5 or depth < 5",
        "1 <= depth <= 8",
        "0 < rate <= 0.01",
        "depth in [1, 2, 3] or opt in ['sgd', 'adam', depth]",
        "opt not in ('sgd',)",
        "flag == false or flag == 1 or depth < 4",
        "'a' in net or 'b' in net",
        "net == ['b'] or even == 4.0",
        "noise < 50",
        "-0.5 < noise",
        "size * depth <= 6400",
        "depth <= size",
        "not size == 32 or size <= 2 * 16",
    ],
)
def test_a_rule_with_something_to_say_is_taken(text):
    _, problems = read_space({**TYPES, "require": {"r": text}})
    assert problems == []


@pytest.mark.parametrize(
    ("text", "got", "fix"),
    [
        ("opt == 'sgdd'", "opt == 'sgdd', but opt is never 'sgdd'", "write 'sgd'"),
        ("depth < 5 or 'ADAM' == opt", "'ADAM' == opt, but opt is never 'ADAM'", "write 'adam'"),
        ("not opt != 'sgdd'", "opt != 'sgdd', but opt is never 'sgdd'", "write 'sgd'"),
        ("opt in ['sgd', 'adm']", "opt in ['sgd', 'adm'], but opt is never 'adm'", "write 'adam'"),
        ("size == '64'", "size == '64', but size is never '64'", "write 64"),
        ("flag == 'true'", "flag == 'true', but flag is never 'true'", "write true"),
        ("net == ['c']", "net == ['c'], but net is never ['c']", "write ['b']"),
        ("'c' in net", "'c' in net, but net is never 'c'", None),
        ("depth == 11", "depth == 11, but depth is never 11", None),
        ("depth == 2.5", "depth == 2.5, but depth is never 2.5", None),
        ("even == 5", "even == 5, but even is never 5", None),
        ("rate != 'low'", "rate != 'low', but rate is never 'low'", None),
        ("depth == null", "depth == null, but depth is never null", None),
        ("depth <= 100", "depth <= 100, which always holds", None),
        ("depth < 5 or 2 * 5 < depth", "2 * 5 < depth, which never holds", None),
        ("0 < rate < 1", "0 < rate < 1, which always holds", None),
        ("size > 64 or depth < 5", "size > 64, which never holds", None),
        ("opt in ['sgd', 'adam']", "opt in ['sgd', 'adam'], which always holds", None),
        ("noise < -1 or depth < 5", "noise < -1, which never holds", None),
    ],
)
def test_a_comparison_that_says_nothing_is_named(text, got, fix):
    problem = rule_problem(text)
    assert problem.got == got
    out = "correct it, or take the rule out with search_space.require.r=null"
    assert problem.fix == (fix or out)


def test_a_rule_over_parameters_that_are_never_active_together_is_named():
    got = rule_problem("momentum < beta").got
    assert got == "momentum < beta, but momentum and beta are never active together, because of opt"


def test_a_message_says_what_a_parameter_can_be():
    assert rule_problem("even == 5").expected == (
        "what even can be: a whole number from 2 to 8 in steps of 2"
    )
    assert rule_problem("opt == 'x'").expected == "what opt can be: one of 'sgd', 'adam'"


def test_a_rule_may_be_named_type():
    space, problems = read_space({**TYPES, "require": {"type": "depth < 5"}})
    assert problems == []
    assert list(space.rules) == ["type"]
