"""From what a run keeps on disk to a word in time: what is removed, and when it does not fit."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from hpo_app.analysis.best import best_trial, standing_of
from hpo_app.analysis.failures import error_line
from hpo_app.analysis.pareto import Front
from hpo_app.errors import HpoError
from hpo_app.study.disk import full_reason, is_full
from hpo_app.study.fresh import is_fresh, name_of, place_of
from hpo_app.study.records import TrialState
from hpo_app.training.checkpoint import checkpoint_checksum, read_iteration
from hpo_app.tuning.attempts import want_of_room
from hpo_app.tuning.kept import KeptCheckpoints
from hpo_app.tuning.preflight import checkpoint_note
from hpo_app.tuning.temp_folder import scratch_folder


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.study.records import Study, TrialRecord
    from hpo_app.tuning.past import Restart
    from hpo_app.tuning.store import Store


class RunStorage:
    """What a run keeps on disk, and whether that goes on fitting.

    Attributes:
        slots: How many trials train at once; 0 while that is not known.
        checkpoints: The checkpoints that are kept.
        store: Where they are kept.
    """

    def __init__(
        self,
        plan: RunPlan,
        store: Store,
        notice: Callable[[str], None],
        stop: Callable[[str], None],
    ) -> None:
        budget_gb, keep_best = plan.checkpoints.budget_gb, plan.checkpoints.keep_best
        # Which of a front is the most balanced one changes with every member.
        self._front = Front(plan.criteria, plan.iterations) if plan.criteria.has_several else None
        keep_best = plan.num_trials if self._front is not None and keep_best else keep_best
        self.slots = 0
        self.store = store
        self.checkpoints = KeptCheckpoints(
            keep_best, None if budget_gb is None else budget_gb * 1e9, self.store
        )
        self._plan = plan
        self._folder = store.folder
        self._notice = notice
        self._stop = stop
        self._is_first = True
        self._reported: set[int] = set()
        self._wants_states = plan.scheduler.does_pause

    def take_over(self, study: Study, restarts: list[Restart]) -> None:
        """Count what an earlier start left, and remove what nobody needs any more."""
        bases = {restart.record.number: restart.checkpoint for restart in restarts}
        all_trials = (*study.trials, *study.fresh)
        for trial in all_trials:
            folder = self._folder / "trials" / place_of(trial.number)
            self.checkpoints.take_over(trial.number, folder, bases.get(trial.number))
        for trial in all_trials:
            if trial.number not in bases:
                self.ended(trial, trial.state)

    def account_of(self, number: int, checkpoint: Path) -> dict[str, int] | None:
        """Return what the journal says of a trial's newest checkpoint; None if it is of no use."""
        try:
            self.store.note(checkpoint)
            iteration, crc32 = read_iteration(checkpoint), checkpoint_checksum(checkpoint)
        except (HpoError, OSError) as error:
            # Somebody removed it, or a trainer filled it with more than can be looked at.
            why = error_line(str(error))
            self._notice(f"a checkpoint of {name_of(number)} is of no use: {why}")
            return None
        return {"iteration": iteration, "crc32": crc32}

    def reported(self, number: int) -> None:
        """Say once that a scheduler gets no states to go on from, where trials keep none."""
        if not self._wants_states:
            return
        if number not in self._reported:
            self._reported.add(number)
            return
        # The state of a trial's first report is there before its second one.
        self._wants_states = False
        if not self.checkpoints.largest:
            self._tell(_no_states(is_population=self._plan.scheduler.is_population))

    def tidy(self) -> None:
        """Remove what nobody needs; to be called once the journal is on disk."""
        note, reason = self.checkpoints.clean()
        self._tell(note)
        if reason:
            self._stop(reason)
        if self._is_first and self.checkpoints.largest:
            self._is_first = False
            self._tell(checkpoint_note(self._plan, self._folder, self.slots, self.checkpoints))

    def ended(self, trial: TrialRecord, state: TrialState) -> None:
        """Take note of a trial that ended; one that was cut off keeps what it goes on from."""
        if state in {TrialState.RUNNING, TrialState.INTERRUPTED}:
            return
        if is_fresh(trial.number):
            # Nobody goes on from it.
            self.checkpoints.ended(trial.number, None)
            return
        standing = standing_of(trial, self._plan.criteria, self._plan.iterations)
        if self._front is not None:
            for beaten in self._front.add(trial):
                self.checkpoints.beaten(beaten)
            standing = standing if trial.number in self._front else None
        self.checkpoints.ended(trial.number, None if state is TrialState.FAILED else standing)

    def is_full(self, error: str) -> bool:
        """Return whether a trial failed for want of room; the run then ends in order."""
        # The temporary folder of the driver is that of its trials on this machine only.
        own = [scratch_folder()] if self._plan.cluster.is_local else []
        shared = self.store.shared_folder or self._folder
        reason = want_of_room(error, *dict.fromkeys((self._folder, shared, *own)))
        if reason:
            self._stop(reason)
        return bool(reason)

    def bring_home(self, study: Study) -> None:
        """Copy into the run folder what is wanted of what was kept apart: the winner, and logs."""
        if not self.store.key:
            return
        self.store.bring_logs(place_of(trial.number) for trial in (*study.trials, *study.fresh))
        winner = best_trial(study)
        if winner is None or winner.checkpoint is None:
            return
        state = self._folder / winner.checkpoint
        try:
            self.store.bring_home(state)
        except OSError as error:
            self._notice(f"the best checkpoint stays at {self.store.kept(state)}: {error}")

    def broken_off(self, error: BaseException) -> str:
        """Return why a run ends that an error outside its trials broke off."""
        if is_full(error):
            return full_reason(error, self._folder)
        text = "".join(traceback.format_exception_only(error))
        return f"the run broke off: {error_line(text)}"

    def _tell(self, note: str) -> None:
        if note:
            self._notice(note)


def _no_states(*, is_population: bool) -> str:
    lost = (
        "nobody goes on from a better one, and the population is a random search"
        if is_population
        else "one that the scheduler pauses begins anew"
    )
    return (
        f"trials keep no checkpoints, so that {lost}; a training function hands them to "
        "trial.report(metrics, checkpoint=FOLDER)"
    )
