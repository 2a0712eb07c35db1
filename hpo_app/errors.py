"""From a mistake to a message: what is wrong, and how every room of the package says so.

HpoError
├── PlanError        the composed config cannot be run (exit code 2)
├── ResourceError    this machine or cluster cannot hold the run (exit code 5)
├── StorageError     the disk is full or cannot be written (exit code 5)
├── RunFolderError   a run folder cannot be read (exit code 4)
└── TrainingError    a training function raised an error (exit code 3)
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

EXIT_COMPLETE = 0
EXIT_UNEXPECTED = 1
EXIT_CONFIG = 2
EXIT_FAILED_TRIALS = 3
EXIT_CANNOT_LOAD = 4
EXIT_RESOURCES = 5
EXIT_INTERRUPTED = 130
EXIT_TERMINATED = 143


@dataclass(frozen=True)
class Problem:
    """One thing that a person can put right.

    Attributes:
        key: Dotted config key, or a path.
        got: The offending value, as the person would type it.
        expected: What must hold, as the end of the sentence "expected …".
        fix: Something to type.
        set_by: Override or file that gave the value; empty when nothing set it.
    """

    key: str
    got: str
    expected: str
    fix: str
    set_by: str = ""

    def __str__(self) -> str:
        rows = [("got", self.got), ("expected", self.expected)]
        rows += [("set by", self.set_by)] if self.set_by else []
        rows += [("fix", self.fix)]
        return "\n".join([self.key, *(f"  {name:<9} {text}" for name, text in rows)])


class HpoError(Exception):
    """Base of every error that is shown without a traceback.

    Attributes:
        problems: All problems found together, in the order of the config.
        exit_code: What the process ends with.
    """

    exit_code = EXIT_UNEXPECTED
    subject = "the run"

    def __init__(self, problems: Sequence[Problem], subject: str = "") -> None:
        self.problems = tuple(problems)
        self.subject = subject or type(self).subject
        super().__init__(self._text())

    def __reduce__(self) -> tuple[type[HpoError], tuple[tuple[Problem, ...], str]]:
        # Else pickle would make it anew from its text, letter by letter a problem.
        return type(self), (self.problems, self.subject)

    def _text(self) -> str:
        count = len(self.problems)
        head = f"{count} problem{'' if count == 1 else 's'} in {self.subject}"
        return "\n\n".join([head, *(str(problem) for problem in self.problems)])


class PlanError(HpoError):
    """The composed config does not describe a run."""

    exit_code = EXIT_CONFIG
    subject = "the config"


class ResourceError(HpoError):
    """The machine or cluster can never hold what is asked for."""

    exit_code = EXIT_RESOURCES
    subject = "the resources"


class StorageError(HpoError):
    """The disk cannot take what has to be kept."""

    exit_code = EXIT_RESOURCES
    subject = "the disk"


class RunFolderError(HpoError):
    """A run folder, or a file in it, cannot be read."""

    exit_code = EXIT_CANNOT_LOAD
    subject = "the run folder"


class TrainingError(HpoError):
    """A training function raised an error that is not ours."""

    exit_code = EXIT_FAILED_TRIALS
    subject = "the training"


def near_miss(word: str, known: Iterable[str], alike: float = 0.6) -> str | None:
    """Return the known word that `word` was probably meant to be, or None.

    Args:
        word: What was written.
        known: What could have been meant.
        alike: How like it the word has to be, from 0 to 1 (`difflib.SequenceMatcher.ratio`).
    """
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=alike)
    return matches[0] if matches else None


def first_of(texts: Sequence[str], most: int) -> list[str]:
    """Return texts for a message, and in the place of those beyond `most` how many they are."""
    more = len(texts) - most
    return [*texts[:most], f"{more} more"] if more > 0 else list(texts)


def listed(words: Iterable[object]) -> str:
    """Return words as `a, b and c`, for the middle of a sentence."""
    texts = [str(word) for word in words]
    if len(texts) < 2:
        return "".join(texts)
    return f"{', '.join(texts[:-1])} and {texts[-1]}"
