"""From trials to marks: one look for each state, the same in every figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hpo_app.plots.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION, drawable
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from hpo_app.plan.criteria import Criteria
    from hpo_app.study.records import TrialRecord


@dataclass(frozen=True)
class Point:
    """One trial in a figure.

    Attributes:
        number: Number of the trial.
        x: Where it stands on the x axis.
        y: Value of the objective; None if the trial has none, and then it is marked at the
            lower edge.
        state: How the trial stands.
        is_default: Whether it is the default configuration.
        is_best: Whether it is the winner.
        is_beyond: Whether it does not keep a constraint.
    """

    number: int
    x: float
    y: float | None
    state: TrialState
    is_default: bool = False
    is_best: bool = False
    is_beyond: bool = False


@dataclass(frozen=True)
class Look:
    """How one kind of trial is drawn.

    Attributes:
        label: Its name in the legend.
        marker: Its shape in matplotlib's letters.
        fill: Colour inside.
        edge: Colour of the outline; a cross has none.
        size: Its area in square points.
    """

    label: str
    marker: str
    fill: str
    edge: str
    size: float

    @property
    def colour(self) -> str:
        """The one colour that stands for it in lines and bars."""
        return self.edge if self.fill == "none" else self.fill


LOOKS = {
    TrialState.STOPPED: Look("stopped early", "o", "none", GREY, 18),
    TrialState.INTERRUPTED: Look("interrupted", "s", "none", ORANGE, 22),
    TrialState.RUNNING: Look("running", "^", SKY, BLUE, 26),
    TrialState.FINISHED: Look("finished", "o", BLUE, "white", 30),
    TrialState.FAILED: Look("failed", "x", VERMILLION, "none", 30),
}
DEFAULT_LOOK = Look("default configuration", "D", "none", PURPLE, 90)
BEYOND_LOOK = Look("beyond a constraint", "x", BLACK, "none", 14)
BEST_LOOK = Look("best trial", "*", GREEN, BLACK, 170)

# More trials than this make the marks smaller, down to a share of their area.
_CROWD = 200
_SMALLEST = 0.3


def point_of(trial: TrialRecord, x: float, criteria: Criteria, best: TrialRecord | None) -> Point:
    """Return the mark of a trial at `x`, with the first objective as its value."""
    value, is_beyond = trial.value(criteria.objective.metric), bool(trial.unmet(criteria))
    return Point(trial.number, x, value, trial.state, trial.is_default, trial is best, is_beyond)


def spread(number: int) -> float:
    """Return a place for a trial among others with the same value, from -0.5 to 0.5."""
    # Multiples of the golden ratio spread evenly and are the same on every drawing.
    return (number * 0.6180339887) % 1.0 - 0.5


def draw_points(axes: Axes, points: Sequence[Point]) -> None:
    """Draw trials by state, then what is special about some of them on top.

    A cross on those beyond a constraint, a frame around the default one, a star on the best.
    """
    shrink = min(1.0, max(_SMALLEST, _CROWD / max(len(points), 1)))
    for state, look in LOOKS.items():
        _scatter(axes, [point for point in points if point.state is state], look, shrink)
    _scatter(axes, [point for point in points if point.is_beyond], BEYOND_LOOK, shrink)
    _scatter(axes, [point for point in points if point.is_default], DEFAULT_LOOK)
    _scatter(axes, [point for point in points if point.is_best], BEST_LOOK)


def _scatter(axes: Axes, points: Sequence[Point], look: Look, shrink: float = 1.0) -> None:
    is_cross = look.marker == "x"
    colours = (
        {"color": look.fill} if is_cross else {"facecolors": look.fill, "edgecolors": look.edge}
    )
    settings: dict[str, Any] = {
        "s": look.size * shrink,
        "marker": look.marker,
        "linewidths": 1.2 * shrink**0.5,
        "zorder": 3,
        **colours,
    }
    placed = [(point.x, drawable(point.y)) for point in points if point.y is not None]
    if placed:
        xs, ys = zip(*placed, strict=True)
        axes.scatter(xs, ys, label=look.label, **settings)
    at_edge = [point.x for point in points if point.y is None]
    if at_edge:
        # x in the units of the data, y as a share of the height: an edge, not a value.
        edge, place = [0.025] * len(at_edge), axes.get_xaxis_transform()
        label = None if placed else f"{look.label} (no value)"
        axes.scatter(at_edge, edge, label=label, transform=place, **settings)
        axes.update_datalim([(x, 0.0) for x in at_edge], updatey=False)
        axes.autoscale_view()
