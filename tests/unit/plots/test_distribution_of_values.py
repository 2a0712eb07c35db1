from __future__ import annotations

import pytest

from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.plots.distribution_of_values import distribution_of_values
from hpo_app.study.records import TrialState


@pytest.mark.parametrize("mode", list(Mode))
def test_shares_count_from_the_best_and_against_the_default(make_study, make_trial, mode):
    sign = 1.0 if mode is Mode.MIN else -1.0
    trials = [make_trial(n, [sign * value]) for n, value in enumerate([2.0, 1.0, 2.0, 3.0, 0.5])]
    spread = distribution_of_values(make_study(*trials, objective=Objective("loss", mode)))

    assert spread.values == tuple(sign * value for value in (0.5, 1.0, 2.0, 2.0, 3.0))
    assert spread.shares == (0.2, 0.4, 0.8, 0.8, 1.0)
    assert (spread.default, spread.share_better) == (sign * 2.0, 0.4)


def test_trials_that_did_not_get_there_are_counted(make_study, make_trial, make_failed_trial):
    trials = [make_trial(n, [3.0, 2.0, 1.0]) for n in range(1, 20)]
    short = make_trial(0, [3.0], state=TrialState.STOPPED)
    spread = distribution_of_values(make_study(short, *trials, make_failed_trial(20)))

    assert (spread.iteration, spread.num_short, spread.num_failed) == (3, 1, 1)
    assert (spread.default, spread.share_better) == (None, None)
