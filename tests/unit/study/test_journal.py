"""Acknowledged events are read back, in order, once; damage is named."""

import errno
import json

import pytest

from hpo_app.errors import EXIT_CANNOT_LOAD, RunFolderError, StorageError
from hpo_app.study.journal import SCHEMA_VERSION, Journal, read_events


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


OPENED = {
    "schema": SCHEMA_VERSION,
    "run_id": "r",
    "metric": "loss",
    "mode": "min",
    "space": {},
    "num_trials": 4,
    "iterations": 1,
    "seed": 0,
}


def write(path, num_events=5):
    journal = Journal.create(path)
    journal.append("opened", **OPENED)
    for index in range(1, num_events):
        asked = {"params": {}, "is_default": False, "seed": index}
        journal.append("asked", trial=index - 1, **asked, text='ünïcode\n"quotes"')
        journal.sync()
    journal.close()


def test_events_come_back_in_order(path):
    write(path)
    events = list(read_events(path))
    assert [event.seq for event in events] == [0, 1, 2, 3, 4]
    assert [event.name for event in events] == ["opened", *["asked"] * 4]
    assert events[-1].fields["text"] == 'ünïcode\n"quotes"'
    assert [event.at_s for event in events] == sorted(event.at_s for event in events)


def test_a_run_that_got_no_event_on_disk_is_told_to_start_again_and_leaves_no_journal(
    path, monkeypatch
):
    journal = Journal.create(path)
    journal.append("opened", **OPENED)
    monkeypatch.setattr("hpo_app.study.journal.append", full)
    for end in (journal.sync, journal.close):
        with pytest.raises(StorageError, match="then start again"):
            end()
    assert not path.exists()


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_nothing_is_written_before_sync(path):
    journal = Journal.create(path)
    journal.append("opened", **OPENED)
    assert journal.has_pending
    assert path.read_bytes() == b""
    journal.sync()
    assert not journal.has_pending
    assert path.read_bytes().count(b"\n") == 1
    journal.close()


def test_a_second_writer_is_refused(path):
    write(path)
    with pytest.raises(FileExistsError):
        Journal.create(path)


def test_a_number_that_is_no_json_is_refused(path):
    journal = Journal.create(path)
    with pytest.raises(ValueError, match="Out of range float values"):
        journal.append("reported", value=float("nan"))
    journal.close()


def test_a_torn_tail_loses_only_the_event_that_was_never_acknowledged(path):
    write(path)
    whole = path.read_bytes()
    last = whole[:-1].rindex(b"\n") + 1
    for end in range(last, len(whole)):
        path.write_bytes(whole[:end])
        assert len(list(read_events(path))) == 4


def test_every_flipped_byte_before_the_last_line_is_noticed(path):
    write(path)
    whole = path.read_bytes()
    last = whole[:-1].rindex(b"\n") + 1
    for place in range(last):
        damaged = bytearray(whole)
        damaged[place] ^= 0x01
        path.write_bytes(bytes(damaged))
        with pytest.raises(RunFolderError) as caught:
            list(read_events(path))
        assert caught.value.exit_code == EXIT_CANNOT_LOAD


def test_a_missing_line_is_noticed(path):
    write(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:2] + lines[3:]))
    with pytest.raises(RunFolderError, match="line 3"):
        list(read_events(path))


def test_a_newer_schema_is_refused(path):
    journal = Journal.create(path)
    journal.append("opened", schema=SCHEMA_VERSION + 1)
    journal.append("asked", trial=0)
    journal.close()
    with pytest.raises(RunFolderError, match="update hpo_app") as caught:
        list(read_events(path))
    assert f"schema {SCHEMA_VERSION + 1}" in str(caught.value)


def test_a_missing_file_is_a_message(path):
    with pytest.raises(RunFolderError, match="No such file"):
        list(read_events(path))


def test_a_line_is_a_checksum_and_json(path):
    write(path, num_events=1)
    crc, body = path.read_text().split(" ", maxsplit=1)
    assert len(crc) == 8
    assert json.loads(body)["event"] == "opened"
