"""Which searches of a sweep stay as they are, and which have something left to do."""

import pytest

from hpo_app.signals import Signals
from hpo_app.study.journal import FILE_NAME, Journal
from hpo_app.study.sweep import SearchEntry, SweepRecord, read_sweep
from hpo_app.sweeps.sweep import Sweep, sweeping


OPENED = {
    "schema": 1,
    "run_id": "r",
    "metric": "loss",
    "mode": "min",
    "space": {},
    "num_trials": 1,
    "iterations": 1,
    "seed": 7,
}


@pytest.mark.parametrize(
    ("changes", "is_kept"),
    [
        ((), True),
        (("report.every_s=60",), True),
        (("num_trials=1",), True),
        (("num_trials=2",), False),
        (("confirm=standard",), False),
        (("confirm.claim_seeds=10",), False),
    ],
)
def test_a_complete_search_stays_unless_more_is_asked_of_it(tmp_path, changes, is_kept):
    overrides = ("seed=1",)
    (tmp_path / "0").mkdir()
    SweepRecord(tmp_path, (), "", (SearchEntry(0, overrides, "0"),)).write()
    journal = Journal.create(tmp_path / "0" / FILE_NAME)
    journal.append("opened", **OPENED)
    journal.append("asked", trial=0, params={}, is_default=True, seed=1)
    journal.append("reported", trial=0, iteration=1, metrics={"loss": 1.0})
    journal.append("ended", trial=0, state="finished", told=None)
    journal.append("closed", reason="all 1 trials ended")
    journal.close()
    with sweeping(Sweep(Signals(), (), changes, tmp_path)) as sweep:
        sweep.open(tmp_path)
        (job,) = sweep.jobs([overrides], 0, lambda _, number: tmp_path / str(number))
    assert job.is_kept is is_kept
    assert read_sweep(tmp_path).changes == changes
    assert job.overrides == ("action=resume", f"run={tmp_path / '0'}", *changes)
