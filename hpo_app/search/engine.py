"""What proposes values: the one door through which every search algorithm comes in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hpo_app.plan.search_space import Params
    from hpo_app.study.earlier import EarlierTrial
    from hpo_app.study.records import Report, TrialState


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    Attributes:
        state: How it ended.
        reports: All that it reported, by iteration.
    """

    state: TrialState
    reports: Sequence[Report] = ()

    @property
    def last(self) -> Mapping[str, float]:
        """The metrics of the last report; empty without one."""
        return self.reports[-1].metrics if self.reports else {}

    def curve(self, metric: str) -> list[tuple[int, float]]:
        """Return `(iteration, value)` of every report that has `metric`."""
        return [
            (report.iteration, report.metrics[metric])
            for report in self.reports
            if metric in report.metrics
        ]


class Exhausted(Exception):  # noqa: N818 - an end, and no error
    """An engine has nothing to propose any more.

    Attributes:
        reason: Why, as a sentence.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Engine(Protocol):
    """A search algorithm, in whatever library it lives: asked for values, told what became of them.

    Numbers are those of the trials, and each is proposed or imposed once. An engine that is made
    with the same seed and called in the same order proposes the same: a run is continued by calling
    it again as the journal says (`search/searcher.py`).
    """

    def propose(self, number: int) -> Params | None:
        """Return the values that trial `number` shall be trained with.

        None if the engine first wants to hear of trials that are still open.

        Raises:
            Exhausted: If there is nothing more to propose, whatever the open trials bring.
        """
        ...

    def impose(self, number: int, params: Params) -> None:
        """Hear of values that somebody else chose for trial `number`: the default, a journal."""
        ...

    def withdraw(self, number: int) -> None:
        """Hear that what was proposed for `number` is not trained; says nothing of the values."""
        ...

    def tell(self, number: int, outcome: Outcome) -> str:
        """Hear what became of a trial; return the word for how it was taken, for the journal."""
        ...

    def learn(self, trial: EarlierTrial) -> None:
        """Hear of a trial of another run, which has no number in this one."""
        ...
