"""Workers wait for each other at the start of a run, and never later."""

import os
import time

from hpo_app.tuning.warmup import meet_workers


def seconds(function, *arguments, **options):
    started = time.monotonic()
    function(*arguments, **options)
    return time.monotonic() - started


def test_a_worker_waits_for_the_others_until_the_limit(tmp_path):
    waited = seconds(meet_workers, tmp_path / "a", 2, limit_s=0.3)
    assert 0.25 < waited < 5
    assert len(list((tmp_path / "a").iterdir())) == 1


def test_it_waits_once_per_run(tmp_path):
    seconds(meet_workers, tmp_path / "a", 2, limit_s=0.1)
    assert seconds(meet_workers, tmp_path / "a", 2, limit_s=20) < 5


def test_it_goes_on_at_once_where_the_others_are(tmp_path):
    (tmp_path / "other-1").touch()
    assert seconds(meet_workers, tmp_path, 2, limit_s=20) < 5


def test_one_that_replaces_a_failed_one_does_not_wait(tmp_path):
    (tmp_path / "other-1").touch()
    os.utime(tmp_path / "other-1", (time.time() - 60, time.time() - 60))
    assert seconds(meet_workers, tmp_path, 3, limit_s=20) < 5
