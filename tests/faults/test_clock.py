"""The clock on the wall may say what it likes."""

import itertools
import os
import time

from hpo_app.study.journal import FILE_NAME, Journal, read_events
from hpo_app.study.replay import load_study


HOUR = 3600.0


def test_a_clock_that_is_set_back_changes_neither_order_nor_durations(run_folder, monkeypatch):
    path = run_folder / FILE_NAME
    # It jumps back by an hour at every look, from the year 2040 on.
    jumps = itertools.count(start=2_208_988_800, step=-HOUR)
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    monkeypatch.setattr(time, "time_ns", lambda: int(next(jumps) * 1e9))
    journal, before = Journal.reopen(path)
    for iteration in range(3, 20):
        journal.append("reported", trial=3, iteration=iteration, metrics={"loss": 1.0})
        journal.sync()
    journal.append("ended", trial=3, state="finished")
    journal.close()
    events = list(read_events(path))
    assert [event.seq for event in events] == list(range(len(before) + 18))
    times = [event.at_s for event in events]
    assert times == sorted(times)
    assert times[-1] < 60
    assert 0 <= load_study(run_folder).trials[3].duration_s < 60


def test_the_dates_of_files_decide_nothing(run_folder):
    from hpo_app.tuning.past import Past

    events = list(read_events(run_folder / FILE_NAME))
    before = load_study(run_folder), Past(run_folder, events).restarts()
    for place, path in enumerate(sorted(run_folder.rglob("*"), reverse=True)):
        stamp = 2_208_988_800 + place * HOUR  # The first by name is the youngest, in 2040.
        os.utime(path, (stamp, stamp))
    assert (load_study(run_folder), Past(run_folder, events).restarts()) == before
    (restart,) = before[1]
    assert restart.checkpoint.name == "checkpoint_000001"
