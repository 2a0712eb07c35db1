"""From a run that goes on to what a person sees of it: a live table, or plain lines."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hpo_app.analysis.failures import error_line
from hpo_app.report.format import duration, number, params_text
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from hpo_app.plan.run_plan import Objective
    from hpo_app.study.records import TrialRecord

_REDRAW_S = 0.25
_STATUS_LINE_S = 30.0


class Progress:
    """Counts and the best trial of a run, kept up to date at no cost per earlier trial.

    Attributes:
        num_trials: How many trials there will be.
        iterations: Iterations of a full trial.
        best: The best trial so far: most iterations first, then the better value.
    """

    def __init__(self, objective: Objective, num_trials: int, iterations: int) -> None:
        self.objective = objective
        self.num_trials = num_trials
        self.iterations = iterations
        self.best: TrialRecord | None = None
        self._states: dict[int, TrialState] = {}
        self._at: dict[int, int] = {}

    def update(self, trial: TrialRecord) -> bool:
        """Take a trial as it stands; return whether it became the best."""
        self._states[trial.number] = trial.state
        self._at[trial.number] = trial.iterations
        if trial.state is TrialState.FAILED or self._rank(trial) is None:
            if self.best is not None and self.best.number == trial.number:
                self.best = None
            return False
        if self.best is None or self._rank(trial) >= self._rank(self.best):  # type: ignore[operator]
            is_new = self.best is None or self.best.number != trial.number
            self.best = trial
            return is_new
        return False

    @property
    def counts(self) -> Counter[TrialState]:
        """Number of trials in each state."""
        return Counter(self._states.values())

    @property
    def num_ended(self) -> int:
        """Number of trials that have ended."""
        return len(self._states) - self.counts[TrialState.RUNNING]

    def seconds_left(self, elapsed_s: float) -> float | None:
        """Return an estimate of the seconds left; None while nothing has ended."""
        if not self.num_ended:
            return None
        running = (
            min(self._at[trial] / self.iterations, 0.9)
            for trial, state in self._states.items()
            if state is TrialState.RUNNING
        )
        done = self.num_ended + sum(running)
        return elapsed_s * max(self.num_trials - done, 0) / done

    def _rank(self, trial: TrialRecord) -> tuple[int, float] | None:
        value = trial.value(self.objective.metric)
        if value is None:
            return None
        # As analysis.best ranks: a trial that finished by itself was trained to its end.
        is_whole = trial.state is TrialState.FINISHED
        fidelity = max(trial.iterations, self.iterations) if is_whole else trial.iterations
        return fidelity, self.objective.sign * value


def counts_text(progress: Progress) -> str:
    """Return the trials by state, as `3 running, 12 finished, 2 stopped`."""
    shown = [
        f"{progress.counts[state]} {state.value}" for state in TrialState if progress.counts[state]
    ]
    return ", ".join(shown) or "starting"


class PlainView:
    """Prints one line per trial that ends, and a status line at times: for logs and pipes."""

    def __init__(self, progress: Progress, console: Console) -> None:
        self._progress = progress
        self._console = console
        self._last_status_s = 0.0

    def __enter__(self) -> PlainView:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def changed(self, event: str, trial: TrialRecord) -> None:
        """Print a line if the trial has ended."""
        self._progress.update(trial)
        if event == "ended":
            self._print(_trial_line(self._progress, trial))
        elif event == "retried":
            self._print(f"trial {trial.number} failed and is started again")

    def refresh(self, elapsed_s: float) -> None:
        """Print a status line if none was printed for a while."""
        if elapsed_s - self._last_status_s >= _STATUS_LINE_S:
            self._last_status_s = elapsed_s
            self._print(_status_line(self._progress, elapsed_s))

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class LiveView:
    """Keeps a table on the terminal: trials by state, the best so far, progress, time left."""

    def __init__(self, progress: Progress, console: Console) -> None:
        self._progress = progress
        self._console = console
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._drawn_at = 0.0
        self._running: dict[int, TrialRecord] = {}

    def __enter__(self) -> LiveView:
        self._live.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def changed(self, event: str, trial: TrialRecord) -> None:
        """Take note of a trial; failures are said at once, above the table."""
        self._progress.update(trial)
        self._running.pop(trial.number, None)
        if trial.state is TrialState.RUNNING and trial.started_s is not None:
            self._running[trial.number] = trial
        if event == "ended" and trial.state is TrialState.FAILED:
            line = _trial_line(self._progress, trial)
            self._console.print(line, markup=False, highlight=False, style="red")

    def refresh(self, elapsed_s: float) -> None:
        """Draw the table anew, a few times a second at most."""
        now = time.monotonic()
        if now - self._drawn_at >= _REDRAW_S:
            self._drawn_at = now
            self._live.update(self._draw(elapsed_s), refresh=True)

    def _draw(self, elapsed_s: float) -> Group:
        progress = self._progress
        head = Table.grid(padding=(0, 2))
        head.add_row(
            f"{progress.num_ended}/{progress.num_trials} trials",
            ProgressBar(total=progress.num_trials, completed=progress.num_ended, width=30),
            Text(f"{duration(elapsed_s)} gone, {_left(progress, elapsed_s)}"),
        )
        lines = [Text(counts_text(progress)), Text(_best_line(progress), style="bold")]
        return Group(head, *lines, self._table())

    def _table(self) -> Table:
        table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
        for title in ("trial", "iteration", self._progress.objective.metric, "params"):
            table.add_column(title, overflow="ellipsis", no_wrap=True)
        newest = sorted(self._running.values(), key=lambda trial: trial.number)[-8:]
        for trial in newest:
            value = trial.value(self._progress.objective.metric)
            table.add_row(
                str(trial.number),
                f"{trial.iterations}/{self._progress.iterations}",
                "" if value is None else number(value),
                Text(params_text(trial.params)),
            )
        return table


def make_view(progress: Progress, console: Console) -> PlainView | LiveView:
    """Return the live table on a terminal, plain lines elsewhere."""
    return LiveView(progress, console) if console.is_terminal else PlainView(progress, console)


def _trial_line(progress: Progress, trial: TrialRecord) -> str:
    word = {TrialState.STOPPED: "stopped early", TrialState.INTERRUPTED: "cut off"}.get(
        trial.state, trial.state.value
    )
    head = f"[{progress.num_ended}/{progress.num_trials}] trial {trial.number} {word}"
    if trial.state is TrialState.FAILED:
        return f"{head}: {error_line(trial.error)}"
    value = trial.value(progress.objective.metric)
    shown = "nothing reported" if value is None else f"{progress.objective.metric} {number(value)}"
    return f"{head} after {trial.iterations} iterations, {shown}; {_best_line(progress)}"


def _best_line(progress: Progress) -> str:
    best = progress.best
    value = best.value(progress.objective.metric) if best else None
    if best is None or value is None:
        return "no result yet"
    text = f"best so far {number(value)} (trial {best.number}, iteration {best.iterations})"
    return f"{text}: {params_text(best.params)}"


def _status_line(progress: Progress, elapsed_s: float) -> str:
    left = _left(progress, elapsed_s)
    return f"{counts_text(progress)}; {duration(elapsed_s)} gone, {left}; {_best_line(progress)}"


def _left(progress: Progress, elapsed_s: float) -> str:
    left = progress.seconds_left(elapsed_s)
    return "time left not known yet" if left is None else f"about {duration(left)} left"
