"""From what Ray writes about the attempts of a trial to the error that a person can use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hpo_app.analysis.failures import error_line
from hpo_app.study.disk import FULL, MB, full_reason, room_at, says_full
from hpo_app.tuning.trainable import ERROR_BEGINS, ERROR_ENDS


NOT_REUSED = (
    "its worker could not be reused: the trial before it in that worker did not end in time; "
    "a training function has to return soon after it is stopped"
)
_ATTEMPT = re.compile(r"^Failure # \d+ \(occurred at [^)]*\)$", re.MULTILINE)
_FULL_LINE = re.compile(rf"^{FULL} .*$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def error_of(trial: Any) -> str:
    """Return the error of the last attempt of one of Tune's trials."""
    return last_error(Path(trial.error_file).read_text(encoding="utf-8", errors="replace"))


def last_error(text: str) -> str:
    """Return what went wrong in the last attempt of a trial.

    Args:
        text: What Ray wrote of all attempts: for each a line with its number, then the error.
    """
    text = _ATTEMPT.split(_COLOUR.sub("", text))[-1].strip()
    _, begins, own = text.rpartition(ERROR_BEGINS)
    if begins and ERROR_ENDS in own:
        return own.partition(ERROR_ENDS)[0].strip()
    if "actor died" in text.lower():
        head = "The worker died without an error of its own: killed, or crashed in compiled code."
        return f"{head}\n{text.splitlines()[-1].strip()}"
    return text[-4000:]


def want_of_room(error: str, *places: Path) -> str:
    """Return `disk full at PATH (…)` if that is why a trial failed, else "".

    A worker that could not write may have died without a word, or have said it in words of its
    own: where one of the places is full, that is the reason.
    """
    marked = _FULL_LINE.findall(error)
    if marked:
        return str(marked[-1])
    if says_full(error) or any(room_at(place).free < MB for place in places):
        return full_reason(None, *places)
    return ""


def kind_of(error: str) -> str:
    """Return what tells errors apart: their last line, whose numbers only tell attempts apart."""
    return re.sub(r"\d+", "#", error_line(error))
