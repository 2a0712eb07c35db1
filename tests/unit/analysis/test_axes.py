"""Every value of a parameter has a place on its axis, and the way back."""

from __future__ import annotations

import pytest

from hpo_app.analysis.axes import parameter_axes


def axis_of(make_study, make_trial, tried, /, **entry):
    trials = [make_trial(n, [1.0], params={"p": value}) for n, value in enumerate(tried)]
    return parameter_axes(make_study(*trials, space={"p": entry}))["p"]


def test_an_axis_reaches_over_the_bounds_and_over_values_beyond(make_study, make_trial):
    axis = axis_of(make_study, make_trial, [0.5, 3], type="uniform", low=0.0, high=2.0)

    assert (axis.low, axis.high, axis.words) == (0.0, 3.0, ())
    assert [axis.position(axis.place(value)) for value in (0, 1.5, 3)] == [0.0, 0.5, 1.0]


def test_equal_ratios_are_equal_steps_of_a_logarithmic_axis(make_study, make_trial):
    axis = axis_of(make_study, make_trial, [0.01], type="loguniform", low=1e-4, high=1.0)

    assert axis.position(0.01) == pytest.approx(0.5)
    assert axis.at(0.5) == pytest.approx(0.01)


@pytest.mark.parametrize(("kind", "is_ordered"), [("choice", False), ("ordinal", True)])
def test_words_stand_by_their_place_in_the_search_space(make_study, make_trial, kind, is_ordered):
    values = [[8], {"a": 1}, True, 1]
    axis = axis_of(make_study, make_trial, [1, "new"], type=kind, values=values)

    assert axis.words == ("[8]", '{"a": 1}', "true", "1", "new")
    assert [axis.place(value) for value in (True, 1, [8], "new")] == [2.0, 3.0, 0.0, 4.0]
    assert axis.is_ordered is is_ordered


def test_the_values_of_a_schedule_are_on_the_axis_too(make_study, make_trial):
    trial = make_trial(0, [1.0], params={"p": 1.0}, own_params={"p": 5.0})

    assert parameter_axes(make_study(trial, space={}))["p"].high == 5.0


def test_every_value_of_every_study_has_a_position(hostile_study):
    axes = parameter_axes(hostile_study)
    for trial in hostile_study.trials:
        for name, value in trial.params.items():
            assert 0.0 <= axes[name].position(axes[name].place(value)) <= 1.0
