"""From what Tune tells to what is remembered: journal, sampler and live view learn it here."""

from __future__ import annotations

import re
import shutil
from collections import Counter, deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray.tune import Callback

from hpo_app.analysis.failures import error_line
from hpo_app.study.records import TrialState
from hpo_app.study.replay import StudyBuilder
from hpo_app.training.checkpoint import read_iteration
from hpo_app.training.seeds import derive_seed
from hpo_app.tuning.trainable import ERROR_BEGINS, ERROR_ENDS


if TYPE_CHECKING:
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.plan.search_space import Params
    from hpo_app.search.searcher import Searcher
    from hpo_app.study.journal import Journal
    from hpo_app.study.records import Study, TrialRecord
    from hpo_app.tuning.past import Past, Restart
    from hpo_app.tuning.view import RunView

# A population needs the state that a paused member copied, one to go on from, and one that is
# being written. Elsewhere the second is there in case the newest turns out to be damaged.
_KEPT_IN_POPULATION = 3
_KEPT = 2


class Recorder(Callback):
    """Writes the journal of a run, tells the sampler the truth, and feeds the live view.

    Attributes:
        stop_reason: Why the run is to end before its last trial; empty while it goes on.
    """

    def __init__(
        self, plan: RunPlan, folder: Path, journal: Journal, searcher: Searcher, view: RunView
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._journal = journal
        self._searcher = searcher
        self._view = view
        self._builder: StudyBuilder | None = None
        self._alive: set[int] = set()
        self._cut: set[int] = set()
        self._checkpoints: dict[int, dict[str, None]] = {}
        self._pinned: dict[int, str] = {}
        self._restarts: deque[Restart] = deque()
        self._errors: Counter[str] = Counter()
        self._num_sound = 0
        self.stop_reason = ""

    # What the run asks for.

    @property
    def num_asked(self) -> int:
        """How many trials were asked for."""
        return self._searcher.num_asked

    @property
    def num_alive(self) -> int:
        """How many trials were asked for and have not ended."""
        return len(self._alive)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run started."""
        return self._journal.elapsed_s

    def study(self) -> Study:
        """Return the study as it stands."""
        if self._builder is None:
            raise RuntimeError("the journal was not opened")
        return self._builder.study()

    def request_stop(self, reason: str) -> None:
        """Let the run end in order; the first reason stands."""
        self.stop_reason = self.stop_reason or reason

    def open(self, opened: dict[str, Any]) -> None:
        """Write the first event of the journal."""
        self._builder = StudyBuilder(self._folder, opened)
        self._write("opened", **opened)
        self._journal.sync()

    def reopen(self, past: Past, decided: set[int], resumed: dict[str, Any]) -> None:
        """Go on with the journal of an earlier start.

        Args:
            past: What the earlier start left behind.
            decided: Unfinished trials that the scheduler had decided to stop already.
            resumed: What the journal says of this start.
        """
        self._builder = past.builder
        self._num_sound = sum(bool(trial.reports) for trial in past.study.trials)
        for trial in past.study.trials:
            self._view.changed("asked", trial)
        restarts = past.restarts()
        self._write("resumed", **resumed)
        for restart in restarts:
            number, record = restart.record.number, restart.record
            if number in decided or record.iterations >= self._plan.iterations:
                is_whole = record.iterations >= self._plan.iterations
                self._end(number, TrialState.FINISHED if is_whole else TrialState.STOPPED)
                continue
            self._restarts.append(restart)
            self._checkpoints[number] = _folders(self._folder / "trials" / str(number))
        self._journal.sync()

    @property
    def num_restarts(self) -> int:
        """How many trials of an earlier start are still to be taken up."""
        return len(self._restarts)

    def next_restart(self) -> Restart | None:
        """Return the next trial of an earlier start that goes on, or None."""
        if not self._restarts:
            return None
        restart = self._restarts.popleft()
        number = restart.record.number
        self._alive.add(number)
        source = str(restart.checkpoint.relative_to(self._folder)) if restart.checkpoint else None
        iteration = read_iteration(restart.checkpoint) if restart.checkpoint else 0
        self._write("continued", trial=number, checkpoint=source, iteration=iteration)
        return restart

    def ask(self) -> tuple[int, Params, int]:
        """Return number, parameters and seed of a new trial."""
        number, params, is_default = self._searcher.ask()
        seed = derive_seed(self._plan.seed, "trial", number)
        self._alive.add(number)
        self._write("asked", trial=number, params=params, is_default=is_default, seed=seed)
        return number, params, seed

    def close(self) -> None:
        """Put on record what the run's end cut off, and why it ended."""
        waiting = [restart.record.number for restart in self._restarts]
        for number in sorted({*self._alive, *waiting}):
            self._end(number, TrialState.INTERRUPTED)
        reason = self.stop_reason or f"all {self._plan.num_trials} trials ended"
        self._write("closed", reason=reason)
        self._journal.sync()

    def cloned(self, target: int, source: int, iteration: int, params: Params, path: str) -> None:
        """Put an exploit step of population-based training on record."""
        self._pinned[target] = path
        fields = {"source": source, "iteration": iteration, "params": params}
        self._write("cloned", trial=target, **fields)

    # What Tune tells.

    def on_trial_start(self, *_: Any, trial: Any, **__: Any) -> None:
        """A worker took the trial, for the first time or again."""
        self._write("started", trial=_number(trial))

    def on_trial_result(self, *_: Any, trial: Any, result: dict[str, Any], **__: Any) -> None:
        """The trial reported; the scheduler has decided already."""
        number = _number(trial)
        if result.get("done"):
            self._cut.add(number)
        self._write(
            "reported", trial=number, iteration=result["iteration"], metrics=result["metrics"]
        )

    def on_checkpoint(self, *_: Any, trial: Any, checkpoint: Any, **__: Any) -> None:
        """The trial's state is on disk."""
        number, path = _number(trial), str(checkpoint.path)
        relative = str(Path(path).relative_to(self._folder))
        self._write("checkpointed", trial=number, path=relative)
        self._pinned.pop(number, None)
        known = self._checkpoints.setdefault(number, {})
        known.pop(path, None)
        known[path] = None
        self._remove_old(known)

    def on_trial_complete(self, *_: Any, trial: Any, **__: Any) -> None:
        """The trial returned, or the scheduler stopped it."""
        number = _number(trial)
        record = self._record(number)
        is_cut = number in self._cut and record.iterations < self._plan.iterations
        self._end(number, TrialState.STOPPED if is_cut else TrialState.FINISHED)

    def on_trial_recover(self, *_: Any, trial: Any, **__: Any) -> None:
        """The trial failed and will be started again."""
        self._write("retried", trial=_number(trial), error=_error_text(trial))

    def on_trial_error(self, *_: Any, trial: Any, **__: Any) -> None:
        """The trial failed for good."""
        error = _error_text(trial)
        self._errors[_kind(error)] += 1
        self._end(_number(trial), TrialState.FAILED, error)

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Tune has handled an event: what it told becomes safe, and is shown."""
        if self._journal.has_pending:
            self._journal.sync()
        self._check_budget()
        self._view.refresh(self.elapsed_s)

    # What follows from it.

    def _check_budget(self) -> None:
        budget = self._plan.time_budget_s
        if not self.stop_reason and budget is not None and self.elapsed_s >= budget:
            self.stop_reason = f"the time budget of {budget:g} s was used up"

    def _end(self, number: int, state: TrialState, error: str | None = None) -> None:
        self._alive.discard(number)
        curve = self._record(number).curve(self._plan.objective.metric)
        fields = {"error": error} if error else {}
        told = self._searcher.tell(number, state, curve)
        self._write("ended", trial=number, state=state.value, told=told, **fields)
        self._num_sound += state is not TrialState.FAILED
        limit = self._plan.max_same_failures
        if error and not self._num_sound and self._errors[_kind(error)] >= limit:
            self.stop_reason = f"the first {limit} trials failed alike: {error_line(error)}"

    def _record(self, number: int) -> TrialRecord:
        if self._builder is None:
            raise RuntimeError("the journal was not opened")
        return self._builder.record(number)

    def _write(self, event: str, **fields: Any) -> None:
        at_s = self._journal.append(event, **fields)
        if self._builder is not None:
            self._builder.add(event, at_s, fields)
        if "trial" in fields:
            self._view.changed(event, self._record(fields["trial"]))

    def _remove_old(self, known: dict[str, None]) -> None:
        kept = _KEPT_IN_POPULATION if self._plan.scheduler.is_population else _KEPT
        for path in list(known)[:-kept]:
            if path not in self._pinned.values():
                shutil.rmtree(path, ignore_errors=True)
                del known[path]


def _folders(folder: Path) -> dict[str, None]:
    return dict.fromkeys(str(path) for path in sorted(folder.glob("checkpoint_*")))


def _number(trial: Any) -> int:
    return int(trial.trial_id)


def _error_text(trial: Any) -> str:
    text = Path(trial.error_file).read_text(encoding="utf-8", errors="replace")
    last = text.rsplit(ERROR_BEGINS, maxsplit=1)
    if len(last) == 2 and ERROR_ENDS in last[1]:
        return last[1].split(ERROR_ENDS, maxsplit=1)[0].strip()
    # The worker died without a word of its own.
    return text.rsplit("Failure #", maxsplit=1)[-1].strip()[-4000:]


def _kind(error: str) -> str:
    # Numbers tell attempts apart, not errors.
    return re.sub(r"\d+", "#", error_line(error))
