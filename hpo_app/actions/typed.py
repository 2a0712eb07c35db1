"""From arguments to a command that a person can copy and run."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from hpo_app.config.trainer import is_unnamed


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hpo_app.plan.run_plan import RunPlan

# scripts/run sets it to its own path: who started it so has no `python` that knows hpo_app.
_STARTED_BY = "HPO_COMMAND"


def typed(arguments: Sequence[str]) -> str:
    """Return the command that starts hpo_app with `arguments`, as it was started this time."""
    start = os.environ.get(_STARTED_BY) or "python -m hpo_app"
    return " ".join([start, *(shlex.quote(argument) for argument in arguments)])


def train_command(plan: RunPlan, folder: Path, name: str = "best.yaml") -> str:
    """Return what trains the winner of a run, or what another file of it holds.

    A command, or Python where the training function was written in a running program.
    """
    if is_unnamed(plan.trainer):
        loaded = f"HPOptimizer().load_results({str(shown_path(folder))!r})"
        metric = plan.objective.metric
        return f"{_engine(plan)}.fit(**{loaded}.best_config(), metric={metric!r})"
    return train_file_command(folder / name, plan.trusted_modules)


def train_file_command(path: Path, trusted: Sequence[str]) -> str:
    """Return the command that trains what a file of a run holds, trusting these modules."""
    return typed(["action=train", f"best={shown_path(path)}", *_trusted(trusted)])


def resume_command(folder: Path, plan: RunPlan | None = None) -> str:
    """Return what goes on with a run; what no folder may decide is typed again."""
    if plan is not None and is_unnamed(plan.trainer):
        return f"HPOptimizer({_engine(plan)}).resume({str(shown_path(folder))!r})"
    decided = [] if plan is None else [*_trusted(plan.trusted_modules), *_address(plan)]
    return typed(["action=resume", f"run={shown_path(folder)}", *decided])


def _engine(plan: RunPlan) -> str:
    name = plan.trainer.rpartition(":")[2].rpartition(".")[2]
    return f"TrainingEngine({name if name.isidentifier() else 'train'})"


def _address(plan: RunPlan) -> list[str]:
    return [] if plan.cluster.is_local else [f"ray.address={plan.cluster.address}"]


def _trusted(modules: Sequence[str]) -> list[str]:
    return [f"trusted_modules=[{','.join(modules)}]"] if modules else []


def shown_path(path: Path) -> str:
    """Return a path as one would type it from here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
