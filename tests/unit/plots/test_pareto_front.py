from __future__ import annotations

import pytest
from matplotlib.text import Text

from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.plots import plots_of
from hpo_app.plots.pareto_front import MAX_PANELS, draw, pareto_pairs


OBJECTIVES = (
    Objective("loss", Mode.MIN),
    Objective("cost", Mode.MIN),
    Objective("speed", Mode.MAX),
)


@pytest.fixture
def study(make_study, make_trial, make_failed_trial):
    return make_study(
        make_trial(0, [0.5], others={"cost": 3.0}),
        make_trial(1, [0.1], others={"cost": 9.0}),
        make_trial(2, [0.6], others={"cost": 4.0}),
        make_failed_trial(3),
        objectives=OBJECTIVES[:2],
    )


def test_each_trial_is_a_mark_and_the_front_goes_from_left_to_right(study):
    (pair,) = pareto_pairs(study)

    assert (pair.x, pair.y) == OBJECTIVES[:2]
    assert [(point.number, point.x, point.y) for point in pair.points] == [
        (0, 0.5, 3.0),
        (1, 0.1, 9.0),
        (2, 0.6, 4.0),
    ]
    assert pair.front == ((0.1, 9.0), (0.5, 3.0))


def test_axes_name_the_objectives_and_what_is_better(study):
    figure = draw(study)

    texts = {text.get_text() for text in figure.findobj(Text)}
    assert {"loss (lower is better)", "cost (lower is better)", "Pareto front"} <= texts
    assert "2 trials" in figure.get_label()


def test_three_objectives_are_three_pairs_and_too_many_are_counted(make_study, make_trial):
    trial = make_trial(0, [0.5], others={"cost": 3.0, "speed": 1.0})
    assert len(draw(make_study(trial, objectives=OBJECTIVES)).axes) == 4
    names = [f"m{number}" for number in range(5)]
    many = make_trial(0, [0.5], others=dict.fromkeys(names, 1.0))
    figure = draw(make_study(many, objectives=tuple(Objective(n, Mode.MIN) for n in names)))
    assert f"the first {MAX_PANELS} of 10 pairs" in figure.get_suptitle()


def test_a_study_of_hostile_names_is_drawn_and_one_of_nothing_says_why(
    hostile_study, make_study, make_failed_trial
):
    assert draw(hostile_study).get_label()
    empty = make_study(make_failed_trial(0), objectives=OBJECTIVES)
    assert "nothing to draw" in draw(empty).get_label()


def test_it_is_drawn_where_there_is_a_front_only(study, make_study):
    assert next(iter(plots_of(study))) == "pareto_front"
    assert "pareto_front" not in plots_of(make_study())
