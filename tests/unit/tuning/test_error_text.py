"""An exception becomes a text that is short, ends with what happened, and survives its way."""

import pytest

from hpo_app.analysis.failures import error_line
from hpo_app.tuning.error_text import packed, text_of, unpacked


def caught(make):
    try:
        raise make()
    except BaseException as error:  # noqa: BLE001 - of any class
        return text_of(error, "another file")


def misspelt():
    try:
        compile("a b", "mine.py", "exec")
    except SyntaxError as error:
        return error


def noted():
    error = ValueError("what")
    error.__notes__ = ["a note"]
    return error


@pytest.mark.parametrize(
    ("make", "line"),
    [
        pytest.param(lambda: ValueError("what\nand why\n"), "ValueError: what and why", id="lines"),
        pytest.param(lambda: ValueError("a\u2028b\x85c"), "ValueError: a b c", id="separators"),
        pytest.param(ValueError, "ValueError", id="nothing said"),
        pytest.param(misspelt, "SyntaxError: invalid syntax", id="syntax"),
        pytest.param(lambda: SystemExit(3), "SystemExit: 3", id="exit"),
    ],
)
def test_the_line_to_show_is_the_exception_with_all_of_its_message(make, line):
    assert error_line(caught(make)) == line


def test_what_is_too_long_is_cut_with_both_ends_kept():
    text = caught(lambda: ValueError("begin" + "x" * 1_000_000 + "end"))
    assert len(text) < 5_000
    assert "ValueError: begin" in text
    assert text.endswith("end")
    assert "characters left out" in text


def test_the_frames_that_called_the_training_function_are_left_out():
    def train():
        raise ValueError("here")

    try:
        train()
    except ValueError as error:
        whole, without = text_of(error, "another file"), text_of(error, __file__)
    assert "in test_the_frames" in whole
    # The last frame stays, whatever its file.
    assert "in test_the_frames" not in without
    assert "in train" in without


@pytest.mark.parametrize("text", ["caf\xe9 \U0001f525", "half \ud83d", "\x1b[31m\u2028\n\0", ""])
def test_a_text_survives_its_way_as_ascii(text):
    way = packed(text)
    assert way.isascii()
    assert unpacked(f"ray::train() failed\n{way}\nsee the logs") == text


def test_of_several_texts_the_last_counts_and_of_none_there_is_none():
    assert unpacked(packed("first") + packed("second")) == "second"
    assert unpacked("The actor died") is None
