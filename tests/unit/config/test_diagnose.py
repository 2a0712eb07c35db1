"""What Hydra refuses, with what to type instead."""

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.diagnose import COMPOSITION_ERRORS, diagnose


@pytest.mark.parametrize(
    ("typed", "fix"),
    [
        ("search_space.x.prior=0.1", "write '+search_space.x.prior=0.1'"),
        ("search_space.depth.when.kind=smooth", "write '+search_space.depth.when.kind=smooth'"),
        ('search_space.require.a="x<3"', "write '+search_space.require.a=\"x<3\"'"),
        ("+search_space.require.a=x <= 3", "write '+search_space.require.a=\"x <= 3\"'"),
        ("+search_alg.n_startup_trials=2", "write search_alg.n_startup_trials=2"),
    ],
)
def test_a_key_that_is_added_gets_its_plus_and_its_quotes(typed, fix):
    overrides = ["search_space=quadratic", "search_alg=optuna", typed]
    with pytest.raises(COMPOSITION_ERRORS) as refused:
        compose_config(overrides)
    problems = diagnose(overrides, refused.value).problems
    assert [problem.fix.split(":")[0] for problem in problems] == [fix]
