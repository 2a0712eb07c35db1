"""A training function that is not there is named before anything starts."""

import pytest

from hpo_app.config.trainer import missing_trainer


SOURCE = """
import os as system
from json import dumps

LIMIT = 3
raise RuntimeError("the module was run")

def train(model, data, training, trial):
    pass

if LIMIT:
    def rare(model, data, training, trial):
        pass

wrapped = print(train)

def short(model, trial):
    pass

def long(model, data, training, trial, more):
    pass

def named(model, data, training, trial, *, more):
    pass

def any_number(*arguments, more=1):
    pass

def defaulted(model, data, training, trial, more=1):
    pass

@system.wrap
def decorated(trial):
    pass
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A package of a person's own, whose module must not be run."""
    (tmp_path / "mine_of_test").mkdir()
    (tmp_path / "mine_of_test" / "__init__.py").touch()
    (tmp_path / "mine_of_test" / "fit.py").write_text(SOURCE)
    (tmp_path / "mine_of_test" / "stars.py").write_text("from json import *\n")
    (tmp_path / "mine_of_test" / "broken.py").write_text("def train(:\n")
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize(
    "path",
    [
        "mine_of_test.fit:train",
        "mine_of_test.fit:rare",
        "mine_of_test.fit:wrapped",
        "mine_of_test.fit:dumps",
        "mine_of_test.fit:any_number",
        "mine_of_test.fit:defaulted",
        "mine_of_test.fit:decorated",
        "mine_of_test.stars:anything",
        "mine_of_test.broken:train",
        "math:sqrt",
    ],
)
def test_what_is_there_or_cannot_be_known_is_accepted(mine, path):
    assert list(missing_trainer(path)) == []


@pytest.mark.parametrize(
    ("path", "got", "fix"),
    [
        ("mine_of_test.fit:trian", "trian", "write mine_of_test.fit:train"),
        ("mine_of_test.fit:zzz", "zzz", "name a function of the module"),
        ("mine_of_test.fti:train", "no module named mine_of_test.fti", "correct the name"),
        ("no_such_package.x:train", "no_such_package", "correct the name of the module"),
        ("mine_of_test.fit", "mine_of_test.fit", "write it like my_package.train:train"),
        ("mine_of_test.fit:", "mine_of_test.fit:", "write it like my_package.train:train"),
        (":train", ":train", "correct the name of the module"),
        ("mine_of_test.fit:short", "fit:short", "give it those"),
        ("mine_of_test.fit:long", "fit:long", "give it those"),
        ("mine_of_test.fit:named", "fit:named", "give it those"),
    ],
)
def test_what_is_missing_is_a_problem_that_says_what_to_type(mine, path, got, fix):
    (problem,) = missing_trainer(path)
    assert problem.key == "model.trainer"
    assert got in problem.got
    assert fix in problem.fix


def test_the_functions_of_the_module_are_listed(mine):
    (problem,) = missing_trainer("mine_of_test.fit:zzz")
    assert problem.expected.startswith("a function of mine_of_test.fit: train, short, long")
