from __future__ import annotations

import json

import pytest
from hypothesis import given, strategies as st

from hpo_app.analysis.wording import counted, json_text, number, plain, value_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.0, "0"),
        (-0.0, "0"),
        (0.03125678, "0.03126"),
        (3e-4, "0.0003"),
        (1.23456e-7, "1.235e-07"),
        (487.3449, "487.3"),
        (12345.6, "12346"),
        (1.5e9, "1.5e+09"),
        (1000000, "1000000"),
        (float("inf"), "inf"),
    ],
)
def test_numbers_have_four_digits(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "null"),
        (256, "256"),
        (0.00031234567, "0.0003123"),
        ("relu", "relu"),
        ("1", '"1"'),
        ("true", '"true"'),
        ("two words", '"two words"'),
        ("", '""'),
        ([64, "a"], '[64, "a"]'),
        ({"a": float("inf")}, '{"a": "inf"}'),
    ],
)
def test_values_are_written_as_one_would_type_them(value, text):
    assert value_text(value) == text


def test_counts_agree_with_their_noun():
    assert (counted(1, "trial"), counted(0, "trial")) == ("1 trial", "0 trials")


def test_text_that_steers_a_terminal_or_reorders_a_line_is_taken_out():
    assert plain("a\x1b[31mb\x9b\x00c\nd\u202ee\u2066\ud800") == "a[31mbc de"


@given(st.text())
def test_plain_text_stays_plain_on_one_printable_line(text):
    once = plain(text)

    assert plain(once) == once
    assert len(once.splitlines()) <= 1


@given(st.recursive(st.floats() | st.text() | st.none(), st.lists, max_leaves=5))
def test_json_text_is_strict_json(value):
    def refuse(word):
        raise AssertionError(word)

    json.loads(json_text(value), parse_constant=refuse)
