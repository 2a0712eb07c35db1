"""From the choices of a composed config to a person's own files that Hydra never read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.errors import Problem


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hpo_app.config.compose import Origin


def shadowed(origin: Origin) -> Iterator[Problem]:
    """Yield the choices that a person has a file for, in the place of which Hydra read another.

    Of two files of one name the first folder's is read, and ours comes first: what a person copied
    there would never be trained, and nobody would say so.
    """
    for named, choice in origin.choices.items():
        group = named.partition("@")[0]
        file = f"{group}/{choice}.yaml"
        found = dict.fromkeys((folder / file).resolve() for folder in origin.sources)
        there = [path for path in found if _is_file(path)]
        for other in there[1:]:
            if _differ(there[0], other):
                got = f"{choice}, which is read from {there[0]}, and not from {other}"
                fix = f"rename your file to {choice}_mine.yaml, and write {group}={choice}_mine"
                yield Problem(group, got, "a name that no other file of the group has", fix)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # A choice too long for the name of a file, out of a damaged config.
        return False


def _differ(one: Path, other: Path) -> bool:
    try:
        return one.read_bytes() != other.read_bytes()
    except OSError:
        return False
