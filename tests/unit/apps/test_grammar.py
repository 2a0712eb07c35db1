"""Hydra's sweep grammar read as a search space."""

from pathlib import Path

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.override_parser.overrides_parser import OverridesParser

from hpo_app.apps.grammar import read_sweep
from hpo_app.apps.override_text import override_text
from hpo_app.plan.read_space import read_space


CONFIGS = Path(__file__).parents[2] / "apps" / "image_net" / "configs"


def read(*arguments):
    problems = []
    loader = ConfigLoaderImpl(create_config_search_path(str(CONFIGS)))
    return read_sweep(arguments, loader, problems), problems


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("a=1,2,4", {"type": "choice", "values": [1, 2, 4]}),
        ("a=x,'y z',null,true", {"type": "choice", "values": ["x", "y z", None, True]}),
        ("a=sort(choice(2,1))", {"type": "choice", "values": [1, 2]}),
        ("a=tag(ordered, choice(16,64))", {"type": "ordinal", "values": [16, 64]}),
        ("a=[1,2],[3]", {"type": "choice", "values": [[1, 2], [3]]}),
        ("a={b:1},{b:2}", {"type": "choice", "values": [{"b": 1}, {"b": 2}]}),
        ("a=str(1,2)", {"type": "choice", "values": ["1", "2"]}),
        ("a=range(1,5)", {"type": "randint", "low": 1, "high": 4}),
        ("a=shuffle(range(1,5))", {"type": "randint", "low": 1, "high": 4}),
        ("a=range(5,1,-1)", {"type": "randint", "low": 2, "high": 5}),
        ("a=range(1,8,3)", {"type": "ordinal", "values": [1, 4, 7]}),
        ("a=range(0,0.3,0.1)", {"type": "ordinal", "values": [0.0, 0.1, 0.2]}),
        ("a=float(range(1,3))", {"type": "ordinal", "values": [1.0, 2.0]}),
        ("a=range(0,10000,2)", {"type": "qrandint", "low": 0, "high": 9998, "q": 2}),
        ("a=interval(0,1)", {"type": "uniform", "low": 0.0, "high": 1.0}),
        ("a=tag(log,interval(1e-5,1e-1))", {"type": "loguniform", "low": 1e-5, "high": 0.1}),
        ("a=int(interval(1,9))", {"type": "randint", "low": 1, "high": 9}),
        ("a=int(tag(log,interval(1,9)))", {"type": "lograndint", "low": 1, "high": 9}),
        ("model=glob(*)", {"type": "choice", "values": ["large", "small"]}),
    ],
)
def test_each_form_of_the_grammar_becomes_an_entry(text: str, entry: dict[str, object]) -> None:
    sweep, problems = read(text)
    assert problems == []
    assert list(sweep.space.values()) == [entry]
    assert read_space(sweep.space)[1] == []


def test_what_is_not_swept_goes_to_every_trial_as_it_was_typed() -> None:
    sweep, _ = read("seed=3", "~trainer", "+extra='a,b'", "model=small,large", "seed=4")
    assert sweep.fixed == ["seed=3", "~trainer", "+extra='a,b'", "seed=4"]
    assert sweep.groups == {"model"}


def test_the_later_of_two_overrides_of_one_key_counts() -> None:
    assert read("a=1,2", "a=3")[0].fixed == ["a=3"]
    assert read("a=1,2", "a=3")[0].space == {}
    assert list(read("a=3", "a=1,2")[0].space) == ["a"]
    assert read("a=3", "a=1,2")[0].fixed == []


def test_keys_that_are_no_names_get_one_and_keep_their_spelling() -> None:
    sweep, _ = read("+a/b@c=x,y", "model=small,large", "model.width=8,16", "l[0]=1,2")
    assert sweep.keys == {
        "a_b_c": "+a/b@c",
        "model": "model",
        "model_width": "model.width",
        "l_0_": "l[0]",
    }
    assert read_space(sweep.space)[1] == []


def test_a_misspelt_tag_is_named_with_the_one_that_is_meant() -> None:
    (problem,) = read("a=tag(logg, interval(1,2))")[1]
    assert (problem.key, problem.fix) == ("a", "write tag(log, …)")


def test_an_empty_range_is_a_problem() -> None:
    (problem,) = read("a=range(3,3)")[1]
    assert "at least one value" in problem.fix


@pytest.mark.parametrize(
    "value",
    [
        1, 1.5, 1e-07, True, None, "word", "1", "true", "null", "", "a b", "a,b", "it's", "${x}",
        "back\\", "{a}", "a=b", "é", [1, "2", "x y"], {"k": [1.0, "two words"]},
    ],
)  # fmt: skip
def test_what_an_override_says_is_read_as_the_value(value: object) -> None:
    read_back = OverridesParser.create().parse_override(override_text("key", value)).value()
    assert (read_back, type(read_back)) == (value, type(value))


def test_plain_words_and_numbers_are_not_quoted() -> None:
    assert override_text("model", "small") == "model=small"
    assert override_text("+lr", 0.001) == "+lr=0.001"
