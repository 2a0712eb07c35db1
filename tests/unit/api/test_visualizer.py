"""Figures from Python: of any study, and where they are asked for."""

import inspect
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from hpo_app import HpoError, HPOVisualizer
from hpo_app.api.analysis import analyze
from hpo_app.api.results import Results


PLOTS = [name for name in vars(HPOVisualizer) if name.startswith("plot_")]


@pytest.fixture
def results(make_study, make_trial, tmp_path):
    trials = [
        make_trial(number, [1.0 / (number + 1), 0.5 / (number + 1), 0.1 * (number % 4)])
        for number in range(12)
    ]
    return Results(make_study(*trials, folder=tmp_path / "run"))


@pytest.mark.parametrize("name", PLOTS)
def test_each_returns_its_figure_and_writes_it_where_asked(results, tmp_path, name):
    plot = getattr(HPOVisualizer(), name)
    subject = analyze(results) if "analysis" in inspect.signature(plot).parameters else results
    path = tmp_path / "deep" / f"{name}.png"
    figure = plot(subject, path=path)
    assert isinstance(figure, Figure)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_one_parameter_is_drawn_alone_and_a_misspelt_one_is_said(results):
    figure = HPOVisualizer().plot_metric_vs_parameter(results, "lr")
    assert "lr" in figure.get_label()
    with pytest.raises(HpoError, match="write 'lr'"):
        HPOVisualizer().plot_metric_vs_parameter(results, "lrr")


def test_the_importance_that_was_analysed_is_drawn(results):
    analysis = {**analyze(results), "parameter_importance": {"momentum": 0.75, "lr": 0.25}}
    figure = HPOVisualizer().plot_parameter_importance(analysis)
    assert "momentum 75%, lr 25%" in figure.get_label()


def test_the_summary_is_a_folder_that_opens_and_one_figure(results, tmp_path):
    target = tmp_path / "mine"
    figure = HPOVisualizer().create_summary_report(results, analyze(results), output_dir=target)
    assert isinstance(figure, Figure)
    assert (target / "summary.png").exists()
    page = (target / "report" / "index.html").read_text()
    assert "best.yaml" in page
    assert (target / "report" / "optimization_history.png").exists()


def test_any_study_is_analysed_and_shown(hostile_study, tmp_path):
    results = Results(hostile_study)
    analysis = analyze(results)
    assert (analysis["best_trial"] is None) == (results.best_trial is None)
    assert "<script>" not in results._repr_html_()
    assert "<script>" not in repr(results.to_dataframe().to_html())
    figure = HPOVisualizer().create_summary_report(results, analysis, output_dir=tmp_path / "r")
    assert Path(tmp_path / "r" / "summary.png").exists()
    assert figure.get_label()


@pytest.mark.parametrize(
    ("suffix", "begins"),
    [(".svg", b"<?xml"), (".pdf", b"%PDF"), ("", b"\x89PNG"), (".PNG", b"\x89PNG")],
)
def test_a_figure_is_written_as_its_suffix_says_and_twice_alike(results, tmp_path, suffix, begins):
    paths = [tmp_path / f"{name}{suffix}" for name in ("one", "two")]
    for path in paths:
        HPOVisualizer().plot_optimization_history(results, path)
    one, two = (path.read_bytes() for path in paths)
    assert one.startswith(begins)
    assert one == two


def test_importance_and_contour_take_the_results_and_one_name(make_study, make_trial):
    params = [{"lr": 0.1 * n, "gamma": 1.0 - 0.01 * n, "p": n % 3} for n in range(1, 12)]
    trials = [make_trial(n, [1.0 / (n + 1)], params=each) for n, each in enumerate(params)]
    space = {name: {"type": "uniform", "low": 0.0, "high": 2.0} for name in ("lr", "gamma", "p")}
    results = Results(make_study(*trials, space=space))
    assert "Importance" in HPOVisualizer().plot_parameter_importance(results).get_label()
    assert "gamma" in HPOVisualizer().plot_contour(results, "gamma").get_label()


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("subject", [None, "run", {"best_trial": None}])
def test_what_is_no_run_is_a_message(name, subject):
    with pytest.raises(HpoError, match="expected  what HPOptimizer"):
        getattr(HPOVisualizer(), name)(subject)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda plots, results: plots.plot_contour(results, ("lr", "lr", "lr")), "at most 2"),
        (lambda plots, results: plots.plot_contour(results, "lrr"), "write 'lr'"),
        (lambda plots, results: plots.plot_parallel_coordinates(results, top=0), "at least 1"),
        (lambda plots, results: plots.plot_timeline(results, "x.docx"), "written as docx"),
        (lambda plots, results: plots.plot_timeline(results, 3), "path of a file"),
        (lambda plots, _: plots.create_summary_report(None), "what HPOptimizer"),
        (lambda plots, results: plots.create_summary_report(results, {}), "analyze_results"),
    ],
)
def test_a_wrong_argument_of_a_plot_is_a_message(results, call, told):
    with pytest.raises(HpoError, match=told):
        call(HPOVisualizer(), results)


def test_a_place_where_nothing_can_be_written_is_a_message(results, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(HpoError, match="another one"):
        HPOVisualizer().plot_optimization_history(results, tmp_path / "file" / "history.png")
    with pytest.raises(HpoError, match="output_dir"):
        HPOVisualizer().create_summary_report(results, output_dir=tmp_path / "file")
