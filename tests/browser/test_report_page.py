"""The report as a person meets it: with a mouse, with keys, on a phone, without a script."""

from dataclasses import replace
from pathlib import Path

import pytest

from hpo_app.plan.criteria import Criteria
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.report.comparison import write_comparison
from hpo_app.report.document import write_report
from hpo_app.study.records import Report, Study, TrialRecord, TrialState


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
SHOWN = "#trials-table tbody tr:not([hidden])"
LOOKS = [((1200, 900), "light"), ((1200, 900), "dark"), ((390, 844), "light"), ((390, 844), "dark")]


def study_of(number, name="lr", metric="loss", iterations=4):
    """Return a study in which trial N has the value N + 1, every seventh stopped, one failed."""
    trials = []
    for at in range(number):
        last = 2 if at % 7 == 3 else iterations
        state = TrialState.STOPPED if last == 2 else TrialState.FINISHED
        state = TrialState.FAILED if at == 5 else state
        reports = tuple(
            Report(step, {metric: at + 1 + (iterations - step) * 0.5}, float(step))
            for step in range(1, last + 1)
        )
        params = {name: 10.0 ** -(1 + at % 4), "net": ["small", "big", HOSTILE][at % 3]}
        error = f"Traceback\nValueError: {HOSTILE}" if at == 5 else None
        trials.append(
            TrialRecord(at, params, at == 0, at, state, reports, float(at), at + 9.5, error)
        )
    space = {
        name: {"type": "loguniform", "low": 1e-4, "high": 0.1},
        "net": {"type": "choice", "values": ["small", "big", HOSTILE]},
    }
    criteria = Criteria((Objective(metric, Mode.MIN),), ())
    return Study(
        "run-1",
        Path("run-1"),
        criteria,
        space,
        tuple(trials),
        number,
        iterations,
        7,
        "All trials ended.",
        99.0,
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return written(study_of(40), tmp_path_factory.mktemp("report"))


def written(study, folder, **options):
    return write_report(
        study,
        folder,
        command="python -m hpo_app",
        train_command="python -m hpo_app action=train",
        **options,
    )


def numbers(page):
    return [int(row.get_attribute("data-trial")) for row in page.query_selector_all(SHOWN)]


def center(page, selector):
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_it_loads_whole_asks_for_nothing_and_fits_the_screen(visit, report, tmp_path, size, scheme):
    visited = visit(report, size, scheme)
    page = visited.page
    assert visited.said == []
    assert {url.rpartition("/")[0] for url in visited.asked} == {report.parent.as_uri()}
    assert page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert page.locator("#chart-history .mark").count() == 40
    assert page.locator("#chart-curves .mark").count() == 40
    assert page.locator("#chart-parallel .line").count() == 39
    page.screenshot(path=str(tmp_path / "page.png"), full_page=True)


def test_pointing_shows_the_configuration_and_the_row(visit, report):
    page = visit(report).page
    page.locator("#chart-history").scroll_into_view_if_needed()
    # The default configuration, trial 0, is drawn above the others, and so last.
    page.mouse.move(*center(page, "#chart-history .mark >> nth=6"))
    assert page.locator("#tip").is_visible()
    text = page.locator("#tip").inner_text()
    assert "Trial 7, finished" in text
    assert "loss 8 after 4 iterations" in text
    assert "lr" in text
    assert "0.0001" in text
    assert page.locator("tr.hot").get_attribute("data-trial") == "7"
    assert page.locator("#chart-parallel .hot").count() == 1
    page.mouse.move(2, 2)
    assert page.locator("#tip").is_hidden()


def test_keys_go_from_trial_to_trial(visit, report):
    page = visit(report).page
    page.locator("#chart-curves").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    assert "Trial 1, finished" in page.locator("#tip").inner_text()


@pytest.mark.parametrize("chart", ["history", "curves"])
def test_dragging_over_a_chart_filters_the_table(visit, report, chart):
    page = visit(report).page
    frame = page.locator(f"#chart-{chart}")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + box["height"] * 0.6)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] - 46, steps=4)
    page.mouse.up()
    kept = numbers(page)
    assert 0 < len(kept) < 40
    assert max(n for n in kept if n != 5) < 25
    assert page.locator("#trials-count").inner_text() == f"{len(kept)} of 40 trials"
    assert page.locator("#chart-parallel .out").count() >= 39 - len(kept)
    frame.focus()
    page.keyboard.press("Escape")
    assert len(numbers(page)) == 40


def test_dragging_along_axes_keeps_what_is_within_all_of_them(visit, report):
    page = visit(report).page
    frame = page.locator("#chart-parallel")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    lines = page.locator("#chart-parallel .parallel-axis line")
    axes = [lines.nth(index).bounding_box() for index in range(3)]

    def drag(axis, top, bottom):
        x = axes[axis]["x"]
        page.mouse.move(x, axes[axis]["y"] + axes[axis]["height"] * top)
        page.mouse.down()
        page.mouse.move(x + 1, axes[axis]["y"] + axes[axis]["height"] * bottom, steps=4)
        page.mouse.up()

    assert box["height"] > 0
    drag(0, -0.03, 0.1)
    assert {n % 4 for n in numbers(page)} == {0}
    drag(1, 0.9, 1.03)
    assert numbers(page)
    assert {(n % 4, n % 3) for n in numbers(page)} == {(0, 0)}


def test_columns_sort_both_ways_with_what_has_no_value_last(visit, report):
    page = visit(report).page
    button = page.locator("th button", has_text="loss")
    button.click()
    up = numbers(page)
    assert up[:3] == [0, 1, 2]
    assert up[-1] == 5
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    button.focus()
    page.keyboard.press("Enter")
    down = numbers(page)
    assert down[:2] == [39, 38]
    assert down[-1] == 5


def test_a_filter_takes_words_and_conditions(visit, report):
    page = visit(report).page
    field = page.get_by_role("searchbox")
    field.fill("loss<4 lr>=0.001")
    assert sorted(numbers(page)) == [0, 1, 2]
    field.fill("failed")
    assert numbers(page) == [5]
    assert page.locator("#trials-count").inner_text() == "1 of 40 trials"
    page.get_by_role("button", name="Show all").click()
    assert len(numbers(page)) == 40


def test_a_command_is_copied(visit, report):
    page = visit(report, permissions=["clipboard-read", "clipboard-write"]).page
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    text = page.evaluate("navigator.clipboard.readText()")
    assert text == "python -m hpo_app action=train"


def test_hostile_names_are_text_wherever_they_are_shown(visit, tmp_path):
    path = written(study_of(12, name=HOSTILE, metric=f"m{HOSTILE}"), tmp_path, has_images=False)
    visited = visit(path)
    page = visited.page
    page.locator("#chart-curves").focus()
    page.keyboard.press("ArrowRight")
    assert HOSTILE in page.locator("#tip").inner_text()
    page.locator("th button", has_text=HOSTILE).last.click()
    page.get_by_role("searchbox").fill("<script>")
    assert visited.said == []
    assert page.locator("img, main script:not([type='application/json'])").count() == 0


def test_without_a_script_the_page_is_whole(visit, report):
    page = visit(report, java_script_enabled=False).page
    assert page.locator("#charts").is_hidden()
    assert page.locator("#images img").first.is_visible()
    assert page.locator("#trials-table tbody tr").count() == 40


def test_a_page_of_200_trials_stays_below_three_megabytes(visit, tmp_path):
    path = written(study_of(200, iterations=300), tmp_path, has_images=False)
    assert path.stat().st_size < 3_000_000
    visited = visit(path)
    assert visited.said == []
    assert visited.page.locator("#chart-history .mark").count() == 200


@pytest.mark.parametrize(("size", "scheme"), LOOKS[::3])
def test_a_comparison_loads_whole_and_fits_the_screen(visit, tmp_path, size, scheme):
    studies = {"first": study_of(20), f"second {HOSTILE}": study_of(12, iterations=6)}
    settings = {name: {"seed": str(place)} for place, name in enumerate(studies)}
    visited = visit(write_comparison(studies, settings, tmp_path), size, scheme)
    assert visited.said == []
    assert len(visited.asked) == 1
    assert visited.page.evaluate("document.documentElement.scrollWidth") == size[0]
    assert visited.page.locator("path.run").count() == 2
    visited.page.screenshot(path=str(tmp_path / "page.png"), full_page=True)


def study_of_two():
    """Return a study in which what lowers the loss raises the cost."""
    criteria = Criteria((Objective("loss", Mode.MIN), Objective("cost", Mode.MIN)), ())
    study = study_of(12)
    trials = tuple(
        replace(
            trial,
            reports=tuple(
                replace(report, metrics={**report.metrics, "cost": 20.0 - trial.number})
                for report in trial.reports
            ),
        )
        for trial in study.trials
    )
    return replace(study, criteria=criteria, trials=trials)


def test_of_several_objectives_each_can_be_looked_at(visit, tmp_path):
    visited = visit(written(study_of_two(), tmp_path, has_images=False))
    page, history = visited.page, "#chart-history text.label"
    assert page.locator("#chart-front > g").count() == 11  # One failed.
    assert page.locator("#chart-front .ring").count() > 1
    assert page.locator(history).text_content() == "loss (lower is better)"
    labels = page.locator("#chart-parallel text.label").all_text_contents()
    assert labels == ["lr", "net", "loss", "cost"]
    page.locator("#chart-front").press("ArrowRight")
    assert "cost" in page.locator("#tip").inner_text()
    page.locator("#charts-objective select").select_option(label="cost")
    assert page.locator(history).text_content() == "cost (lower is better)"
    assert page.locator("#chart-curves text.label").text_content() == "cost (lower is better)"
    assert not visited.said


def test_one_objective_has_no_choice_and_no_front(visit, report):
    page = visit(report).page
    assert page.locator("#chart-front").count() == 0
    assert page.locator("#charts-objective").is_hidden()


def test_iterations_stand_at_even_steps_however_many_there_are(visit, tmp_path):
    page = visit(written(study_of(2, iterations=3000), tmp_path, has_images=False)).page
    line = page.locator("#chart-curves polyline").first.get_attribute("points")
    xs = [float(point.split(",")[0]) for point in line.split()]
    middle = xs[len(xs) // 2]
    assert abs(middle - (xs[0] + xs[-1]) / 2) < 0.02 * (xs[-1] - xs[0])


def test_as_many_curves_as_are_drawn_can_all_be_long(visit, tmp_path):
    visited = visit(written(study_of(1000, iterations=120), tmp_path, has_images=False))
    assert visited.said == []
    assert visited.page.locator("#chart-curves .mark").count() == 1000


@pytest.mark.parametrize(
    ("value", "words"),
    [(123456.7, "123457"), (1234567.0, "1.235e+6"), (0.00052341, "0.0005234"), (-12.0, "-12")],
)
def test_a_value_that_is_pointed_at_has_the_digits_of_the_table(visit, tmp_path, value, words):
    study = study_of(3)
    told = replace(study.trials[1], reports=(Report(1, {"loss": value}, 1.0),))
    report = written(replace(study, trials=(study.trials[0], told)), tmp_path, has_images=False)
    page = visit(report).page
    page.locator("#chart-history").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    assert f"loss {words} after 1 iteration" in page.locator("#tip").inner_text()


def test_no_trial_hides_the_best_one_or_the_default(visit, tmp_path):
    study = study_of(30)
    # The default is no longer the best one.
    study = replace(study, trials=tuple(replace(t, is_default=t.number == 9) for t in study.trials))
    page = visit(written(study, tmp_path, has_images=False)).page
    marks = page.locator("#chart-history .mark")
    drawn = [marks.nth(at).get_attribute("class").split()[-1] for at in (-2, -1)]
    assert drawn == ["default", "best"]
