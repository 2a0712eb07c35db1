"""Whose mistake an error is that nobody foresaw."""

import pytest

from hpo_app.cli import _whose
from hpo_app.errors import near_miss


def raises():
    yield "x" + 1


def told(folder, words):
    with pytest.raises(TypeError) as raised:
        near_miss("word", words)
    return _whose(raised.value, folder)


def test_what_a_persons_own_code_raises_below_ours_is_theirs(tmp_path):
    assert told(tmp_path, raises()).startswith(f"It comes out of raises in {__file__}, line ")
    assert told(tmp_path, raises()).endswith("Mend it, and start again")
    (tmp_path / "journal.jsonl").touch()
    assert f"action=resume run={tmp_path}" in told(tmp_path, raises())


def test_what_ours_raises_is_ours_also_by_way_of_a_library(tmp_path):
    assert f"Please report it with the lines above and the folder {tmp_path}" in told(tmp_path, [1])
