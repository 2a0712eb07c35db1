"""Of very many trials the best are shown, and the default configuration wherever it stands."""

import re

from hpo_app.report.document import write_report
from hpo_app.report.page_data import page_data
from hpo_app.report.shown_trials import shown_trials
from hpo_app.report.trials_section import MAX_ROWS


def test_the_default_takes_the_last_seat_with_its_own_place(make_trial):
    ordered = [make_trial(n) for n in (3, 2, 1, 0)]

    assert [(place, t.number) for place, t in shown_trials(ordered, 4)] == [
        *[(1, 3), (2, 2), (3, 1), (4, 0)]
    ]
    assert [(place, t.number) for place, t in shown_trials(ordered, 2)] == [(1, 3), (4, 0)]
    assert [t.number for _, t in shown_trials(ordered[::-1], 2)] == [0, 1]
    assert [t.number for _, t in shown_trials(ordered[:3], 2)] == [3, 2]


def test_table_and_charts_of_very_many_trials_have_the_default(make_study, make_trial, tmp_path):
    # The default is the worst of them all.
    trials = [make_trial(n, [1.0 + 1.0 / (n + 1)]) for n in range(1100)]
    study = make_study(*trials, iterations=1)
    path = write_report(study, tmp_path, command="c", train_command="t", has_images=False)

    page = path.read_text()
    rows = re.findall(r'data-trial="(\d+)"><td>(\d+)</td>', page)
    assert len(rows) == MAX_ROWS
    assert rows[-2:] == [("901", "199"), ("0", "1100")]
    assert "900 more trials in trials.csv" in page
    drawn = page_data(study, trials[::-1])["trials"]
    assert (len(drawn), drawn[0]["n"], drawn[1]["n"]) == (1000, 0, 101)
