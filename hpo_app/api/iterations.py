"""From the words in which people count their training to `iterations`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpo_app.errors import Problem, listed


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KEY = "iterations"
# What many training functions call the number of their reports.
WORDS = ("epochs", "num_epochs", "n_epochs", "max_epochs")


def with_iterations(training: Mapping[str, Any]) -> dict[str, Any]:
    """Return a training config whose `iterations` are its epochs, where it counts only those."""
    word = next((word for word in WORDS if word in training), None)
    counted = {} if word is None else {KEY: training[word]}
    return {**counted, **training}


def without_iterations(training: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield the problem of a training config that does not say how many reports a trial makes.

    One report is no safe guess: the rest of a longer training would be cut off.
    """
    if KEY not in training:
        expected = f"how many times a whole training reports (or {listed(WORDS)}, if it is those)"
        fix = "write training_config={'iterations': 10}; 1 if it reports once, at its end"
        yield Problem(f"training_config.{KEY}", "nothing", expected, fix)
