"""What every action is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from pathlib import Path

    from hpo_app.plan.run_plan import RunPlan


@dataclass(frozen=True)
class Command:
    """One invocation.

    Attributes:
        plan: What the config describes.
        folder: The run folder; exists.
        best: Value of the key `best`.
        changes: Overrides of model, data and training that apply to the file named by `best`.
    """

    plan: RunPlan
    folder: Path
    best: str | None
    changes: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of an invocation.

    Attributes:
        exit_code: What the process ends with.
        value: The objective's best value, for whoever searches over searches.
        keeps_folder: Whether the run folder holds anything worth keeping.
    """

    exit_code: int
    value: float | None = None
    keeps_folder: bool = True
