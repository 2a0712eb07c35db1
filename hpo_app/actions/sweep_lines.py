"""From what happens in one of several searches to lines that name it, in a file for all of them."""

from __future__ import annotations

import io
import os

from rich.console import Console

from hpo_app.tuning.own_ray import LINES
from hpo_app.tuning.search_process import NAME


# A line is one line, however long.
_WIDTH = 1000


def console_of_sweep() -> Console | None:
    """Return where a search of a sweep says what happens; None where it is alone."""
    if NAME not in os.environ:
        return None
    file = _NamedLines(os.environ[LINES], os.environ[NAME])
    return Console(file=file, highlight=False, force_terminal=False, width=_WIDTH)


class _NamedLines(io.StringIO):
    """Appends whole lines in one step, so that those of several processes do not mix."""

    def __init__(self, path: str, name: str) -> None:
        super().__init__()
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._name = name
        self._begun = ""

    def write(self, text: str) -> int:
        *lines, self._begun = (self._begun + text).split("\n")
        whole = "".join(f"{self._name} | {line}\n" for line in lines)
        os.write(self._file, whole.encode("utf-8", errors="backslashreplace"))
        return len(text)
