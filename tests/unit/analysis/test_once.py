"""What was found out about a study is found out once, and is gone with the study."""

import gc
import weakref
from dataclasses import replace

import pytest

from hpo_app.analysis.best import rank
from hpo_app.analysis.claim import claim_of
from hpo_app.analysis.gain import gain_interval
from hpo_app.analysis.importance import Method, parameter_importance
from hpo_app.analysis.once import once_per_study
from hpo_app.analysis.summary import summarize


class Found:
    """Something that a weak reference can be made to."""


@pytest.mark.parametrize("find", [rank, summarize, gain_interval, parameter_importance])
def test_who_asks_again_gets_what_was_found(make_study, make_trial, find):
    study = make_study(*(make_trial(n, [1.0, 0.5 + n / 10, 0.3 + n / 10, 0.2]) for n in range(8)))

    assert find(study) is find(study)
    # An equal study is another one: only the same object is known to be the same.
    assert find(replace(study)) is not find(study)
    assert find(replace(study)) == find(study)


def test_nothing_found_is_remembered_too(make_study):
    assert claim_of(make_study()) is None


def test_other_options_are_another_question(make_study, make_trial):
    study = make_study(*(make_trial(n, [0.5 + n / 10]) for n in range(8)), iterations=1)

    assert parameter_importance(study, None, seed=0) is parameter_importance(study)
    by_default = parameter_importance(study, Method.PED_ANOVA)
    assert parameter_importance(study, Method.PED_ANOVA) is by_default
    assert parameter_importance(study, Method.PED_ANOVA, seed=1) is not by_default
    assert parameter_importance(study, Method.FANOVA).method is Method.FANOVA


def test_what_was_found_goes_with_the_study(make_study):
    find = once_per_study(lambda _: Found())
    study = make_study()
    found = weakref.ref(find(study))
    assert found() is find(study)

    del study
    gc.collect()
    assert found() is None
