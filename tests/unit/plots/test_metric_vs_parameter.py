from __future__ import annotations

import pytest

from hpo_app.plots.metric_vs_parameter import MAX_PANELS, draw, metric_vs_parameter


def slices_by_name(study):
    return {cut.name: cut for cut in metric_vs_parameter(study)}


@pytest.mark.parametrize(
    ("kind", "is_log"),
    [("loguniform", True), ("qloguniform", True), ("lograndint", True), ("uniform", False)],
)
def test_numbers_stand_on_the_scale_of_the_parameter(make_study, make_trial, kind, is_log):
    trials = [make_trial(0, [0.5], params={"p": 0.1}), make_trial(1, [0.4], params={"p": 10})]
    cut = slices_by_name(make_study(*trials, space={"p": {"type": kind}}))["p"]

    assert [(point.x, point.y) for point in cut.points] == [(0.1, 0.5), (10.0, 0.4)]
    assert (cut.is_log, cut.categories) == (is_log, ())


def test_choices_stand_in_words_in_the_order_of_the_search_space(make_study, make_trial):
    values = ["small", 1, "1", [2, 3]]
    trials = [make_trial(n, [0.5], params={"p": v}) for n, v in enumerate(reversed(values))]
    cut = slices_by_name(make_study(*trials, space={"p": {"type": "choice", "values": values}}))[
        "p"
    ]

    assert cut.categories == ("small", "1", '"1"', "[2, 3]")
    assert [round(point.x) for point in cut.points] == [3, 2, 1, 0]


def test_a_trial_without_the_parameter_is_not_in_its_panel(make_study, make_trial):
    study = make_study(
        make_trial(0, [0.5], params={"a": 1}),
        make_trial(1, [0.5], params={"b": 2}),
        space={"a": {"type": "uniform"}, "b": {"type": "uniform"}, "c": {"type": "uniform"}},
    )

    numbers = {cut.name: [p.number for p in cut.points] for cut in metric_vs_parameter(study)}
    assert numbers == {"a": [0], "b": [1], "c": []}


def test_failed_trials_are_in_the_panel_without_a_value(make_study, make_trial, make_failed_trial):
    cut = slices_by_name(make_study(make_trial(0, [0.5]), make_failed_trial(1)))["lr"]

    assert [(point.x, point.y) for point in cut.points] == [(0.1, 0.5), (0.05, None)]


def test_values_that_are_no_numbers_turn_a_numeric_parameter_into_words(make_study, make_trial):
    values = [0.5, float("inf"), None]
    trials = [make_trial(n, [0.5], params={"p": v}) for n, v in enumerate(values)]
    cut = slices_by_name(make_study(*trials, space={"p": {"type": "loguniform"}}))["p"]

    assert cut.categories == ("0.5", "inf", "null")
    assert not cut.is_log


def test_a_log_axis_is_given_up_where_a_value_is_not_positive(make_study, make_trial):
    cut = slices_by_name(make_study(make_trial(0, [1.0], params={"lr": 0.0})))["lr"]

    assert not cut.is_log


def test_more_parameters_than_panels_are_said(study_of_two_thousand):
    figure = draw(study_of_two_thousand)

    assert len([axes for axes in figure.axes if axes.get_visible()]) == MAX_PANELS
    assert "the first 12 of 20 parameters" in figure.get_suptitle()
