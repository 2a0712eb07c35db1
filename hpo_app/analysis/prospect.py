"""From trials that ended to whether further ones are worth their time."""

from __future__ import annotations

import itertools
import math
import statistics
from typing import TYPE_CHECKING

from hpo_app.analysis.noise import Noise
from hpo_app.analysis.once import once_per_study
from hpo_app.analysis.outlook import FEWEST_TRIALS, outlook
from hpo_app.analysis.wording import number
from hpo_app.plan.read_space import read_space
from hpo_app.study.fresh import Kind
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Iterator

    from hpo_app.analysis.outlook import Outlook
    from hpo_app.plan.criteria import Criteria
    from hpo_app.plan.search_space import Params, SearchSpace
    from hpo_app.study.records import Study, TrialRecord

# How the sentence begins, by which a run's reason to end is told from any other.
DONE = "further trials can be expected to gain"
_OVER = (TrialState.FINISHED, TrialState.STOPPED)


class Prospect:
    """Collects what trials came to, and tells what can be expected of further ones.

    Attributes:
        noise: How much a value moves by itself.

    Args:
        space: What may be sampled.
        criteria: By what trials are judged.
        iterations: Iterations of a full trial.
    """

    def __init__(self, space: SearchSpace, criteria: Criteria, iterations: int) -> None:
        self._space = space
        self._criteria = criteria
        self._iterations = iterations
        self._known: list[tuple[Params, float | None, bool]] = []
        self.noise = Noise()

    def add(self, trial: TrialRecord, state: TrialState) -> None:
        """Take note of a trial of the search that ended, or of a training with a fresh seed."""
        metric, sign = self._criteria.objective.metric, self._criteria.objective.sign
        value = trial.value(metric)
        if state not in _OVER or value is None:
            return
        is_whole = state is TrialState.FINISHED or trial.iterations >= self._iterations
        # A replay has a seed that is among the others already.
        if is_whole and (trial.fresh is None or trial.fresh.kind is not Kind.REPLAY):
            self.noise.add(trial.params, [each for _, each in trial.curve(metric)])
        if trial.fresh is None and self._is_inside(trial.params):
            gain = None if trial.unmet(self._criteria) else sign * value
            self._known.append((trial.params, gain, is_whole))

    @property
    def count(self) -> int:
        """How many trials of the search count."""
        return len(self._known)

    def look(self, count: int) -> Outlook | None:
        """Return what could be expected after so many trials; None if that cannot be told.

        What a scheduler stopped, and what does not keep the constraints, is known to be no better
        than the middle of the others, and the worst of them.
        """
        noise, known = self.noise.deviation, self._known[:count]
        whole = [gain for _, gain, is_whole in known if is_whole and gain is not None]
        if noise is None or not whole or self._criteria.has_several:
            return None
        middle, worst = statistics.median(whole), min(whole)
        points = [
            (params, worst if gain is None else gain if is_whole else min(gain, middle))
            for params, gain, is_whole in known
        ]
        return outlook(self._space, points, noise)

    def _is_inside(self, params: Params) -> bool:
        is_known = all(name in self._space.parameters for name in params)
        return is_known and all(self._space[name].contains(params[name]) for name in params)


def counts(step: float) -> Iterator[int]:
    """Yield after how many trials to look: each a share later than the one before.

    A look takes tenths of a second, and a trial may take less.
    """
    count = FEWEST_TRIALS
    for _ in itertools.count():
        yield count
        count += max(5, math.ceil(step * count))


@once_per_study
def prospect_of(study: Study) -> Outlook | None:
    """Return what can be expected of further trials of a search; None if that cannot be told."""
    space, problems = read_space(study.space)
    if problems or any(trial.clones for trial in study.trials):
        return None
    prospect = Prospect(space, study.criteria, study.iterations)
    for trial in sorted((*study.trials, *study.fresh), key=lambda each: each.ended_s or 0.0):
        prospect.add(trial, trial.state)
    return prospect.look(prospect.count)


def prospect_sentence(outlook: Outlook) -> str:
    """Return what can be expected of further trials."""
    gain, noise = number(outlook.gain), number(outlook.noise)
    return f"{DONE} {gain}, which is below the noise of {noise}"
