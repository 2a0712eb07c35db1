"""What an app reports and returns, as the reports of its trial."""

import pytest

from hpo_app.apps.reporting import AppTrial
from hpo_app.training.contract import ConfigurationError, ReportError, TrialOver
from hpo_app.training.current import being_trained, current_trial, report
from hpo_app.training.fit_one import LocalTrial


def trial_of(iterations, *metrics, folder=None):
    local = LocalTrial("loss", seed=0, iterations=iterations, checkpoint_every=1, folder=folder)
    return local, AppTrial(local, iterations, metrics or ("loss",))


def test_what_is_returned_is_the_one_report_of_an_app_that_makes_none() -> None:
    local, app = trial_of(1)
    app.returned(0.5)
    assert local.reports == [{"loss": 0.5}]


def test_the_last_report_waits_for_what_is_returned() -> None:
    local, app = trial_of(2)
    app.report({"loss": 3.0, "step": 1})
    app.report({"loss": 2.0, "step": 2})
    assert local.reports == [{"loss": 3.0, "step": 1.0}]
    app.returned(1.0)
    assert local.reports[1:] == [{"loss": 1.0, "step": 2.0}]


def test_reports_stand_alone_where_nothing_is_returned() -> None:
    local, app = trial_of(2)
    app.report({"loss": 3.0})
    app.report({"loss": 2.0})
    app.returned(None)
    assert [each["loss"] for each in local.reports] == [3.0, 2.0]


def test_an_app_that_ends_early_returns_its_last_report() -> None:
    local, app = trial_of(9)
    app.report({"loss": 3.0})
    app.returned(2.0)
    assert [each["loss"] for each in local.reports] == [3.0, 2.0]
    local, app = trial_of(9)
    app.report({"loss": 3.0})
    app.returned(None)
    assert [each["loss"] for each in local.reports] == [3.0]


def test_one_report_too_many_ends_the_trial_and_keeps_the_others() -> None:
    local, app = trial_of(2)
    app.report({"loss": 3.0})
    app.report({"loss": 2.0})
    with pytest.raises(TrialOver):
        app.report({"loss": 1.0})
    assert [each["loss"] for each in local.reports] == [3.0, 2.0]


def test_a_second_report_of_an_app_that_was_said_to_make_one_says_what_to_set() -> None:
    _, app = trial_of(1)
    app.report({"loss": 3.0})
    with pytest.raises(ConfigurationError, match=r"hydra\.sweeper\.iterations"):
        app.report({"loss": 2.0})


def test_a_checkpoint_that_waits_is_kept_for_its_app_may_remove_it(tmp_path) -> None:
    local, app = trial_of(1, folder=tmp_path / "kept")
    state = tmp_path / "state"
    state.mkdir()
    (state / "weights").write_text("1")
    app.report({"loss": 3.0}, checkpoint=state)
    (state / "weights").write_text("2")
    app.returned(None)
    assert (tmp_path / "kept" / "weights").read_text() == "1"
    app.clean_up()
    assert local.iteration == 1


def test_several_numbers_are_named_in_order() -> None:
    local, app = trial_of(1, "loss", "cost")
    app.returned([1, 2])
    assert local.reports == [{"loss": 1.0, "cost": 2.0}]


@pytest.mark.parametrize("value", [None, "0.5", [1.0, 2.0]])
def test_what_is_no_number_is_named(value: object) -> None:
    with pytest.raises(ReportError, match="in the place of loss"):
        trial_of(1)[1].returned(value)


def test_reports_go_to_the_trial_that_trains_and_nowhere_without_one() -> None:
    import hpo_app

    local, app = trial_of(3)
    hpo_app.report({"loss": 1.0})
    assert current_trial() is None
    with being_trained(app):
        hpo_app.report({"loss": 3.0})
        report({"loss": 2.0})
        assert hpo_app.current_trial() is app
    assert [each["loss"] for each in local.reports] == [3.0, 2.0]
