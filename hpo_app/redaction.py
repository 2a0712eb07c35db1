"""From text to the same text without the secrets that this process knows.

What is a secret is told by its name: that of an environment variable, or of a key in the config.
Its value is then looked for in all text that leaves us: the terminal, the log of a trial, files of
a run folder, the journal. Only names are matched to begin with, so a secret with a name of its own
is not one to us.
"""

from __future__ import annotations

import html
import json
import logging
import os
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

HIDDEN = "***"
# A shorter value is too likely to stand in other text by chance, and to make that unreadable.
_SHORTEST = 8
_SECRET = re.compile(
    r"secret|passw(?:or)?d|passphrase|credential|authorization"
    r"|(?:api|access|private|signing|encryption)_?key|token(?![a-z])"
)
# Pieces of a language model's vocabulary, and what is said about a secret but is none.
_HARMLESS = re.compile(
    r"(?:^|_)(?:pad|eos|bos|unk|sep|cls|class|mask|stop|start|end|special)_token$"
    r"|_(?:path|file|dir|folder|name|mode|type|length|len|size|dim|limit|count)$"
)
_INDEX = re.compile(r"\[\d+\]")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class _Known:
    """The secrets of this process, in every spelling in which text can hold them."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None

    def add(self, values: Iterable[str]) -> None:
        new = {value for value in values if _is_worth_hiding(value)} - self._values
        if new:
            self._values |= new
            spellings = {text for value in self._values for text in _spellings(value)}
            longest_first = sorted(spellings, key=lambda text: (-len(text), text))
            self._pattern = re.compile("|".join(map(re.escape, longest_first)))

    def __bool__(self) -> bool:
        return self._pattern is not None

    def hide(self, text: str) -> str:
        return text if self._pattern is None else self._pattern.sub(HIDDEN, text)


_known = _Known()


def is_secret(key: str) -> bool:
    """Return whether the name of a variable, or a part of a dotted key, is that of a secret."""
    plain = _CAMEL.sub("_", _INDEX.sub("", key)).lower().replace("-", "_")
    parts = plain.split(".")
    return any(_SECRET.search(part) and not _HARMLESS.search(part) for part in parts)


def hide(values: Iterable[str]) -> None:
    """Take note of secrets; from now on `redact` hides them in this process."""
    _known.add(values)


def hide_environment(environment: Mapping[str, str] = os.environ) -> None:
    """Take note of all environment variables that have the name of a secret."""
    hide(value for name, value in environment.items() if is_secret(name))


def secrets_in(tree: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield key and text of each leaf that stands, at whatever depth, under a secret's name."""
    if isinstance(tree, dict):
        for name, child in tree.items():
            yield from secrets_in(child, f"{key}.{name}" if key else str(name))
    elif isinstance(tree, (list, tuple)):
        for index, child in enumerate(tree):
            yield from secrets_in(child, f"{key}[{index}]")
    elif is_secret(key) and (isinstance(tree, str) or _is_long_number(tree)):
        yield key, str(tree)


def redact(text: str) -> str:
    """Return `text` with `***` in place of each secret."""
    return _known.hide(text)


def redacted(value: Any) -> Any:
    """Return a plain value with each text in it redacted; keys of mappings stay."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: redacted(child) for key, child in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(child) for child in value]
    return value


def redact_file(path: Path) -> None:
    """Rewrite a text file if it holds a secret: what a subprocess wrote came past Python."""
    if not _known or not path.exists():
        return
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    clean = redact(text)
    if clean != text:
        # In place, because a process may still have the file open to append to it.
        path.write_bytes(clean.encode("utf-8", "surrogateescape"))


def guard_output() -> None:
    """Keep secrets out of what this process prints and logs from now on.

    To be called again when log handlers have come up since.
    """
    hide_environment()
    if not isinstance(sys.stdout, RedactedStream):
        sys.stdout = cast("TextIO", RedactedStream(sys.stdout))
    if not isinstance(sys.stderr, RedactedStream):
        sys.stderr = cast("TextIO", RedactedStream(sys.stderr))
    for handler in logging.getLogger().handlers:
        if not any(isinstance(known, _RedactingFilter) for known in handler.filters):
            handler.addFilter(_RedactingFilter())


class RedactedStream:
    """A text stream that passes on what is written to it without secrets."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write text, and return the length of what was given."""
        self._stream.write(redact(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def close(self) -> None:
        """Do nothing: it is shared, and who closes it ends its own output only."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _RedactingFilter(logging.Filter):
    """Takes secrets out of log records, tracebacks included."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record; none is dropped."""
        record.msg, record.args = redact(record.getMessage()), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = redact(logging.Formatter().formatException(record.exc_info))
        return True


def _is_long_number(value: object) -> bool:
    # A password may be one. max_token=512 is none.
    return isinstance(value, int) and len(str(value)) >= _SHORTEST


def _is_worth_hiding(value: str) -> bool:
    if len(value.strip()) < _SHORTEST:
        return False
    # GOOGLE_APPLICATION_CREDENTIALS and the like name a file: what is in it is the secret.
    return not (value.startswith(("/", "~")) and os.path.exists(os.path.expanduser(value)))  # noqa: PTH110, PTH111 - Path refuses some texts


def _spellings(value: str) -> Iterator[str]:
    for text in {value, value.strip()}:
        yield text
        yield json.dumps(text)[1:-1]
        yield json.dumps(text, ensure_ascii=False)[1:-1]
        yield html.escape(text)
        yield repr(text)[1:-1]
        yield shlex.quote(text)
