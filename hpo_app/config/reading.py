"""From a composed config to what the actions are told that only read run folders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_app.config.provenance import set_by
from hpo_app.config.section import Section, resolved
from hpo_app.config.trust import trust_from_a_file
from hpo_app.errors import PlanError, Problem, RunFolderError


if TYPE_CHECKING:
    from omegaconf import DictConfig

    from hpo_app.config.compose import Origin

_EXAMPLE = "run=outputs/DATE/TIME"


@dataclass(frozen=True)
class Reading:
    """What is to be read, and where it goes.

    Attributes:
        runs: The folders that `run` names, in that order; none where it names none.
        output: Folder for what is written; None for the place that the action has for it.
        to: Format to export to; empty where none is named.
        trusted_modules: Packages of the person's own, for the commands that are printed.
    """

    runs: tuple[Path, ...]
    output: Path | None
    to: str
    trusted_modules: tuple[str, ...]

    @property
    def only_run(self) -> Path:
        """The one folder that is to be read.

        Raises:
            RunFolderError: If none is named, or more than one.
        """
        if len(self.runs) != 1:
            got = ", ".join(map(str, self.runs)) or "nothing"
            fix = f"name one, for example {_EXAMPLE}; action=list shows them"
            raise RunFolderError([Problem("run", got, "the folder of a run", fix)])
        return self.runs[0]


def parse_reading(config: DictConfig, origin: Origin) -> Reading:
    """Return what a composed config says of reading run folders, and look at nothing else.

    Raises:
        PlanError: With everything that is wrong with it.
    """
    problems: list[Problem] = []
    keys = ("run", "output", "to", "trusted_modules")
    values = {key: resolved(config, key, problems) for key in keys}
    root = Section("", values, problems)
    output = root.optional_text("output")
    reading = Reading(
        runs=_folders(values["run"], problems),
        output=Path(output) if output else None,
        to=root.optional_text("to"),
        trusted_modules=root.texts("trusted_modules"),
    )
    problems += trust_from_a_file(reading.trusted_modules, origin)
    if problems:
        raise PlanError([replace(item, set_by=set_by(item.key, origin)) for item in problems])
    return reading


def _folders(value: Any, problems: list[Problem]) -> tuple[Path, ...]:
    if value is None:
        return ()
    named = value if isinstance(value, list) else [value]
    # A folder may be named like a number.
    if named and all(isinstance(item, str | int) and str(item) for item in named):
        return tuple(Path(str(item)) for item in named)
    expected = "a run folder, or several in brackets"
    problems.append(Problem("run", str(value), expected, f"name one, for example {_EXAMPLE}"))
    return ()
