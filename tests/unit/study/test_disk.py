"""What is said of a disk that cannot take what has to be kept."""

import errno
import os

import pytest

from hpo_app.study.disk import (
    full_reason,
    is_disk_error,
    is_full,
    room_at,
    size_of,
    size_text,
    storage_error,
    write_refusal,
)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (3_100_000, "3.1 MB"),
        (120e9, "120 GB"),
        (2e12, "2.0 TB"),
    ],
)
def test_a_size_is_told_in_its_unit(size, text):
    assert size_text(size) == text


def test_the_room_of_a_folder_that_is_yet_to_be_made_is_that_of_the_one_above(tmp_path):
    assert room_at(tmp_path / "a" / "b").total == room_at(tmp_path).total > 0


def test_what_is_in_subfolders_counts(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one").write_bytes(b"x" * 10)
    (tmp_path / "two").write_bytes(b"x" * 5)
    assert size_of(tmp_path) == 15
    assert size_of(tmp_path / "missing") == 0


def error_of_a_full_disk():
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def chained(cause):
    error = RuntimeError("could not save")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(error_of_a_full_disk(), True, id="a number"),
        pytest.param(OSError(errno.EDQUOT, "quota"), True, id="a quota"),
        pytest.param(chained(error_of_a_full_disk()), True, id="behind another error"),
        pytest.param(RuntimeError("x: No space left on device (os error 28)"), True, id="in words"),
        pytest.param(
            RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534"),
            True,
            id="in the words of torch",
        ),
        pytest.param(OSError(errno.ENOENT, "missing"), False, id="another error"),
        pytest.param(ValueError("learning rate too high"), False, id="no error of a disk"),
    ],
)
def test_a_full_disk_is_told_from_other_errors(error, expected):
    assert is_full(error) is expected


def test_a_disk_that_cannot_be_written_is_a_message():
    assert is_disk_error(OSError(errno.EROFS, "Read-only file system"))
    assert not is_disk_error(OSError(errno.ECONNREFUSED, "refused"))


def test_a_full_disk_is_said_with_its_path_and_numbers(tmp_path):
    (problem,) = storage_error(tmp_path, error_of_a_full_disk(), "type x").problems
    assert problem.key == f"disk full at {tmp_path}"
    assert problem.got.startswith("No space left on device: ")
    assert " free of " in problem.got
    assert problem.fix == "free some space, then type x"
    assert full_reason(None, tmp_path).startswith(f"disk full at {tmp_path} (")


def test_the_file_that_an_error_names_counts_before_what_was_guessed(tmp_path):
    error = OSError(errno.ENOSPC, "full", str(tmp_path / "named"))
    assert storage_error(tmp_path, error, "x").problems[0].key == f"disk full at {tmp_path}/named"


def test_a_file_in_place_of_a_folder_is_refused(tmp_path):
    (tmp_path / "taken").touch()
    assert write_refusal(tmp_path / "taken" / "below") == f"{tmp_path}/taken is a file"
    assert write_refusal(tmp_path / "new" / "below") == ""
    assert list(tmp_path.iterdir()) == [tmp_path / "taken"]


def test_an_error_that_is_its_own_cause_is_looked_at_once():
    error = ValueError("x")
    error.__cause__ = error
    assert not is_full(error)
    error.__cause__ = KeyError("y")
    error.__cause__.__cause__ = error
    assert not is_full(error)


def test_an_error_whose_text_fails_is_no_sign_of_a_full_disk():
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError("no text")

    assert not is_full(MuteError())
