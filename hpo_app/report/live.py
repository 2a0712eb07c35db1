"""From a run that goes on to what a person sees of it: a live table, or plain lines."""

from __future__ import annotations

import time
from collections import Counter
from operator import itemgetter
from typing import TYPE_CHECKING

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from hpo_app.analysis.best import leader, standing_of
from hpo_app.analysis.failures import error_line
from hpo_app.analysis.pareto import Front
from hpo_app.report.format import bounds_text, duration, number, objectives_text, params_text
from hpo_app.report.sentences import ranges_text
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from types import TracebackType

    from rich.console import Console

    from hpo_app.analysis.best import Standing
    from hpo_app.plan.criteria import Criteria
    from hpo_app.study.fresh import FreshSoFar
    from hpo_app.study.records import TrialRecord

_REDRAW_S = 0.25
_STATUS_LINE_S = 30.0


class Progress:
    """Counts and the best trial of a run, kept up to date at no cost per earlier trial.

    Attributes:
        num_trials: How many trials there will be.
        iterations: Iterations of a full trial.
        is_confirmed: Whether trainings with fresh seeds follow the search.
        confirmation: How far the trainings with fresh seeds are; None while the search lasts.
    """

    def __init__(
        self, criteria: Criteria, num_trials: int, iterations: int, *, is_confirmed: bool = False
    ) -> None:
        self.criteria = criteria
        self.objective = criteria.objective
        self.num_trials = num_trials
        self.iterations = iterations
        self.is_confirmed = is_confirmed
        self.confirmation: FreshSoFar | None = None
        self._front = Front(criteria, iterations) if criteria.has_several else None
        self._first: TrialRecord | None = None
        self._not_over: set[int] = set()
        self._states: dict[int, TrialState] = {}
        self._at: dict[int, int] = {}
        self._ranked: dict[int, tuple[Standing, TrialRecord]] = {}

    def update(self, trial: TrialRecord) -> None:
        """Take a trial as it stands."""
        self._states[trial.number] = trial.state
        self._at[trial.number] = trial.iterations
        if self._front is not None:
            self._front.add(trial)
        if trial.state.is_open:
            self._not_over.add(trial.number)
        else:
            self._not_over.discard(trial.number)
        standing = standing_of(trial, self.criteria, self.iterations)
        if standing is None:
            self._ranked.pop(trial.number, None)
            if self._first is not None and self._first.number == trial.number:
                self._first = min(self._ranked.values(), key=itemgetter(0), default=(None, None))[1]
            return
        self._ranked[trial.number] = (standing, trial)
        if self._first is None or standing <= self._ranked[self._first.number][0]:
            self._first = trial

    @property
    def front(self) -> list[TrialRecord]:
        """The Pareto front so far; empty with one objective."""
        return self._front.members if self._front is not None else []

    @property
    def best(self) -> TrialRecord | None:
        """The best trial so far, as `analysis.best` ranks; None with several objectives."""
        if self._first is None or self._front is not None:
            return None
        known = [self._ranked[number] for number in self._not_over if number in self._ranked]
        ordered = [trial for _, trial in sorted(known, key=itemgetter(0))]
        return leader(self._first, ordered, self.criteria)

    @property
    def counts(self) -> Counter[TrialState]:
        """Number of trials in each state."""
        return Counter(self._states.values())

    @property
    def num_ended(self) -> int:
        """Number of trials that have ended."""
        return len(self._states) - self.counts[TrialState.RUNNING]

    def seconds_left(self, elapsed_s: float) -> float | None:
        """Return about how many seconds the search has left; None while nothing has ended."""
        if not self.num_ended:
            return None
        running = (
            min(self._at[trial] / self.iterations, 0.9)
            for trial, state in self._states.items()
            if state is TrialState.RUNNING
        )
        done = self.num_ended + sum(running)
        return elapsed_s * max(self.num_trials - done, 0) / done


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
        self._told_best: int | None = None

    def __enter__(self) -> PlainView:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        return None

    def confirms(self, so_far: FreshSoFar) -> None:
        """Take note of how far the confirmation is."""
        self._progress.confirmation = so_far

    def notice(self, text: str) -> None:
        """Print what a person should know at once."""
        self._print(text)

    def changed(self, event: str, trial: TrialRecord) -> None:
        """Print a line if the trial has ended."""
        before = self._progress.best
        self._progress.update(trial)
        if event == "ended":
            best = self._progress.best
            is_news = best is not None and (before is None or best.number != self._told_best)
            self._told_best = best.number if best is not None else None
            self._print(_trial_line(self._progress, trial, is_news=is_news))
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

    def confirms(self, so_far: FreshSoFar) -> None:
        """Take note of how far the confirmation is."""
        self._progress.confirmation = so_far

    def notice(self, text: str) -> None:
        """Show what a person should know at once, above the table."""
        self._console.print(Text(text), style="yellow")

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
        width = min(30, max(self._console.width - 60, 8))
        head.add_row(
            Text(f"{progress.num_ended}/{progress.num_trials} trials", no_wrap=True),
            ProgressBar(total=progress.num_trials, completed=progress.num_ended, width=width),
            Text(f"{duration(elapsed_s)} gone, {_left(progress, elapsed_s)}"),
        )
        lines = [Text(_standing(progress)), Text(_best_line(progress), style="bold")]
        return Group(head, *lines, self._table())

    def _table(self) -> Table:
        table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), expand=True)
        metrics = [objective.metric for objective in self._progress.criteria.objectives]
        for title in ("trial", "iteration", *metrics):
            table.add_column(title, no_wrap=True, min_width=min(len(title), 10))
        # The params give way first: the numbers beside them are what one watches.
        table.add_column("params", overflow="ellipsis", no_wrap=True, ratio=1)
        newest = sorted(self._running.values(), key=lambda trial: trial.number)[-8:]
        for trial in newest:
            values = [trial.value(metric) for metric in metrics]
            table.add_row(
                str(trial.number),
                f"{trial.iterations}/{self._progress.iterations}",
                *("" if value is None else number(value) for value in values),
                Text(params_text(trial.params)),
            )
        return table


def make_view(progress: Progress, console: Console) -> PlainView | LiveView:
    """Return the live table on a terminal, plain lines elsewhere."""
    return LiveView(progress, console) if console.is_terminal else PlainView(progress, console)


def _trial_line(progress: Progress, trial: TrialRecord, *, is_news: bool = True) -> str:
    word = {TrialState.STOPPED: "stopped early", TrialState.INTERRUPTED: "interrupted"}.get(
        trial.state, trial.state.value
    )
    head = f"[{progress.num_ended}/{progress.num_trials}] trial {trial.number} {word}"
    if trial.state is TrialState.FAILED:
        return f"{head}: {error_line(trial.error)} (see trials/{trial.number}/log.txt)"
    shown = objectives_text(trial.last, progress.criteria) or "nothing reported"
    # The best is told in full when it changes, and by its number while it stands.
    best = _best_line(progress) if is_news else _best_so_far(progress)
    return f"{head} after {trial.iterations} iterations, {shown}; {best}"


def _best_line(progress: Progress) -> str:
    best = progress.best
    params = f": {params_text(best.params)}" if best is not None else ""
    return _best_so_far(progress) + params


def _best_so_far(progress: Progress) -> str:
    if progress.front:
        return f"on the Pareto front: {ranges_text(progress.front, progress.criteria)}"
    best = progress.best
    value = best.value(progress.objective.metric) if best else None
    if best is None or value is None:
        return "no result yet"
    text = f"best so far {number(value)} (trial {best.number}, iteration {best.iterations})"
    unmet = best.unmet(progress.criteria)
    return f"{text}, which does not keep {bounds_text(unmet, best.last)}" if unmet else text


def _status_line(progress: Progress, elapsed_s: float) -> str:
    left = _left(progress, elapsed_s)
    return f"{_standing(progress)}; {duration(elapsed_s)} gone, {left}; {_best_line(progress)}"


def _standing(progress: Progress) -> str:
    """Return how many trials stand how, and how far the confirmation is."""
    so_far = progress.confirmation
    if so_far is None:
        return counts_text(progress)
    ended = f"{so_far.num_ended} of {so_far.most} trainings at most"
    return f"{counts_text(progress)}; confirmation: {ended}"


def _left(progress: Progress, elapsed_s: float) -> str:
    so_far = progress.confirmation
    left = progress.seconds_left(elapsed_s) if so_far is None else so_far.seconds_left
    if left is None:
        return "time left not known yet"
    if so_far is not None:
        return f"about {duration(left)} left at most"
    # How long that takes depends on who is still in doubt then.
    return f"about {duration(left)} left{', then the confirmation' * progress.is_confirmed}"
