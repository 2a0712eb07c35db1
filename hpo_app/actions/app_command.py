"""From the winner of a search over a Hydra app to the command that runs the app with it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from hpo_app.actions.typed import shown_path, train_command
from hpo_app.config.build import APP_TRAINER
from hpo_app.config.render import render


if TYPE_CHECKING:
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.study.records import Study, TrialRecord

_FLAGS = {
    "config_path": "--config-path",
    "config_name": "--config-name",
    "config_dir": "--config-dir",
}


def training_command(plan: RunPlan, study: Study, trial: TrialRecord | None) -> str:
    """Return what trains a trial's configuration anew; for an app, by its own command line."""
    if plan.trainer != APP_TRAINER or trial is None:
        return train_command(plan, study.folder)
    from hpo_app.apps.override_text import override_text  # noqa: PLC0415 - Hydra's grammar takes time

    model = render(plan.template, trial.params).model
    app = str(model["app"])
    start = [shown_path(Path(app))] if app.endswith(".py") else ["-m", app]
    flags = [f"{flag}={model[key]}" for key, flag in _FLAGS.items() if model.get(key)]
    fixed = [text for text in model["overrides"] if not text.startswith("hydra/sweeper=")]
    keys = model.get("keys") or {}
    sampled = [override_text(keys.get(name, name), each) for name, each in model["values"].items()]
    return " ".join(["python", *map(shlex.quote, [*start, *flags, *fixed, *sampled])])
