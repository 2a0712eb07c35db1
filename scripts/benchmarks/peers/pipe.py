"""From lines on standard input to calls of a tuner; `quality/peers.py` describes the lines.

Standard library only: it is run by the Python of each peer.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Protocol


if TYPE_CHECKING:
    from collections.abc import Callable


class Tuner(Protocol):
    """What an adapter makes of a peer. Trials are numbered from 0, in the order of their start."""

    def next(self) -> dict[str, Any]:
        """Return `trial` and `params` to start, `trial` alone to go on with, or nothing."""

    def report(self, trial: int, iteration: int, loss: float) -> str:
        """Return CONTINUE, PAUSE or STOP."""

    def end(self, trial: int, *, is_whole: bool) -> None:
        """Hear that a trial is over."""

    def incumbent(self) -> int | None:
        """Return the trial that the peer would hand back."""


def serve(make: Callable[..., Tuner]) -> None:
    """Answer each line until there is none.

    Args:
        make: Takes `method`, `space`, `iterations`, `full_trials` and `seed`; returns a tuner.
    """
    # What a library prints must not stand between our lines.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    tuner: Any = None
    for line in sys.stdin:
        asked = json.loads(line)
        what = asked.pop("ask")
        if what == "start":
            tuner, answer = make(**asked), {}
        else:
            answer = answer_of(tuner, what, asked)
        print(json.dumps(answer), file=answers, flush=True)


def answer_of(tuner: Tuner, what: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Return what the tuner says, as it is sent."""
    if what == "next":
        return tuner.next()
    if what == "report":
        return {"decision": tuner.report(**asked)}
    if what == "end":
        tuner.end(**asked)
        return {}
    number = tuner.incumbent()
    return {} if number is None else {"trial": number}
