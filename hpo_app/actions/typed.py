"""From arguments to a command that a person can copy and run."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from hpo_app.config.build import APP_TRAINER
from hpo_app.config.overrides import spelled
from hpo_app.config.trainer import is_unnamed


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hpo_app.plan.run_plan import Objective, RunPlan
    from hpo_app.study.records import Study

# scripts/run sets it to its own path: who started it so has no `python` that knows hpo_app.
_STARTED_BY = "HPO_COMMAND"


def typed(arguments: Sequence[str]) -> str:
    """Return the command that starts hpo_app with `arguments`, as it was started this time."""
    start = os.environ.get(_STARTED_BY) or "python -m hpo_app"
    return " ".join([start, *(shlex.quote(argument) for argument in arguments)])


def train_command(plan: RunPlan, folder: Path, name: str = "best.yaml") -> str:
    """Return what trains the winner of a run, or what another file of it holds."""
    return _training(plan.trainer, plan.objective, folder / name, plan.trusted_modules)


def train_command_of(study: Study, trusted: Sequence[str] = ()) -> str:
    """Return what trains the winner of a run whose folder is all that is there of it."""
    trainer = str(study.facts.get("trainer", ""))
    return _training(trainer, study.objective, study.folder / "best.yaml", trusted)


def _training(trainer: str, objective: Objective, path: Path, trusted: Sequence[str]) -> str:
    """Return a command, or Python where the function was written in a running program."""
    if not is_unnamed(trainer):
        return typed(["action=train", f"best={shown_path(path)}", *_trusted(trusted)])
    folder, number = (path.parent, "") if path.stem == "best" else (path.parent.parent, path.stem)
    loaded = f"HPOptimizer().load_results({str(shown_path(folder))!r}).config({number})"
    return f"{_engine(trainer)}.fit(**{loaded}, metric={objective.metric!r})"


def resume_command(folder: Path, plan: RunPlan | None = None) -> str:
    """Return what goes on with a run; what no folder may decide is typed again."""
    if plan is not None and is_unnamed(plan.trainer):
        return f"HPOptimizer({_engine(plan.trainer)}).resume({str(shown_path(folder))!r})"
    decided = [] if plan is None else [*_trusted(plan.trusted_modules), *_places(plan)]
    return typed(["action=resume", f"run={shown_path(folder)}", *decided, *_app(plan)])


def _app(plan: RunPlan | None) -> list[str]:
    model = plan.template.get("model") if plan is not None else None
    app = model.get("app") if isinstance(model, dict) else None
    is_app = plan is not None and plan.trainer == APP_TRAINER and isinstance(app, str)
    return [f"model.app={app}"] if is_app else []


def _engine(trainer: str) -> str:
    name = trainer.rpartition(":")[2].rpartition(".")[2]
    return f"TrainingEngine({name if name.isidentifier() else 'train'})"


def _places(plan: RunPlan) -> list[str]:
    address = [] if plan.cluster.is_local else [f"ray.address={plan.cluster.address}"]
    return [*address, *([spelled("storage", plan.storage)] if plan.storage else [])]


def _trusted(modules: Sequence[str]) -> list[str]:
    return [f"trusted_modules=[{','.join(modules)}]"] if modules else []


def shown_path(path: Path) -> str:
    """Return a path as one would type it from here."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
