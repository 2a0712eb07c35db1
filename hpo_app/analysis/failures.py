"""From tracebacks to the few distinct reasons for which trials failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.analysis.wording import plain
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from hpo_app.study.records import Study

WITHOUT_MESSAGE = "ended without a message"
_LONGEST = 500


def error_line(error: str | None) -> str:
    """Return what a traceback ends with, on one line; empty without an error.

    That is its last line without indentation, with the indented lines of the message behind it;
    five hundred characters at most.
    """
    lines = (error or "").strip().splitlines()
    starts = [index for index, line in enumerate(lines) if line and not line[0].isspace()]
    line = plain(" ".join(" ".join(lines[starts[-1] :]).split())) if starts else ""
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def group_failures(study: Study) -> dict[str, tuple[int, ...]]:
    """Return `{end of the error: numbers of the trials}`, the most frequent first."""
    numbers_by_line: dict[str, list[int]] = {}
    for trial in study.in_state(TrialState.FAILED):
        line = error_line(trial.error) or WITHOUT_MESSAGE
        numbers_by_line.setdefault(line, []).append(trial.number)
    ordered = sorted(numbers_by_line.items(), key=lambda item: (-len(item[1]), item[1]))
    return {line: tuple(numbers) for line, numbers in ordered}
