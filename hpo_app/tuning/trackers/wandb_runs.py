"""From trials to runs of Weights & Biases.

Ray's own callback starts two processes for each trial, takes trial numbers for names of runs, which
then meet those of other searches, and hands the API key to Ray, which logs it. This one keeps the
runs in this process.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray.tune.logger import LoggerCallback


if TYPE_CHECKING:
    from hpo_app.tuning.trackers.told import TrackedTrial

_INIT_TIMEOUT_S = 60
_NEEDS_NO_LOGIN = ("offline", "disabled", "dryrun")
_NO_LOGIN = (
    "no login; export WANDB_API_KEY, type `wandb login`, or export WANDB_MODE=offline, then go on "
    "with action=resume"
)


class WandbTracker(LoggerCallback):
    """Keeps one run of Weights & Biases per trial.

    Args:
        project: The project that the runs belong to.
    """

    def __init__(self, project: str = "hpo_app") -> None:
        # It writes to the terminal, where the live view stands.
        os.environ.setdefault("WANDB_SILENT", "true")
        # Not above: it takes two seconds, and only who wants it has it.
        import wandb  # noqa: PLC0415

        self._wandb = wandb
        self._project = project
        self._folder = Path()
        self._runs: dict[int, Any] = {}

    def setup(self, *_: Any, run_folder: Path, **__: Any) -> None:
        """Refuse to go on without a login: the library would ask for one, and wait.

        Raises:
            RuntimeError: If there is none.
        """
        # It makes a folder wandb in this one.
        self._folder = run_folder.parent
        is_offline = os.environ.get("WANDB_MODE", "") in _NEEDS_NO_LOGIN
        if not is_offline and not self._wandb.login(prompt=False):
            raise RuntimeError(_NO_LOGIN)

    def log_trial_start(self, trial: TrackedTrial) -> None:
        """Start the run of a trial, or go on with it."""
        if trial.number in self._runs:
            self._runs[trial.number].config.update(trial.config, allow_val_change=True)
            return
        settings = self._wandb.Settings(
            silent=True,
            console="off",
            init_timeout=_INIT_TIMEOUT_S,
            save_code=False,
            disable_git=True,
            x_disable_meta=True,
            x_disable_stats=True,
        )
        try:
            self._runs[trial.number] = self._wandb.init(
                project=self._project,
                group=trial.experiment_dir_name,
                id=trial.trial_id,
                name=str(trial),
                dir=self._folder,
                config=trial.config,
                reinit="create_new",
                resume="allow",
                settings=settings,
            )
        finally:
            # It leads out of the run folder, and such links are refused when a run goes on.
            for link in self._folder.glob(f"wandb/*-{trial.trial_id}/logs/debug-core.log"):
                link.unlink(missing_ok=True)

    def log_trial_result(self, iteration: int, trial: TrackedTrial, result: dict[str, Any]) -> None:  # noqa: ARG002 - Ray's signature
        """Log a report."""
        self._runs[trial.number].log(result, step=result["training_iteration"])

    def log_trial_end(self, trial: TrackedTrial, failed: bool = False) -> None:  # noqa: FBT001, FBT002 - Ray's signature
        """End the run of a trial."""
        run = self._runs.pop(trial.number, None)
        if run is not None:
            run.finish(exit_code=int(failed))

    def on_experiment_end(self, trials: list[Any], **_: Any) -> None:  # noqa: ARG002 - Ray's signature
        """End the runs of trials that were cut off."""
        for number in list(self._runs):
            self._runs.pop(number).finish(exit_code=1)
