"""From the last reports of a trial to one value that is less lucky than the very last."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hpo_app.search.engine import Outcome


if TYPE_CHECKING:
    from hpo_app.plan.criteria import Criteria
    from hpo_app.plan.search_space import Params
    from hpo_app.search.engine import Engine
    from hpo_app.study.earlier import EarlierTrial


class AveragingEngine:
    """A search algorithm that is told, of each report, the mean of it and of those before it.

    Args:
        engine: The search algorithm.
        criteria: By what trials are judged; says of how many reports the mean counts.
    """

    def __init__(self, engine: Engine, criteria: Criteria) -> None:
        self._engine = engine
        self._criteria = criteria

    def propose(self, number: int) -> Params | None:
        """Return what the search algorithm proposes."""
        return self._engine.propose(number)

    def impose(self, number: int, params: Params) -> None:
        """Pass on what somebody else chose."""
        self._engine.impose(number, params)

    def withdraw(self, number: int) -> None:
        """Pass on that a proposal is not trained."""
        self._engine.withdraw(number)

    def learn(self, trial: EarlierTrial) -> None:
        """Pass on a trial of another run, which comes with its mean."""
        self._engine.learn(trial)

    def tell(self, number: int, outcome: Outcome) -> str:
        """Pass on what became of a trial, with means in the place of single values."""
        metric = self._criteria.objective.metric
        values = [report.metrics[metric] for report in outcome.reports]
        means = [self._criteria.settled(values[: count + 1]) for count in range(len(values))]
        reports = tuple(
            replace(report, metrics={**report.metrics, metric: mean})
            for report, mean in zip(outcome.reports, means, strict=True)
        )
        return self._engine.tell(number, Outcome(outcome.state, reports))
