from __future__ import annotations

import pytest
from matplotlib import get_backend, rcParams
from matplotlib.text import Text

from hpo_app.plots import PLOTS, save


@pytest.mark.parametrize("name", list(PLOTS))
def test_every_figure_is_drawn_of_every_study(name, hostile_study, tmp_path):
    figure = PLOTS[name](hostile_study)
    save(figure, tmp_path / "figure.png")

    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert figure.get_suptitle()
    assert figure.get_label()


@pytest.mark.parametrize("name", list(PLOTS))
def test_two_thousand_trials_are_drawn(name, study_of_two_thousand):
    assert PLOTS[name](study_of_two_thousand).axes


@pytest.mark.parametrize("name", list(PLOTS))
def test_a_figure_with_nothing_to_draw_says_why(name, make_study):
    figure = PLOTS[name](make_study())

    texts = [text.get_text() for text in figure.findobj(Text)]
    assert figure.axes == []
    assert any("nothing to draw" in text.replace("\n", " ") for text in texts)


@pytest.mark.parametrize("name", list(PLOTS))
def test_titles_and_labels_name_the_metric(name, make_study, make_trial):
    figure = PLOTS[name](make_study(make_trial(0, [0.5])))

    texts = [text.get_text() for text in figure.findobj(Text)]
    assert "loss" in figure.get_suptitle()
    assert "loss (lower is better)" in texts


@pytest.mark.parametrize("name", list(PLOTS))
def test_the_legend_tells_states_apart(name, make_study, make_trial, make_failed_trial):
    figure = PLOTS[name](
        make_study(make_trial(0, [0.5]), make_trial(1, [0.4]), make_failed_trial(2))
    )

    words = {text.get_text() for text in figure.legends[0].get_texts()}
    assert {"finished", "default configuration", "best trial"} <= words


def test_drawing_leaves_nothing_global_behind(make_study, make_trial):
    before = (dict(rcParams), get_backend())
    for draw in PLOTS.values():
        draw(make_study(make_trial(0, [0.5])))

    assert (dict(rcParams), get_backend()) == before


def test_equal_studies_give_equal_files(make_study, make_trial, tmp_path):
    study = make_study(make_trial(0, [0.5, 0.3]), make_trial(1, [0.5, 0.4]))
    for name in ("one.png", "two.png"):
        save(PLOTS["optimization_history"](study), tmp_path / name)

    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()
