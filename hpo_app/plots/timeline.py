"""From a study to bars over time: when trials trained, and whether workers stood idle."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch

from hpo_app.analysis.wording import counted
from hpo_app.plots.points import LOOKS
from hpo_app.plots.style import (
    BLACK,
    TICK_SIZE,
    count_along_y,
    empty_figure,
    label_axes,
    new_axes,
    new_figure,
    say_above,
)
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Iterable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hpo_app.study.records import Study

_MOST_HEIGHT_IN = 6.0
_UNITS = ((3600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


@dataclass(frozen=True)
class Span:
    """The time of one trial.

    Attributes:
        number: Number of the trial.
        lane: Row in which it stands, from 1: the lowest that was free when it started.
        start_s: Seconds from the run's start to its own.
        end_s: Seconds from the run's start to its end, or to the last event.
        state: How it stands.
    """

    number: int
    lane: int
    start_s: float
    end_s: float
    state: TrialState


@dataclass(frozen=True)
class Timeline:
    """When trials trained.

    Attributes:
        spans: By start; trials that never started are left out.
        num_lanes: The most trials at once.
        busy: Share of the time of all lanes, from the first start to the last end, in which a
            trial was under way, pauses included; 0 without a trial.
    """

    spans: tuple[Span, ...]
    num_lanes: int
    busy: float


def timeline(study: Study) -> Timeline:
    """Return when each trial trained, in as few lanes as there were trials at once."""
    started = sorted(
        (trial.started_s, trial.number, trial)
        for trial in study.trials
        if trial.started_s is not None
    )
    spans: list[Span] = []
    free: list[int] = []
    taken: list[tuple[float, int]] = []
    for start_s, number, trial in started:
        while taken and taken[0][0] <= start_s:
            heapq.heappush(free, heapq.heappop(taken)[1])
        lane = heapq.heappop(free) if free else len(taken) + 1
        end_s = study.duration_s if trial.ended_s is None else trial.ended_s
        end_s = max(end_s, start_s)
        heapq.heappush(taken, (end_s, lane))
        spans.append(Span(number, lane, start_s, end_s, trial.state))
    num_lanes = max((span.lane for span in spans), default=0)
    return Timeline(tuple(spans), num_lanes, _busy(spans, num_lanes))


def draw(study: Study) -> Figure:
    """Draw a bar per trial over the time of the run."""
    times = timeline(study)
    title = "When trials trained"
    if not times.spans:
        return empty_figure(title, study, "has started")
    figure = new_figure(
        title, _description(times), height=min(2.0 + 0.35 * times.num_lanes, _MOST_HEIGHT_IN)
    )
    axes = new_axes(figure)
    axes.grid(visible=False, axis="y")
    longest = max(span.end_s for span in times.spans)
    seconds, unit = next((s, word) for s, word in _UNITS if longest >= 2 * s or s == 1.0)
    handles = [
        _draw_bars(axes, [span for span in times.spans if span.state is state], state, seconds)
        for state in LOOKS
        if any(span.state is state for span in times.spans)
    ]
    axes.set_xlim(0.0, longest / seconds * 1.02 or 1.0)
    axes.set_ylim(times.num_lanes + 0.6, 0.4)
    count_along_y(axes)
    label_axes(axes, f"{unit} since the run started", "trials at once")
    say_above(axes, _busy_sentence(times))
    figure.legend(
        handles=handles, loc="outside lower center", fontsize=TICK_SIZE, frameon=False,
        ncols=len(handles),
    )  # fmt: skip
    return figure


def _busy(spans: Iterable[Span], num_lanes: int) -> float:
    spans = list(spans)
    if not spans:
        return 0.0
    whole = max(span.end_s for span in spans) - min(span.start_s for span in spans)
    trained = sum(span.end_s - span.start_s for span in spans)
    return min(trained / (whole * num_lanes), 1.0) if whole > 0 else 1.0


def _draw_bars(axes: Axes, spans: list[Span], state: TrialState, seconds: float) -> Patch:
    look = LOOKS[state]
    bars = [
        [(left, span.lane - 0.38), (right, span.lane - 0.38), (right, span.lane + 0.38),
         (left, span.lane + 0.38)]
        for span in spans
        for left, right in [(span.start_s / seconds, span.end_s / seconds)]
    ]  # fmt: skip
    width = 0.8 if len(spans) <= 500 else 0.0
    axes.add_collection(
        PolyCollection(bars, facecolors=look.colour, edgecolors="white", linewidths=width)
    )
    if state is TrialState.FAILED:
        ends, lanes = [span.end_s / seconds for span in spans], [span.lane for span in spans]
        axes.scatter(ends, lanes, marker="x", color=BLACK, s=28, linewidths=1.4, zorder=3)
    return Patch(facecolor=look.colour, label=look.label)


def _busy_sentence(times: Timeline) -> str:
    trials = counted(len(times.spans), "trial")
    places = f"at most {times.num_lanes} at once"
    return f"{trials}, {places}. Places in use: {times.busy:.0%}, pauses of trials included."


def _description(times: Timeline) -> str:
    ends = max(span.end_s for span in times.spans)
    return f"A bar per trial over {ends:.0f} seconds. {_busy_sentence(times)}"
