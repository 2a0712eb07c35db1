from __future__ import annotations

import pytest
from matplotlib import get_backend, rcParams
from matplotlib.text import Text

from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.plots import PLOTS, plots_of, save
from hpo_app.study.records import Clone


# These draw trials as marks over the metric, whatever the study has.
OF_THE_METRIC = ["optimization_history", "learning_curves", "metric_vs_parameter"]
OF_MANY = {
    "contour",
    "distribution_of_values",
    "parallel_coordinates",
    "parameter_distributions",
    "parameter_importance",
    "timeline",
}


@pytest.fixture(scope="module")
def study_of_ten_thousand(make_study, make_trial):
    space = {
        "lr": {"type": "loguniform", "low": 1e-5, "high": 1.0},
        "kind": {"type": "choice", "values": ["a", [1, 2]]},
        "depth": {"type": "randint", "low": 1, "high": 9},
    }
    trials = [
        make_trial(
            number,
            [1.0, number * 7919 % 1000 / 10],
            params={
                "lr": 10 ** -(number % 50 / 10),
                "kind": ["a", [1, 2]][number % 2],
                "depth": 1 + number % 9,
            },
        )
        for number in range(10_000)
    ]
    return make_study(*trials, space=space)


def texts_of(figure):
    return [text.get_text().replace("\n", " ") for text in figure.findobj(Text)]


@pytest.mark.parametrize("name", list(PLOTS))
def test_every_figure_is_drawn_of_every_study(name, hostile_study):
    figure = PLOTS[name](hostile_study)
    figure.draw_without_rendering()

    assert figure.get_suptitle()
    assert figure.get_label()
    assert figure.axes or any("nothing to draw" in text for text in texts_of(figure))


@pytest.mark.parametrize("name", [*OF_THE_METRIC, "parameter_distributions"])
def test_two_thousand_trials_of_twenty_parameters_are_drawn(name, study_of_two_thousand):
    assert PLOTS[name](study_of_two_thousand).axes


@pytest.mark.parametrize("name", sorted({*PLOTS} - {"pareto_front", "pbt_lineage"}))
def test_ten_thousand_trials_are_drawn(name, study_of_ten_thousand):
    assert PLOTS[name](study_of_ten_thousand).axes


@pytest.mark.parametrize("name", list(PLOTS))
def test_a_figure_with_nothing_to_draw_says_why(name, make_study):
    figure = PLOTS[name](make_study())

    assert figure.axes == []
    assert any("nothing to draw" in text for text in texts_of(figure))


@pytest.mark.parametrize("name", OF_THE_METRIC)
def test_titles_and_labels_name_the_metric(name, make_study, make_trial):
    figure = PLOTS[name](make_study(make_trial(0, [0.5])))

    assert "loss" in figure.get_suptitle()
    assert "loss (lower is better)" in texts_of(figure)


@pytest.mark.parametrize("name", OF_THE_METRIC)
def test_the_legend_tells_states_apart(name, make_study, make_trial, make_failed_trial):
    figure = PLOTS[name](
        make_study(make_trial(0, [0.5]), make_trial(1, [0.4]), make_failed_trial(2))
    )

    words = {text.get_text() for text in figure.legends[0].get_texts()}
    assert {"finished", "default configuration", "best trial"} <= words


def test_only_what_is_worth_drawing_is_in_the_report(make_study, make_trial):
    space = {"lr": {"type": "uniform"}, "p": {"type": "uniform"}}
    trials = [make_trial(n, [1.0 + n], params={"lr": 0.1 * n, "p": n}) for n in range(8)]
    copy = Clone(source=0, iteration=1, params={"lr": 0.2, "p": 1}, at_s=1.0)
    grown = make_trial(8, [1.0, 0.5], params={"lr": 0.2, "p": 1}, clones=(copy,))

    of_few = plots_of(make_study(*trials[:7], space=space))
    of_many = plots_of(make_study(*trials, space=space))
    of_one_parameter = plots_of(make_study(*trials, space={"lr": {"type": "uniform"}}))
    of_a_population = plots_of(make_study(*trials, grown, space=space))
    objectives = (Objective("loss", Mode.MIN), Objective("cost", Mode.MIN))
    of_two_objectives = plots_of(make_study(*trials[:7], space=space, objectives=objectives))

    assert list(of_few) == OF_THE_METRIC
    assert set(of_many) == {*OF_THE_METRIC, *OF_MANY}
    assert set(of_one_parameter) == {
        *OF_THE_METRIC, "distribution_of_values", "parameter_distributions", "timeline"
    }  # fmt: skip
    assert set(of_a_population) - set(of_many) == {"pbt_lineage"}
    assert next(iter(of_two_objectives)) == "pareto_front"


def test_drawing_leaves_nothing_global_behind(make_study, make_trial):
    before = (dict(rcParams), get_backend())
    for draw in PLOTS.values():
        draw(make_study(*(make_trial(n, [0.5 + n], params={"lr": n, "p": -n}) for n in range(8))))

    assert (dict(rcParams), get_backend()) == before


@pytest.mark.parametrize("name", ["optimization_history", "parallel_coordinates", "timeline"])
def test_equal_studies_give_equal_files(name, make_study, make_trial, tmp_path):
    study = make_study(make_trial(0, [0.5, 0.3]), make_trial(1, [0.5, 0.4]))
    for file in ("one.png", "two.png"):
        save(PLOTS[name](study), tmp_path / file)

    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
