"""What of a command line is refused before anything is composed."""

import pytest

from hpo_app.config.arguments import split_changes
from hpo_app.errors import PlanError


@pytest.mark.parametrize("action", [[], ["action=plan"]])
def test_an_earlier_run_that_would_not_be_looked_at_is_refused(action):
    with pytest.raises(PlanError) as refused:
        split_changes([*action, "run=outputs/old", "best=outputs/old/best.yaml"])
    run, best = refused.value.problems
    assert (run.key, best.key) == ("run", "best")
    assert "action=resume" in run.fix
    assert "warm_start=[outputs/old]" in run.fix
    assert "action=train" in best.fix


def test_none_named_is_none_refused():
    arguments = ["run=null", "best=null", "seed=1"]
    assert split_changes(arguments) == (arguments, ())
