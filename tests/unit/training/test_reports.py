from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from hpo_app.training.contract import ConfigurationError, ReportError
from hpo_app.training.reports import (
    checked_count,
    checked_metrics,
    checked_number,
    checked_settings,
)


def test_numbers_of_every_kind_become_plain_floats() -> None:
    metrics = {
        "loss": np.float32(0.5),
        "steps": np.int64(3),
        "epoch": 2,
        "share": Fraction(1, 4),
        "is_done": True,
        "is_good": np.bool_(False),
    }

    numbers = checked_metrics(metrics, "loss")

    assert numbers == {
        "loss": 0.5,
        "steps": 3.0,
        "epoch": 2.0,
        "share": 0.25,
        "is_done": 1.0,
        "is_good": 0.0,
    }
    assert {type(value) for value in numbers.values()} == {float}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float64("nan"), 10**400])
def test_a_side_metric_that_is_not_finite_is_left_out(value: Any) -> None:
    assert checked_metrics({"loss": 1.0, "grad_norm": value}, "loss") == {"loss": 1.0}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(math.nan, "nan (float)", id="nan"),
        pytest.param(-math.inf, "-inf (float)", id="inf"),
        pytest.param(None, "None (NoneType)", id="none"),
        pytest.param("0.5", "'0.5' (str)", id="text"),
        pytest.param(True, "True (bool)", id="bool"),
        pytest.param(np.bool_(True), "np.True_ (bool)", id="numpy-bool"),
        pytest.param(np.zeros(2), "array([0., 0.]) (ndarray)", id="array"),
        pytest.param([1.0], "[1.0] (list)", id="list"),
        pytest.param(1 + 2j, "(1+2j) (complex)", id="complex"),
    ],
)
def test_an_objective_that_is_no_finite_number_is_refused_and_shown(value: Any, shown: str) -> None:
    with pytest.raises(ReportError) as caught:
        checked_metrics({"loss": value}, "loss")

    message = str(caught.value)
    assert message == f"The objective's metric 'loss' must be a finite number; got {shown}."


def test_a_missing_objective_is_refused_with_what_was_reported_and_what_was_meant() -> None:
    with pytest.raises(ReportError) as caught:
        checked_metrics({"val_loss": 1.0, "accuracy": 0.5}, "val_los")

    assert str(caught.value) == (
        "The objective's metric 'val_los' is not in the report, which has accuracy and val_loss. "
        "Did you mean val_loss?"
    )


def test_an_empty_report_is_refused_without_a_guess() -> None:
    with pytest.raises(ReportError, match=r"which has nothing\.$"):
        checked_metrics({}, "loss")


@pytest.mark.parametrize("metrics", [0.5, None, [("loss", 1.0)], "loss"])
def test_a_report_that_is_no_mapping_is_refused(metrics: Any) -> None:
    with pytest.raises(ReportError, match=r"must map names to numbers.*Report \{'loss': value\}"):
        checked_metrics(metrics, "loss")


def test_a_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(ReportError, match=r"must be text; got 3 \(int\)\."):
        checked_metrics({"loss": 1.0, 3: 2.0}, "loss")


@pytest.mark.parametrize("value", [None, "fast", np.zeros(1), {"a": 1.0}])
def test_a_side_metric_that_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ReportError, match="The metric 'speed' must be a number; got "):
        checked_metrics({"loss": 1.0, "speed": value}, "loss")


def test_a_long_value_is_shown_by_its_beginning() -> None:
    with pytest.raises(ReportError, match=r"got 'x{56}\.\.\. \(str\)\."):
        checked_metrics({"loss": "x" * 1000}, "loss")


def test_settings_with_the_expected_keys_are_returned() -> None:
    assert checked_settings({"a": 1, "b": 2}, "model", ("a",), ("b", "c")) == {"a": 1, "b": 2}
    assert checked_settings({"a": 1, "z": 2}, "model", ("a",), None) == {"a": 1, "z": 2}


def test_all_wrong_keys_are_named_together_with_what_was_meant() -> None:
    with pytest.raises(ConfigurationError) as caught:
        checked_settings({"learning_rat": 0.1, "zzz": 1}, "model", ("learning_rate", "gamma"))

    assert str(caught.value) == (
        "model.learning_rate\n"
        "  got       nothing\n"
        "  expected  a value\n"
        "  fix       rename model.learning_rat to model.learning_rate\n"
        "\n"
        "model.gamma\n"
        "  got       nothing\n"
        "  expected  a value\n"
        "  fix       set model.gamma\n"
        "\n"
        "model.learning_rat\n"
        "  got       an unknown key\n"
        "  expected  one of learning_rate and gamma\n"
        "  fix       rename it to model.learning_rate\n"
        "\n"
        "model.zzz\n"
        "  got       an unknown key\n"
        "  expected  one of learning_rate and gamma\n"
        "  fix       remove model.zzz"
    )


def test_settings_that_are_no_mapping_are_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"got       None \(NoneType\)"):
        checked_settings(None, "model.network", ("net_arch",))


@pytest.mark.parametrize("value", [0, -1, 1.0, True, "3", None])
def test_a_count_is_a_whole_number_of_at_least_one(value: Any) -> None:
    assert checked_count(3, "data.n_envs") == 3
    with pytest.raises(ConfigurationError, match=r"^data\.n_envs\n.*\n.*a whole number"):
        checked_count(value, "data.n_envs")


@pytest.mark.parametrize("value", ["1e-3", None, math.nan, math.inf, True, [1.0]])
def test_a_number_is_finite_and_not_text(value: Any) -> None:
    assert checked_number(np.float64(0.5), "model.x") == 0.5
    with pytest.raises(ConfigurationError, match=r"^model\.x\n.*\n.*a finite number"):
        checked_number(value, "model.x")


@pytest.mark.parametrize(
    ("report", "message"),
    [
        (
            {"loss": 1.0, "latency": 3.0},
            "The metric 'latency_ms', by which trials are judged too, is not in the report, which "
            "has latency and loss. Did you mean latency?",
        ),
        (
            {"loss": 1.0, "latency_ms": float("nan")},
            "The metric 'latency_ms', by which trials are judged too, must be a finite number; "
            "got nan (float).",
        ),
    ],
    ids=["missing", "not a number"],
)
def test_what_trials_are_judged_by_besides_the_objective_is_asked_for_too(
    report: dict[str, float], message: str
) -> None:
    with pytest.raises(ReportError) as caught:
        checked_metrics(report, "loss", "latency_ms")
    assert str(caught.value) == message
