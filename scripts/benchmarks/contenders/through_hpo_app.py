"""The trials through hpo_app, from overrides to a study, with everything it keeps of a run."""

from __future__ import annotations

import logging
import os
import time
from typing import TYPE_CHECKING

from contenders import own_ray
from contenders.work import SEED, SLOTS, Outcome

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.study.records import TrialState
from hpo_app.tuning.runner import run_search
from hpo_app.tuning.session import SETTINGS


if TYPE_CHECKING:
    from pathlib import Path

    from contenders.work import Work

    from hpo_app.study.records import TrialRecord


stop = own_ray.stop


class _SilentView:
    """Shows nothing, and remembers when the first report came."""

    def __init__(self) -> None:
        self.first_at = 0.0

    def changed(self, event: str, trial: TrialRecord) -> None:  # noqa: ARG002
        if event == "reported" and not self.first_at:
            self.first_at = time.time()

    def notice(self, text: str) -> None:
        pass

    def refresh(self, elapsed_s: float) -> None:
        pass


def start() -> None:
    """Start the Ray that `run_search` would start, so that its start is seen by itself."""
    os.environ.update(SETTINGS)
    own_ray.start(logging_level=logging.CRITICAL)


def run(work: Work, folder: Path) -> Outcome:
    """Compose, check and run the search; journal and callbacks included, the report left out."""
    config, origin = compose_config(
        [
            *work.overrides,
            f"num_trials={work.num_trials}",
            f"training.iterations={work.training['iterations']}",
            "training.checkpoint_every=0",
            "repeat_duplicates=true",  # Trials of PPO differ in nothing but their seeds.
            f"ray.num_cpus={SLOTS}",
            f"seed={SEED}",
        ]
    )
    view = _SilentView()
    study = run_search(parse_plan(config, origin), folder, view, {})
    values = [trial.value(work.metric) for trial in study.in_state(TrialState.FINISHED)]
    return Outcome([value for value in values if value is not None], view.first_at)
