import csv
import io
from dataclasses import replace

import pytest
from rich.console import Console

from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.report.comparison import write_sweep_page
from hpo_app.report.sweep_table import SweepRow, print_sweep, write_sweep_csv


def sweep_rows(make_study, make_trial):
    reward = Objective("reward", Mode.MAX)
    lower, higher = (
        make_study(make_trial(0, [2.0]), make_trial(1, [1.0]), iterations=1),
        make_study(
            make_trial(0, [5.0], metric="reward"),
            make_trial(1, [9.0], metric="reward"),
            objective=reward,
            iterations=1,
        ),
    )
    return [
        SweepRow(
            0, "0 search_space=quadratic", ("search_space=quadratic",), "complete", "0", lower
        ),
        SweepRow(1, "1 search_space=ppo", ("search_space=ppo",), "complete", "1", higher),
        SweepRow(2, "2 <b>", ("=1+1",), "not begun", "2", None),
    ]


def test_the_file_has_a_row_per_search_with_its_gain(make_study, make_trial, tmp_path):
    write_sweep_csv(sweep_rows(make_study, make_trial), tmp_path / "sweep.csv")
    with (tmp_path / "sweep.csv").open() as file:
        first, second, third = csv.DictReader(file)
    assert (first["metric"], float(first["best"]), float(first["gain"])) == ("loss", 1.0, 1.0)
    assert (second["mode"], float(second["best"]), float(second["gain"])) == ("max", 9.0, 4.0)
    assert (third["best"], third["trials_ended"], third["overrides"]) == ("", "0", "'=1+1")


@pytest.mark.parametrize(("width", "has_folders"), [(80, False), (160, True)])
def test_a_narrow_terminal_keeps_words_whole_without_the_folders(
    make_study, make_trial, width, has_folders
):
    folder = "multirun/2026-11-29/13-51-44-d8a0df2f"
    rows = [replace(row, folder=f"{folder}/0") for row in sweep_rows(make_study, make_trial)]
    file = io.StringIO()
    print_sweep(rows, Console(file=file, force_terminal=True, width=width, color_system=None))
    lines = file.getvalue().splitlines()
    assert len(lines) == 1 + len(rows)
    assert all(word in lines[1] for word in ("search_space=quadratic", "loss 1", "complete"))
    assert (folder in lines[1]) is has_folders


def test_the_page_compares_only_what_has_the_same_objective(make_study, make_trial, tmp_path):
    rows = sweep_rows(make_study, make_trial)
    path = write_sweep_page(rows, {row.name: {"seed": str(row.number)} for row in rows}, tmp_path)
    page = path.read_text()
    assert "0 search_space=quadratic has loss 1, the best." in page
    assert "1 search_space=ppo has reward 9, the best." in page
    assert page.count("Settings that differ") == 2
    assert "<b>" not in page
    assert "2 &lt;b&gt;" in page
