from __future__ import annotations

import pytest

from hpo_app.report.format import duration, params_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.0, "0 s"),
        (0.8449, "0.84 s"),
        (9.96, "10 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7380, "2 h 03 min"),
        (100000, "1 d 03 h"),
    ],
)
def test_durations_are_said_in_two_units(seconds, text):
    assert duration(seconds) == text


def test_params_are_written_as_on_a_command_line():
    params = {"lr": 0.000312345, "net": "big net", "layers": [64, 64], "bias": False}

    assert params_text(params) == 'lr=0.0003123 net="big net" layers=[64, 64] bias=false'
