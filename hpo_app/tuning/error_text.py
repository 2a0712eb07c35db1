"""From an exception in a worker to its text in the driver: short, and in an envelope of ASCII.

On its way Ray writes the text to files and streams whose encoding is the machine's, and puts words
of its own around it.
"""

from __future__ import annotations

import json
import traceback


_BEGINS = "=== the training function raised ==="
_ENDS = "=== end of its traceback ==="
_LONGEST_TRACE = 16_000
_LONGEST_MESSAGE = 4_000


def text_of(error: BaseException, own_file: str) -> str:
    """Return the traceback of an exception, with its causes and the members of a group.

    The last line that is not indented is the exception itself, however many lines its message
    has: those that follow are indented. What is too long is cut in the middle.

    Args:
        error: The exception.
        own_file: Source file whose frames are no news: those that called the training function.
    """
    told = traceback.TracebackException.from_exception(error)
    while len(told.stack) > 1 and told.stack[0].filename == own_file:
        del told.stack[0]
    only = list(told.format_exception_only())
    trace = "".join(told.format())
    # A group ends with its members, and is itself a line among others.
    trace = trace.removesuffix("".join(only)).rstrip()
    return f"{_cut(trace, _LONGEST_TRACE)}\n{_cut(_final(only), _LONGEST_MESSAGE)}"


def packed(text: str) -> str:
    """Return a text as plain ASCII between two marks."""
    return f"{_BEGINS}\n{json.dumps(text)}\n{_ENDS}"


def unpacked(text: str) -> str | None:
    """Return the text that was packed last somewhere in another one; None if there is none."""
    _, begins, rest = text.rpartition(_BEGINS)
    inside, ends, _ = rest.partition(_ENDS)
    if not begins or not ends:
        return None
    try:
        return str(json.loads(inside))
    except ValueError:  # Something cut it on its way.
        return inside.strip()


def _final(parts: list[str]) -> str:
    """Return the lines of the exception itself, all but the one with its class indented."""
    # A syntax error shows its source first.
    first = next((i for i, part in enumerate(parts) if part[:1].strip()), 0)
    lines = "".join(parts[first:]).splitlines()
    rest = [f"  {line.strip()}" for line in lines[1:] if line.strip()]
    return "\n".join(["".join(parts[:first]).rstrip("\n"), *lines[:1], *rest]).lstrip("\n")


def _cut(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    left_out = len(text) - most
    head, tail = text[: most // 2], text[-(most - most // 2) :]
    return f"{head} … {left_out} characters left out … {tail}"
