"""From the journal of an earlier start to a run that goes on where it stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ray.tune.schedulers import (
    AsyncHyperBandScheduler,
    FIFOScheduler,
    MedianStoppingRule,
    TrialScheduler,
)

from hpo_app.errors import listed
from hpo_app.study.fresh import is_fresh, name_of, place_of
from hpo_app.study.replay import StudyBuilder
from hpo_app.training.checkpoint import (
    checkpoint_checksum,
    read_iteration as _iteration,
)
from hpo_app.tuning.kept import CHECKPOINT_PREFIX
from hpo_app.tuning.pbt import PopulationTraining
from hpo_app.tuning.store import Store
from hpo_app.tuning.trainable import JUDGED


if TYPE_CHECKING:
    from pathlib import Path

    from hpo_app.study.journal import Event
    from hpo_app.study.records import TrialRecord


@dataclass(frozen=True)
class Restart:
    """A trial that goes on under its old number.

    Attributes:
        record: The trial as the journal tells of it.
        checkpoint: Newest whole checkpoint, of another trial if it took over that one's state and
            has none since; None to train from the start.
        last_index: Number of the newest checkpoint folder, whole or not; -1 without any.
        note: What a person should know of it; empty if all is well.
    """

    record: TrialRecord
    checkpoint: Path | None
    last_index: int
    note: str


class Past:
    """What an earlier start of a run left behind.

    Attributes:
        events: The journal.
        study: What it tells of.
        store: Where the states of its trials are kept.
    """

    def __init__(self, folder: Path, events: list[Event], store: Store | None = None) -> None:
        self.events = events
        self.store = store or Store(folder)
        self._folder = folder
        self.builder = StudyBuilder(folder, events[0].fields)
        for event in events:
            self.builder.add(event.name, event.at_s, event.fields)
        self.study = self.builder.study()
        # A later event of the same path is the one that counts: a trial may write it twice.
        self._checksums = {
            event.fields["path"]: event.fields.get("crc32")
            for event in events
            if event.name == "checkpointed"
        }

    def restarts(self) -> list[Restart]:
        """Return the trials that have not ended, by number."""
        all_trials = (*self.study.trials, *self.study.fresh)
        return [self._restart(trial) for trial in all_trials if trial.state.is_open]

    @property
    def of_search(self) -> list[Event]:
        """The journal without the trainings with fresh seeds, of which no scheduler hears."""
        return [event for event in self.events if not is_fresh(event.fields.get("trial", 0))]

    def _restart(self, trial: TrialRecord) -> Restart:
        found = _checkpoints_in(self._folder / "trials" / place_of(trial.number))
        last_index = int(found[-1].name.removeprefix(CHECKPOINT_PREFIX)) if found else -1
        # A clone went on from another trial's state: its own older checkpoints are of other params.
        own = [path for path in found if not trial.clones or self._is_after_clone(trial, path)]
        damaged = self._lost(trial, own)
        newest = None
        for path in reversed(own):
            if not self._is_sound(path):
                damaged.append(path.name)
            # A state that is ahead of the last acknowledged report would leave a gap in the curve.
            elif _iteration(path) <= trial.iterations:
                newest = path
                break
        if newest is None:
            newest = self._copied(trial, damaged)
        note = ""
        if damaged:
            back = f"goes on from {newest.name}" if newest else "starts over"
            note = f"{name_of(trial.number)} {back}: damaged or missing {listed(damaged)}"
        return Restart(trial, newest, last_index, note)

    def _is_sound(self, path: Path) -> bool:
        """Return whether a checkpoint is whole, and the one that the journal tells of."""
        known = self._checksums.get(str(path.relative_to(self._folder)))
        return self.store.is_whole(path) and known in (None, checkpoint_checksum(path))

    def _lost(self, trial: TrialRecord, own: list[Path]) -> list[str]:
        """Return the newest checkpoint that the journal tells of, if it is no longer there."""
        if trial.checkpoint is None or trial.is_untried:
            return []
        recorded = self._folder / trial.checkpoint
        is_of_others = bool(trial.clones) and not self._is_after_clone(trial, recorded)
        return [] if recorded in own or is_of_others else [recorded.name]

    def _copied(self, trial: TrialRecord, damaged: list[str]) -> Path | None:
        """Return the state that a trial took over and has not added to, if it is still there."""
        if not trial.clones or trial.clones[-1].checkpoint is None:
            return None
        path = self._folder / trial.clones[-1].checkpoint
        if self._is_sound(path):
            return path
        damaged.append(str(path.relative_to(self._folder)))
        return None

    def _is_after_clone(self, trial: TrialRecord, path: Path) -> bool:
        relative = str(path.relative_to(self._folder))
        after = False
        for event in self.events:
            if event.fields.get("trial") != trial.number:
                continue
            if event.name == "cloned":
                after = False
            elif event.name == "checkpointed" and event.fields["path"] == relative:
                after = True
        return after


def _checkpoints_in(folder: Path) -> list[Path]:
    """Return the checkpoints in a trial's folder, oldest first."""
    found = folder.glob(f"{CHECKPOINT_PREFIX}*")
    return sorted(path for path in found if path.name.removeprefix(CHECKPOINT_PREFIX).isdecimal())


class _Remembered:
    """Stands in for a trial of the past where a scheduler wants to know which one it was."""

    def __init__(self, number: int) -> None:
        self.trial_id = f"{number:06d}"


class _NobodyWaits:
    """Stands in for Tune where a scheduler asks whether trials wait; ours are made when one can."""

    def get_live_trials(self) -> tuple[()]:
        return ()


_NOBODY_WAITS = _NobodyWaits()
# These decide by what was reported before, so that they can live through it again.
_LOOK_AT_REPORTS_ONLY = (AsyncHyperBandScheduler, MedianStoppingRule)


def remind(scheduler: Any, past: Past) -> set[int]:
    """Let a scheduler live through the past again.

    Args:
        scheduler: A fresh one of the same settings.
        past: What it has seen before.

    Returns:
        Numbers of unfinished trials that it had decided to stop, but that were not stopped yet.
    """
    if isinstance(scheduler, PopulationTraining):
        scheduler.remember(past.study, past.of_search)
        return set()
    if not isinstance(scheduler, _LOOK_AT_REPORTS_ONLY):
        return set()
    return _remind_of_reports(scheduler, past)


def has_memory(scheduler: Any) -> bool:
    """Return whether `remind` can bring a scheduler back to where it stood."""
    known = (PopulationTraining, *_LOOK_AT_REPORTS_ONLY)
    return isinstance(scheduler, known) or type(scheduler) is FIFOScheduler


def _remind_of_reports(scheduler: TrialScheduler, past: Past) -> set[int]:
    trials: dict[int, _Remembered] = {}
    last: dict[int, dict[str, Any]] = {}
    stopped: set[int] = set()
    for event in past.of_search:
        number = event.fields.get("trial", -1)
        if event.name == "asked":
            trials[number] = _Remembered(number)
            scheduler.on_trial_add(_NOBODY_WAITS, trials[number])
        elif event.name == "reported" and number not in stopped:
            judged = past.study.criteria.judged(event.fields["metrics"])
            last[number] = {"iteration": event.fields["iteration"], JUDGED: judged}
            decision = scheduler.on_trial_result(_NOBODY_WAITS, trials[number], last[number])
            if decision == TrialScheduler.STOP:
                stopped.add(number)
        elif event.name == "ended" and event.fields["state"] in {"finished", "stopped"}:
            scheduler.on_trial_complete(_NOBODY_WAITS, trials[number], last.get(number, {}))
            stopped.discard(number)
    unfinished = {restart.record.number for restart in past.restarts()}
    return stopped & unfinished
