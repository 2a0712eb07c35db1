"""From what a live view is told to trackers: they learn of an event once the journal holds it."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from ray.tune import Callback

from hpo_app.config.build import build
from hpo_app.errors import PlanError, Problem
from hpo_app.study.journal import FILE_NAME
from hpo_app.study.records import TrialState
from hpo_app.tuning.trackers.told import result_of, tracked
from hpo_app.tuning.trackers.tracker import Tracker


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.signals import Signals
    from hpo_app.study.fresh import FreshSoFar
    from hpo_app.study.records import TrialRecord
    from hpo_app.tuning.view import RunView

_NOT_IN_A_NAME = re.compile(r"[^\w.-]+")


def make_trackers(plan: RunPlan) -> dict[str, Callback]:
    """Return the callbacks that the config names.

    Raises:
        PlanError: If one does not take its arguments, or is no callback of Ray Tune.
    """
    callbacks = {}
    for name, component in plan.trackers.items():
        callback = build(component, f"tracker.{name}", plan.trusted_modules)
        if not isinstance(callback, Callback):
            got = f"{component.target}, which gives a {type(callback).__name__}"
            expected = "a ray.tune.Callback, for example a ray.tune.logger.LoggerCallback"
            raise PlanError([Problem(f"tracker.{name}._target_", got, expected, "name one")])
        callbacks[name] = callback
    return callbacks


@contextlib.contextmanager
def tracking(
    callbacks: Mapping[str, Callback], plan: RunPlan, folder: Path, view: RunView, signals: Signals
) -> Iterator[RunView]:
    """Give a view that shows what `view` does, and tells trackers too; wait for them at the end.

    Args:
        callbacks: The trackers, by name.
        plan: What is run.
        folder: The run folder; each tracker's files go to a folder in it.
        view: Shown the run.
        signals: After one there is little time to wait.
    """
    if not callbacks:
        yield view
        return
    trackers = [Tracker(name, callback, view.notice) for name, callback in callbacks.items()]
    try:
        yield _TrackedView(trackers, plan, folder, view)
    finally:
        for tracker in trackers:
            tracker.end()
        for tracker in trackers:
            # Some libraries wait for themselves at the end of Python.
            signals.has_stuck_threads |= not tracker.wait(signals)


class _TrackedView:
    """A view that tells trackers as well."""

    def __init__(self, trackers: list[Tracker], plan: RunPlan, folder: Path, view: RunView) -> None:
        self._trackers = trackers
        self._folder = folder
        self._view = view
        self._do_params_change = plan.scheduler.is_population
        self._key = ""

    def changed(self, event: str, trial: TrialRecord) -> None:
        """Tell of an event."""
        self._view.changed(event, trial)
        if event not in ("started", "reported", "ended"):
            return
        if not self._key:
            self._key = _key_of(self._folder)
            for tracker in self._trackers:
                folder = self._folder / tracker.name
                tracker.tell("setup", run_folder=folder, run_key=self._key)
        hook, fields = self._hook(event, trial)
        for tracker in self._trackers if hook else ():
            folder = self._folder / tracker.name
            told = tracked(trial, self._key, self._folder.name, folder)
            tracker.tell(hook, iteration=0, trials=[], trial=told, **fields)

    def refresh(self, elapsed_s: float) -> None:
        """Let the view draw."""
        self._view.refresh(elapsed_s)

    def confirms(self, so_far: FreshSoFar) -> None:
        """Let the view show it."""
        self._view.confirms(so_far)

    def notice(self, text: str) -> None:
        """Let the view say something."""
        self._view.notice(text)

    def _hook(self, event: str, trial: TrialRecord) -> tuple[str, dict[str, Any]]:
        """Return the hook of a callback that an event is for; an empty one for none."""
        if event == "started":
            return "on_trial_start", {}
        if event == "reported":
            return "on_trial_result", {
                "result": result_of(trial, with_params=self._do_params_change)
            }
        if trial.state is TrialState.INTERRUPTED:
            return "", {}  # It goes on when the run is resumed.
        return "on_trial_error" if trial.state is TrialState.FAILED else "on_trial_complete", {}


def _key_of(folder: Path) -> str:
    """Return a name for a run that no other has: that of its folder may come again.

    The checksum of the journal's first line, which tells of its time and host, stays with a run
    that goes on.
    """
    with (folder / FILE_NAME).open("rb") as journal:
        checksum = journal.read(8).decode("ascii")
    name = _NOT_IN_A_NAME.sub("-", folder.name)[:60]
    return f"{name}-{checksum}"
