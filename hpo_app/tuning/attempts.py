"""From what Ray says of the end of an attempt to the error that a person can use."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Any

from ray.train._internal.session import _TrainingResult

from hpo_app.analysis.failures import error_line
from hpo_app.study.disk import FULL, MB, full_reason, room_at, says_full
from hpo_app.study.fresh import name_of
from hpo_app.tuning.error_text import unpacked
from hpo_app.tuning.lean import LeanTrial
from hpo_app.tuning.past import Restart
from hpo_app.tuning.store import LOG_NAME, TRIALS_FOLDER, Store


NOT_REUSED = (
    "its worker could not be reused: the trial before it in that worker did not end in time; "
    "a training function has to return soon after it is stopped"
)
_FULL_LINE = re.compile(rf"^{FULL} .*$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_CRASH = re.compile(r"^Fatal Python error: (.+)$", re.MULTILINE)
_LOW_MEMORY = re.compile(r"was ([\d.]+ ?\wB) used / ([\d.]+ ?\wB) limit")
# The last is said where the control process has not noticed yet that the node is gone.
_LOST_NODE = ("node died", "node has died", "has been marked dead", "is temporarily unavailable")
# The stack of every thread and a list of modules follow upon the line that is looked for.
_LOG_TAIL = 100_000
_LONGEST = 4000
# A trial under which node after node dies may be what they die of.
_MOST_LOST = 3


class AttemptedTrial(LeanTrial):
    """A trial of Tune's that keeps the error of its last attempt.

    Tune writes errors to files, in the encoding of the locale, and the run ended with the first
    message that this encoding does not have. Nobody reads these files here.

    Attributes:
        last_error: What Ray says of the last attempt that failed.
        ended_because: Why we ended its worker ourselves; empty if we did not.
        place: Name of its folder.
        store: Where its states and its log are kept.
        log_start: Where in its log the attempt begins, in bytes; not exactly.
        lost_its_node: Whether the last attempt ended because its node did.
    """

    last_error = ""
    ended_because = ""
    place = ""
    store = Store(Path())
    log_start = 0
    lost_its_node = False
    _times_lost = 0

    @property
    def log_path(self) -> Path:
        """Its log, as the driver sees it."""
        return self.store.folder / TRIALS_FOLDER / self.place / LOG_NAME

    def go_on_from(self, checkpoint: Any) -> None:
        """Let the first attempt go on from a state, wherever that is kept."""
        self._restore_checkpoint_result = _TrainingResult(checkpoint=checkpoint, metrics={})

    def handle_error(self, exc: Any = None) -> None:
        """Count the failed attempt, and remember why it failed.

        One that was lost with its node does not count: nothing is wrong with the trial.
        """
        before = self.run_metadata.num_failures
        self.last_error = str(exc)
        with contextlib.suppress(UnicodeError, OSError):
            super().handle_error(exc)
        self.lost_its_node = _is_of_lost_node(self.last_error) and self._times_lost < _MOST_LOST
        if self.lost_its_node:
            self._times_lost += 1
            self.run_metadata.num_failures = before


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
    if _is_of_lost_node(text) or "actor died" in text.lower():
        crashes = [] if _is_of_lost_node(text) else _CRASH.findall(log)
        return _crashed(crashes[-1]) if crashes else _vanished(text)
    return text[-_LONGEST:]


def _crashed(what: str) -> str:
    return f"Its log ends with the stack.\nThe worker crashed in compiled code: {what}."


def _vanished(text: str) -> str:
    if _is_of_lost_node(text):
        return f"{_detail(text)}\nThe worker was lost with its node."
    return (
        f"{_detail(text)}\n"
        "The worker vanished without a word: it left by os._exit, or was killed by the system for "
        "want of memory, by a batch system or by hand."
    )


def _is_of_lost_node(text: str) -> bool:
    return any(words in text for words in _LOST_NODE)


def _detail(text: str) -> str:
    """Return Ray's own sentence, without the guesses that follow it."""
    return text.splitlines()[-1].strip().partition(" Some common causes")[0][:_LONGEST]


def _log_of(trial: AttemptedTrial) -> str:
    """Return the end of what the trial wrote in its last attempt, or nothing."""
    trial.store.bring_logs([trial.place])
    try:
        with trial.log_path.open("rb") as file:
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


def in_another_worker(trial: AttemptedTrial, record: Any, store: Store) -> Restart:
    """Return the restart of a trial whose worker still trains the trial before it.

    Args:
        trial: Tune's; it has not begun in that worker.
        record: What is remembered of it.
        store: Where its states are kept.
    """
    newest = trial.latest_checkpoint_result
    checkpoint = store.local(newest.checkpoint.path) if newest else None
    note = (
        f"{name_of(record.number)} is started in another worker, because the trial before it in "
        "its worker was stopped and did not end; a training function has to return soon after"
    )
    return Restart(record, checkpoint, trial.storage.current_checkpoint_index, note)
