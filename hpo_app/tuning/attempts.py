"""From what Ray says of the end of an attempt to the error that a person can use."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

from hpo_app.analysis.failures import error_line
from hpo_app.study.disk import FULL, MB, full_reason, room_at, says_full
from hpo_app.study.fresh import name_of
from hpo_app.tuning.error_text import unpacked
from hpo_app.tuning.lean import LeanTrial
from hpo_app.tuning.past import Restart


NOT_REUSED = (
    "its worker could not be reused: the trial before it in that worker did not end in time; "
    "a training function has to return soon after it is stopped"
)
_FULL_LINE = re.compile(rf"^{FULL} .*$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CRASH = re.compile(r"^Fatal Python error: (.+)$", re.MULTILINE)
_LOW_MEMORY = re.compile(r"was ([\d.]+ ?\wB) used / ([\d.]+ ?\wB) limit")
# The stack of every thread and a list of modules follow upon the line that is looked for.
_LOG_TAIL = 100_000
_LONGEST = 4000


class AttemptedTrial(LeanTrial):
    """A trial of Tune's that keeps the error of its last attempt.

    Tune writes errors to files, in the encoding of the locale, and the run ended with the first
    message that this encoding does not have. Nobody reads these files here.

    Attributes:
        last_error: What Ray says of the last attempt that failed.
        ended_because: Why we ended its worker ourselves; empty if we did not.
        log_start: Where in its log the attempt begins, in bytes; not exactly.
    """

    last_error = ""
    ended_because = ""
    log_start = 0

    def handle_error(self, exc: Any = None) -> None:
        """Count the failed attempt, and remember why it failed."""
        self.last_error = str(exc)
        with contextlib.suppress(UnicodeError, OSError):
            super().handle_error(exc)


def error_of(trial: AttemptedTrial) -> str:
    """Return the error of the last attempt of a trial."""
    if trial.ended_because:
        reason, trial.ended_because = trial.ended_because, ""
        return reason
    return plain_error(trial.last_error, _log_of(trial))


def plain_error(text: str, log: str = "") -> str:
    """Return what went wrong in an attempt, without what Ray puts around it.

    Args:
        text: What Ray says.
        log: End of what the trial wrote, which tells of a crash in compiled code.
    """
    text = _COLOUR.sub("", text).strip()
    own = unpacked(text)
    if own is not None:
        return _COLOUR.sub("", own)
    memory = _LOW_MEMORY.search(text)
    if "low on memory" in text and memory:
        return (
            "Fewer trials at once (resources.max_concurrent_trials, or resources.memory_gb for as "
            "many as there is memory for) or smaller ones may fit.\n"
            "Ray killed the worker because its machine ran low on memory: "
            f"{memory[1]} of {memory[2]} were used."
        )
    if "actor died" in text.lower():
        crashes = _CRASH.findall(log)
        return _crashed(crashes[-1]) if crashes else _vanished(text)
    return text[-_LONGEST:]


def _crashed(what: str) -> str:
    return f"Its log ends with the stack.\nThe worker crashed in compiled code: {what}."


def _vanished(text: str) -> str:
    if "node" in text and ("node died" in text or "has been marked dead" in text):
        return f"{_detail(text)}\nThe worker was lost with its node."
    return (
        f"{_detail(text)}\n"
        "The worker vanished without a word: it left by os._exit, or was killed by the system for "
        "want of memory, by a batch system or by hand."
    )


def _detail(text: str) -> str:
    """Return Ray's own sentence, without the guesses that follow it."""
    return text.splitlines()[-1].strip().partition(" Some common causes")[0][:_LONGEST]


def _log_of(trial: AttemptedTrial) -> str:
    """Return the end of what the trial wrote in its last attempt, or nothing."""
    try:
        with Path(trial.path, "log.txt").open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            # A log that has grown too long is cut, and what was its end is no more.
            start = trial.log_start if trial.log_start <= size else 0
            file.seek(max(size - _LOG_TAIL, start))
            trial.log_start = size
            return file.read().decode("utf-8", "replace")
    except OSError:  # It never wrote, or on another machine.
        return ""


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


def in_another_worker(trial: AttemptedTrial, record: Any) -> Restart:
    """Return the restart of a trial whose worker still trains the trial before it.

    Args:
        trial: Tune's; it has not begun in that worker.
        record: What is remembered of it.
    """
    newest = trial.latest_checkpoint_result
    checkpoint = Path(newest.checkpoint.path) if newest else None
    note = (
        f"{name_of(record.number)} is started in another worker, because the trial before it in "
        "its worker was stopped and did not end; a training function has to return soon after"
    )
    return Restart(record, checkpoint, trial.storage.current_checkpoint_index, note)
