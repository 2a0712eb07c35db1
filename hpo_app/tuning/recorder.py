"""From what Tune tells to what is remembered: journal, sampler and live view learn it here."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from ray.tune import Callback

from hpo_app.search.engine import Exhausted, Outcome
from hpo_app.signals import Signals
from hpo_app.study.fresh import is_fresh, name_of
from hpo_app.study.records import TrialState
from hpo_app.study.replay import StudyBuilder
from hpo_app.training.checkpoint import read_iteration
from hpo_app.training.seeds import derive_seed
from hpo_app.tuning.alive import AliveTrials
from hpo_app.tuning.attempts import NOT_REUSED, error_of, in_another_worker
from hpo_app.tuning.confirming import Confirming
from hpo_app.tuning.ending import Ending
from hpo_app.tuning.ledger import Ledger
from hpo_app.tuning.storage import RunStorage
from hpo_app.tuning.view import ShieldedView
from hpo_app.tuning.watchdog import STALLED


if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.plan.search_space import Params
    from hpo_app.search.searcher import Searcher
    from hpo_app.study.journal import Journal
    from hpo_app.study.records import Study, TrialRecord
    from hpo_app.tuning.past import Past, Restart
    from hpo_app.tuning.store import Store
    from hpo_app.tuning.view import RunView


_LONGEST_WAIT_S = 30


class Recorder(Callback):
    """Writes the journal of a run, tells the sampler the truth, and feeds the live view.

    Attributes:
        ending: Says when the search is to end, and when the run.
        confirming: Says what is trained once the search is over.
        alive: Which trials have begun and not ended.
        signals: What this process is told.
        lost_process: Names a process of Ray itself that has ended; empty while none has.
        storage: What the run keeps on disk.
    """

    def __init__(
        self, plan: RunPlan, store: Store, journal: Journal, searcher: Searcher, view: RunView
    ) -> None:
        self._plan = plan
        self._folder = store.folder
        self._searcher = searcher
        self._view = ShieldedView(view)
        self._ledger = Ledger(journal, self._view)
        self.alive = AliveTrials()
        self._clones: list[dict[str, Any]] = []
        self._cut: set[int] = set()
        self.storage = RunStorage(plan, store, self._view.notice, self.request_stop)
        self._restarts: deque[Restart] = deque()
        self._is_noted = False
        self.confirming = Confirming(plan, self._view.notice)
        self.ending = Ending(plan, self.confirming, self._view.notice)
        self.signals = Signals()
        self.lost_process: Callable[[], str] = str

    # What the run asks for.

    @property
    def num_asked(self) -> int:
        """How many trials were asked for."""
        return self._searcher.num_asked

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run started."""
        return self._ledger.elapsed_s

    @property
    def stop_reason(self) -> str:
        """Why the run is to end before its last trial; empty while it goes on."""
        return self.ending.stop_reason

    def study(self) -> Study:
        """Return the study as it stands."""
        return self._ledger.study()

    def request_stop(self, reason: str) -> None:
        """Let the run end in order; the first reason stands, and an empty one is none."""
        self.ending.stop(reason)

    def open(self, opened: dict[str, Any]) -> None:
        """Write the first event of the journal."""
        self._ledger.builder = StudyBuilder(self._folder, opened)
        self._write("opened", **opened)
        self._sync()

    def reopen(self, past: Past, decided: set[int], resumed: dict[str, Any]) -> None:
        """Go on with the journal of an earlier start.

        Args:
            past: What the earlier start left behind.
            decided: Unfinished trials that the scheduler had decided to stop already.
            resumed: What the journal says of this start.
        """
        self._ledger.builder = past.builder
        for trial in past.study.trials:
            self._view.changed("asked", trial)
        self.ending.take_over(past.study)
        self.confirming.take_over(past.study)
        restarts = past.restarts()
        self._write("resumed", **resumed)
        self.storage.take_over(past.study, restarts)
        for restart in restarts:
            number, record = restart.record.number, restart.record
            is_whole = record.iterations >= self._plan.iterations and not record.is_untried
            if number in decided or is_whole:
                self._end(number, TrialState.FINISHED if is_whole else TrialState.STOPPED)
                continue
            self._restarts.append(restart)
        # Now: a trial that is asked for before the first event would undo the race.
        self.ending.end_search(self.confirming.end_of_search(self.elapsed_s))
        self._sync()

    @property
    def num_restarts(self) -> int:
        """How many trials of an earlier start are still to be taken up."""
        return sum(not self.ending.is_cut(restart.record.number) for restart in self._restarts)

    def next_restart(self) -> Restart | None:
        """Return the next trial of an earlier start that goes on, or None."""
        allowed = (each for each in self._restarts if not self.ending.is_cut(each.record.number))
        restart = next(allowed, None)
        if restart is None:
            return None
        self._restarts.remove(restart)
        if restart.note:
            self._view.notice(restart.note)
        number = restart.record.number
        self.confirming.prepare(restart.record.fresh, self.study)
        self.alive.begin(number)
        source = str(restart.checkpoint.relative_to(self._folder)) if restart.checkpoint else None
        iteration = read_iteration(restart.checkpoint) if restart.checkpoint else 0
        self._write("continued", trial=number, checkpoint=source, iteration=iteration)
        return restart

    def ask(self) -> tuple[int, Params, int] | None:
        """Return number, parameters and seed of a new trial, or None if there is none now."""
        try:
            asked = self._searcher.ask()
        except Exhausted as end:
            self._exhausted(end.reason)
            return None
        if asked is None:
            if not self.alive:
                self._exhausted("the search algorithm has nothing to propose, and nobody trains")
            return None
        if self._searcher.note and not self._is_noted:
            self._is_noted = True
            self._view.notice(f"{self._searcher.note}, from trial {asked[0]} on")
        number, params, is_default = asked
        seed = derive_seed(self._plan.seed, "trial", number)
        while seed in self.confirming.seeds:
            seed = derive_seed(seed, "another")
        self.alive.begin(number)
        self._write("asked", trial=number, params=params, is_default=is_default, seed=seed)
        return number, params, seed

    @property
    def is_searching(self) -> bool:
        """Whether a trial of the search has begun and not ended."""
        return any(not is_fresh(number) for number in self.alive)

    def repeat(self) -> TrialRecord | None:
        """Return a training with a fresh seed, or None if there is none now."""
        number = self.confirming.next(self.study, self._write, self.elapsed_s)
        if number is not None:
            self.alive.begin(number)
        return None if number is None else self._record(number)

    def _exhausted(self, reason: str) -> None:
        """Ask for no further trial; those that train go on."""
        self.ending.exhausted = reason
        self._write("exhausted", reason=reason)

    def close(self) -> None:
        """Put on record what the run's end cut off, and why it ended."""
        waiting = [restart.record.number for restart in self._restarts]
        for number in sorted({*self.alive, *waiting}):
            self._end(number, TrialState.INTERRUPTED)
        self._write("closed", reason=self.ending.reason)
        self._sync()

    def break_off(self, error: BaseException) -> None:
        """Say that the run ends because of an error outside its trials."""
        self.ending.stop_reason = self.storage.broken_off(error)

    def cloned(self, target: int, source: int, iteration: int, params: Params, path: str) -> None:
        """Remember an exploit step of population-based training.

        The scheduler decides before the report that it decides upon is told. In the journal the
        report comes first: it belongs to the parameters that the trial had until then.
        """
        local = self.storage.store.local(path)
        self.storage.checkpoints.copied(target, str(local))
        fields = {"source": source, "iteration": iteration, "params": params}
        self._clones.append({"trial": target, **fields, "checkpoint": self._relative(local)})

    def _write_clones(self) -> None:
        for fields in self._clones:
            self._write("cloned", **fields)
        self._clones.clear()

    # What Tune tells.

    def on_trial_start(self, *_: Any, trial: Any, **__: Any) -> None:
        """A worker took the trial, for the first time or again."""
        self._write("started", trial=_number(trial))

    def on_trial_result(self, *_: Any, trial: Any, result: dict[str, Any], **__: Any) -> None:
        """The trial reported; the scheduler has decided already."""
        number = _number(trial)
        if result.get("done"):
            self._cut.add(number)
        trial.config.pop("wait_s", None)
        if result["iteration"] > self._plan.iterations:
            return  # It ends the trial, and does not count.
        self.storage.reported(number)
        self._write(
            "reported", trial=number, iteration=result["iteration"], metrics=result["metrics"]
        )
        self._write_clones()

    def on_checkpoint(self, *_: Any, trial: Any, checkpoint: Any, **__: Any) -> None:
        """The trial's state is on disk."""
        number, path = _number(trial), self.storage.store.local(checkpoint.path)
        fields = self.storage.account_of(number, path)
        if fields is not None:
            self._write("checkpointed", trial=number, path=self._relative(path), **fields)
            self.storage.checkpoints.add(number, str(path))

    def on_trial_complete(self, *_: Any, trial: Any, **__: Any) -> None:
        """The trial returned, or the scheduler stopped it."""
        number = _number(trial)
        record = self._record(number)
        # A scheduler also stops trials that it had paused: those have not returned.
        was_stopped = number in self._cut or not trial.last_result.get("done")
        is_cut = was_stopped and record.iterations < self._plan.iterations
        state = TrialState.INTERRUPTED if self.ending.is_cut(number) else TrialState.STOPPED
        self._end(number, state if is_cut else TrialState.FINISHED)

    def on_trial_recover(self, *_: Any, trial: Any, **__: Any) -> None:
        """The trial failed and will be started again."""
        number, error = _number(trial), error_of(trial)
        if self._is_nobodys_fault or self.storage.is_full(error):
            return  # As in `on_trial_error`.
        if trial.lost_its_node:
            self._write("moved", trial=number, error=error)
            self._view.notice(f"{name_of(number)} goes on elsewhere: its node was lost")
            return
        self._write("retried", trial=number, error=error)
        # What made it fail, a full card or a slow disk, may need a moment to pass.
        trial.config["wait_s"] = min(2 ** (self._record(number).retries - 1), _LONGEST_WAIT_S)

    def on_trial_error(self, *_: Any, trial: Any, **__: Any) -> None:
        """The trial failed for good."""
        if self._is_nobodys_fault:
            return  # The trial counts as cut off, and goes on when the run is resumed.
        error = error_of(trial)
        if self.storage.is_full(error):
            # The disk failed and not the params: nobody is told that they are bad.
            self._end(_number(trial), TrialState.INTERRUPTED)
            return
        self._end(_number(trial), TrialState.FAILED, error)

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Tune has handled an event: what it told becomes safe, and is shown."""
        self._write_clones()
        self._end_untold()
        if self._ledger.has_pending:
            self._sync()
        self.ending.look_at_clock(self.elapsed_s)
        self.request_stop(self.signals.reason)
        if (so_far := self.confirming.so_far()) is not None:
            self._view.confirms(so_far)
        self._view.refresh(self.elapsed_s)

    # What follows from it.

    @property
    def _is_nobodys_fault(self) -> bool:
        """Whether somebody ends workers under trials that did nothing wrong.

        `timeout` and systemd tell the workers what they tell us, and where Tune's loop waits in a
        run that stands still, the watchdog ends the worker before the loop has let go of it.
        """
        return (
            bool(self.signals.reason)
            or self.stop_reason.startswith(STALLED)
            # The trials end with the part of Ray that did.
            or bool(self.lost_process())
        )

    def _end_untold(self) -> None:
        # Tune calls nobody when a worker cannot be reset for a trial; a trial that is still
        # counted as alive would keep its slot for ever.
        over = self.alive.untold()
        # Asked only now: it costs a look at Ray's processes.
        if not over or self._is_nobodys_fault:
            return
        for number, trial in over.items():
            if self.alive.may_move(number):
                self.alive.end(number)
                self._restarts.append(
                    in_another_worker(trial, self._record(number), self.storage.store)
                )
            elif trial.status == "ERROR" or not self.stop_reason:
                self._end(number, TrialState.FAILED, NOT_REUSED)

    def _end(self, number: int, state: TrialState, error: str | None = None) -> None:
        self.alive.end(number)
        fields = {"error": error} if error else {}
        if is_fresh(number):
            self._end_fresh(number, state, fields)
            return
        told = self._searcher.tell(number, Outcome(state, self._record(number).reports))
        self._write("ended", trial=number, state=state.value, told=told, **fields)
        self.storage.ended(self._record(number), state)
        self.ending.trial_ended(self._record(number), state, error or "")

    def _end_fresh(self, number: int, state: TrialState, fields: dict[str, str]) -> None:
        """Take note of a training that no sampler learns from and that ends no search."""
        self._write("ended", trial=number, state=state.value, **fields)
        self.storage.ended(self._record(number), state)
        self.confirming.ended(self._record(number), self.study())

    def _record(self, number: int) -> TrialRecord:
        return self._ledger.record(number)

    def _write(self, event: str, **fields: Any) -> None:
        self._ledger.write(event, **fields)

    def _sync(self) -> None:
        self._ledger.sync()
        # Only now: who reads the journal after a kill needs what it says.
        self.storage.tidy()

    def _relative(self, path: Path) -> str:
        return str(path.relative_to(self._folder))


def _number(trial: Any) -> int:
    return int(trial.trial_id)
