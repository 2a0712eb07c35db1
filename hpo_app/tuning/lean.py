"""From Tune's bookkeeping to as much of it as a run of thousands of trials can bear.

What is left out serves to read Tune's own results and state, which are the journal's part here.
"""

from __future__ import annotations

import functools
import time
from typing import TYPE_CHECKING, Any

from ray.tune.experiment import Trial
from ray.tune.registry import get_trainable_cls
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from hpo_app.study.fresh import is_fresh


if TYPE_CHECKING:
    from collections.abc import Iterable

    from hpo_app.tuning.alive import AliveTrials

# A name is registered for one run only.
_trainable = functools.lru_cache(maxsize=1)(get_trainable_cls)


class LeanTrial(Trial):
    """A trial of Tune's that costs the driver what its training needs, and no more.

    Tune asks Ray's control process three times per trial whether its training function is known,
    describes every trial in JSON at the end of a run, and keeps statistics of each number of each
    report, 40 kB a trial.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        # A stub is not looked up.
        super().__init__(*args, stub=True, **options)

    def get_trainable_cls(self) -> Any:
        """Return the class that trains; all trials of a run have the same."""
        return _trainable(self.trainable_name)

    def get_json_state(self) -> tuple[str, str]:
        """Return nothing: a run goes on from its journal."""
        return "{}", "{}"

    def update_last_result(self, result: dict[str, Any]) -> None:
        """Remember the last report, and nothing of those before it."""
        self.run_metadata.last_result = result
        self.run_metadata.last_result_time = time.time()


def look_at_alive_only(scheduler: Any, alive: AliveTrials) -> None:
    """Let a scheduler choose among trials that have not ended, not among all of a long run.

    Tune's ordinary choice goes through all trials, twice, at each event. Schedulers that choose in
    a way of their own keep it.
    """
    if type(scheduler).choose_trial_to_run is FIFOScheduler.choose_trial_to_run:
        scheduler.choose_trial_to_run = lambda _controller: _first_to_run(alive.held.values())


def leave_fresh_alone(scheduler: Any, alive: AliveTrials) -> None:
    """Keep trainings with fresh seeds from a scheduler, which would stop, pause or learn from them.

    They are trained to their end, and start once no trial of the search is left.
    """
    for name in _TOLD:
        setattr(scheduler, name, _passing_by(getattr(scheduler, name)))
    chooses = scheduler.choose_trial_to_run

    def choose(controller: Any) -> Trial | None:
        fresh = (trial for trial in alive.held.values() if is_fresh(int(trial.trial_id)))
        waiting = next((trial for trial in fresh if trial.status == Trial.PENDING), None)
        return waiting or chooses(controller)

    scheduler.choose_trial_to_run = choose


_TOLD = (
    "on_trial_add",
    "on_trial_error",
    "on_trial_result",
    "on_trial_complete",
    "on_trial_remove",
)


def _passing_by(told: Any) -> Any:
    @functools.wraps(told)
    def passing(controller: Any, trial: Any, *args: Any, **options: Any) -> Any:
        if is_fresh(int(trial.trial_id)):
            return TrialScheduler.CONTINUE
        return told(controller, trial, *args, **options)

    return passing


def _first_to_run(trials: Iterable[Trial]) -> Trial | None:
    paused = None
    for trial in trials:
        if trial.status == Trial.PENDING:
            return trial
        if paused is None and trial.status == Trial.PAUSED:
            paused = trial
    return paused
