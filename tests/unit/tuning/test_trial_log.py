"""A log stays bounded, and keeps what was said last."""

import os

from hpo_app.tuning.trial_log import LONGEST, output_to, shorten_log


def test_a_log_that_has_grown_too_long_keeps_its_newer_half(tmp_path):
    path = tmp_path / "log.txt"
    with output_to(path):
        for _ in range(LONGEST // 1000 + 1):
            os.write(1, b"x" * 999 + b"\n")
        os.write(1, b"nearly last\n")
        shorten_log(path)
        os.write(1, b"last\n")
    text = path.read_text()
    assert text.startswith("… 4")
    assert text.endswith("x\nnearly last\nlast\n")
    assert path.stat().st_size < LONGEST * 0.51


def test_a_log_of_ordinary_length_is_left_alone(tmp_path):
    (tmp_path / "log.txt").write_text("iteration 1\n")
    shorten_log(tmp_path / "log.txt")
    assert (tmp_path / "log.txt").read_text() == "iteration 1\n"


def test_a_log_that_was_removed_meanwhile_fails_no_trial(tmp_path):
    path = tmp_path / "log.txt"
    with output_to(path):
        path.unlink()
        shorten_log(path)
    assert not path.exists()
