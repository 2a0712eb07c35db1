"""What every action is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from rich.console import Console


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hpo_app.config.reading import Reading
    from hpo_app.config.settings import RunSettings
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.signals import Signals
    from hpo_app.training.contract import TrainFunction


@dataclass(frozen=True)
class Command:
    """One invocation.

    Attributes:
        read_plan: Reads what the config describes.
        read_settings: Reads the little of it that counts where a file holds the rest.
        read_reading: Reads what it says to the actions that only read run folders.
        folder: The run folder; exists.
        best: Value of the key `best`.
        changes: Overrides of model, data and training that apply to the file named by `best`.
        signals: What this process is told while the action goes on.
        started_by: How it was started, for the record and the report.
        train: The training function, where Python code handed one over; else the plan names it.
        again: How to go on with the run, where that is not our own command line's way.
        is_composed: Whether a person's own app has composed its config with the overrides already.
        console: Where to say what a person should know.
        events: Where to say what happens while a search lasts; None for `console`.
    """

    read_plan: Callable[[], RunPlan]
    read_settings: Callable[[], RunSettings]
    read_reading: Callable[[], Reading]
    folder: Path
    best: str | None
    changes: tuple[str, ...]
    signals: Signals
    started_by: str
    train: TrainFunction | None = None
    again: str = ""
    is_composed: bool = False
    console: Console = field(default_factory=lambda: Console(highlight=False))
    events: Console | None = None

    @cached_property
    def plan(self) -> RunPlan:
        """What the config describes, read when it is first asked for.

        Raises:
            PlanError: With everything that is wrong with it.
        """
        return self.read_plan()

    @cached_property
    def settings(self) -> RunSettings:
        """What the invocation says of training a configuration that a file holds.

        Raises:
            PlanError: With everything that is wrong with it.
        """
        return self.read_settings()

    @cached_property
    def reading(self) -> Reading:
        """What the invocation says of reading run folders.

        Raises:
            PlanError: With everything that is wrong with it.
        """
        return self.read_reading()


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
