from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from hpo_app.analysis.best import best_trial
from hpo_app.plan.criteria import Constraint
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.plots import plots_of
from hpo_app.report.document import MAX_ROWS, write_report
from hpo_app.study.records import Clone


class Page(HTMLParser):
    """What a browser would see: elements with their attributes, and text."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.texts = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(self.texts)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def written(study, folder):
    path = write_report(
        study, folder, command="python -m hpo_app seed=7", train_command="hpo train <best> & more"
    )
    assert path == folder / "index.html"
    return Page(path.read_text(encoding="utf-8"))


@pytest.fixture
def typical_study(make_study, make_trial, make_failed_trial):
    return make_study(
        make_trial(0, [0.9, 0.7, 0.0412]),
        make_trial(1, [0.9, 0.7, 0.01], params={"lr": 0.0123456, "net": "big"}),
        make_failed_trial(2),
        facts={"versions": {"ray": "2.60.0"}},
    )


def test_the_page_says_who_won_what_was_gained_and_why_the_run_ended(typical_study, tmp_path):
    text = written(typical_study, tmp_path).text

    assert (
        "Trial 1 is best with loss 0.01 after 3 iterations: "
        "0.0312 lower than the default configuration (0.0412)."
    ) in text
    assert "All trials ended. 3 of 3 trials in 1 min 00 s: 2 finished and 1 failed." in text


def test_the_page_holds_the_evidence(typical_study, tmp_path):
    page = written(typical_study, tmp_path)

    for part in ("0.01235", "big", "hpo train <best> & more", "python -m hpo_app seed=7", "2.60.0"):
        assert part in page.text
    assert "trial 2: ValueError: bad lr" in page.text
    assert len(page.all("tbody")) == 3


def test_every_plot_lies_beside_the_page_and_has_a_description(typical_study, tmp_path):
    images = written(typical_study, tmp_path).all("img")

    assert [image["src"] for image in images] == [f"{name}.png" for name in plots_of(typical_study)]
    assert all("loss" in image["alt"] for image in images)
    assert all((tmp_path / image["src"]).stat().st_size > 0 for image in images)


def test_the_page_loads_and_runs_nothing_but_its_images(typical_study, tmp_path):
    page = written(typical_study, tmp_path)
    raw = (tmp_path / "index.html").read_text(encoding="utf-8")
    policy = next(meta["content"] for meta in page.all("meta") if "http-equiv" in meta)

    assert policy.startswith("default-src 'none'; img-src 'self' file:; style-src 'sha256-")
    assert "; script-src 'sha256-" in policy
    assert "unsafe" not in policy
    assert not re.search(r"https?://|//[a-z]", raw)
    assert page.all("script") == [{"type": "application/json", "id": "study"}, {}]
    assert not page.all("link")
    inline = {"style", "onclick", "onload", "onerror"}
    assert not [attributes for _, attributes in page.elements if inline & set(attributes)]
    assert "prefers-color-scheme: dark" in raw
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all(
        "meta"
    )


def test_a_hostile_name_is_text_and_nothing_else(study_with_hostile_names, typical_study, tmp_path):
    page = written(study_with_hostile_names, tmp_path)
    (tmp_path / "other").mkdir()
    usual = written(typical_study, tmp_path / "other")

    assert {tag for tag, _ in page.elements} <= {tag for tag, _ in usual.elements}
    assert not [name for _, attributes in page.elements for name in attributes if name[:2] == "on"]
    assert "<script>alert(1)</script>" in page.text
    assert "\x1b" not in page.text


def test_a_winner_that_changed_while_it_trained_is_named(make_study, make_trial, tmp_path):
    clones = (Clone(source=0, iteration=1, params={"lr": 0.2}, at_s=5.0),)
    page = written(make_study(make_trial(1, [0.5], clones=clones)), tmp_path)

    assert "Trial 1 went on from other trials' states 1 time and changed its param" in page.text
    assert "action=train goes through all of them where schedule.yaml stands" in page.text


def test_a_long_study_is_cut_and_says_where_the_rest_is(study_of_two_thousand, tmp_path):
    page = written(study_of_two_thousand, tmp_path)

    assert "1800 more trials in trials.csv." in page.text
    assert len(page.all("tr")) < MAX_ROWS + 100


@pytest.mark.parametrize(
    "hostile_study",
    ["no trial", "one running trial without a report", "all failed", "mixed types"],
    indirect=True,
)
def test_every_study_has_a_page(hostile_study, tmp_path):
    page = written(hostile_study, tmp_path)

    # Without a winner there is no best configuration to show.
    num_sections = 5 if best_trial(hostile_study) is None else 7
    assert len(page.all("section")) == num_sections


def test_constraints_stand_in_the_tables_and_change_the_order(make_study, make_trial, tmp_path):
    study = make_study(
        make_trial(0, [0.1, 0.1, 0.1], others={"cost": 0.2}),
        make_trial(1, [0.5, 0.5, 0.5], others={"cost": 0.1}),
        constraints=(Constraint("cost", max=0.1),),
    )
    text = " ".join(written(study, tmp_path).text.split())
    assert "Trials that keep all constraints come first" in text
    assert "rank trial loss cost constraints iterations" in text
    assert "1 1 0.5 0.1 kept 3 finished" in text
    assert "constraint cost at most 0.1" in text


def test_a_front_has_a_table_of_its_own_with_the_files_that_train_it(
    make_study, make_trial, tmp_path
):
    values = [(0.9, 0.9), (0.0, 1.0), (1.0, 0.0), (0.3, 0.3)]
    trials = [make_trial(n, [loss], others={"cost": cost}) for n, (loss, cost) in enumerate(values)]
    objectives = (Objective("loss", Mode.MIN), Objective("cost", Mode.MIN))
    page = written(make_study(*trials, objectives=objectives), tmp_path)
    text = " ".join(page.text.split())
    assert "Pareto front No trial is at least as good" in text
    assert "trial loss cost lr file 1 0 1 0.05 front/1.yaml 3 0.3 0.3 0.025 front/3.yaml 2" in text
    assert "on the front 3" in text
    assert page.all("img")[0]["src"] == "pareto_front.png"
    assert "then those that fewer others beat" in text


def data_of(page_text):
    found = re.search(r'<script type="application/json" id="study">(.*?)</script>', page_text)
    return json.loads(found[1])


def test_what_the_charts_draw_cannot_end_its_block(study_with_hostile_names, tmp_path):
    written(study_with_hostile_names, tmp_path)
    raw = (tmp_path / "index.html").read_text(encoding="utf-8")
    data = data_of(raw)
    assert "<script>alert(1)</script>" in data["objectives"][0]["metric"]
    assert raw.count("</script>") == 2
    assert not re.search(r"<script>alert", raw)


def test_the_charts_have_every_trial_with_its_place_on_every_axis(typical_study, tmp_path):
    written(typical_study, tmp_path)
    data = data_of((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert [trial["n"] for trial in data["trials"]] == [0, 1, 2]
    assert [trial["values"] for trial in data["trials"]] == [[0.0412], [0.01], [None]]
    assert data["objectives"][0]["steps"] == [[0, 0.0412], [1, 0.01]]
    assert data["axes"][0]["name"] == "lr"
    assert [trial["at"][0] for trial in data["trials"]] == [0.75, 0.5229, 0.6307]
    assert data["trials"][1]["curves"][0] == [[1, 0.9], [2, 0.7], [3, 0.01]]


def test_long_curves_are_thinned_and_end_where_they_end(make_study, make_trial, tmp_path):
    written(make_study(make_trial(0, [float(n) for n in range(1, 1001)])), tmp_path)
    (trial,) = data_of((tmp_path / "index.html").read_text(encoding="utf-8"))["trials"]
    assert len(trial["curves"][0]) <= 121
    assert trial["curves"][0][0] == [1, 1.0]
    assert trial["curves"][0][-1] == [1000, 1000.0]


@pytest.mark.parametrize("has_images", [True, False])
def test_a_report_of_a_run_that_goes_on_draws_no_images(typical_study, tmp_path, has_images):
    write_report(typical_study, tmp_path, command="c", train_command="t", has_images=has_images)
    assert any(tmp_path.glob("*.png")) == has_images


def test_how_sure_the_gain_is_stands_below_the_headline(make_study, make_trial, tmp_path):
    study = make_study(
        make_trial(0, [0.9, 0.72, 0.69, 0.71, 0.7, 0.705]),
        make_trial(1, [0.9, 0.2, 0.11, 0.1, 0.09, 0.105]),
        iterations=6,
    )
    assert "95% interval" in written(study, tmp_path).text
