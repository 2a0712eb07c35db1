"""Any of Ray Tune's searchers as an engine.

Each library behind them knows other kinds of parameters, and Ray's translation drops what one does
not know (a step, a logarithmic scale) with a warning at most. Here all get the same space: every
parameter is a position in its own scale, from 0 to 1 (`plan/search_space.py`), or the place in a
list. So all of them draw inside the bounds, and on the scale that a person wrote down.

They know no pruned trials: one that the scheduler stopped is told with its last value, as Ray does.
"""

from __future__ import annotations

import contextlib
import inspect
import numbers
import random
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from ray import tune
from ray.tune.search import Searcher as RaySearcher

from hpo_app.errors import PlanError, Problem, listed
from hpo_app.plan.search_space import Choice
from hpo_app.search.engine import Exhausted
from hpo_app.study.records import TrialState
from hpo_app.training.seeds import derive_seed


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hpo_app.plan.run_plan import Objective
    from hpo_app.plan.search_space import Parameter, Params, ParamValue, SearchSpace
    from hpo_app.search.engine import Outcome
    from hpo_app.study.earlier import EarlierTrial

_METRIC = "value"
_ROUNDING = 1e-6
_GOOD = (TrialState.FINISHED, TrialState.STOPPED)


class RayEngine:
    """A searcher of Ray Tune over our search space.

    Attributes:
        searcher: Ray's.

    Args:
        starts_with: What the searcher was told to propose first, in this order.

    Source:
        https://docs.ray.io/en/latest/tune/api/suggestion.html
    """

    def __init__(
        self,
        space: SearchSpace,
        objective: Objective,
        searcher: RaySearcher,
        seed: int,
        *,
        starts_with: Sequence[Params] = (),
    ) -> None:
        self.searcher = searcher
        self._space = space
        self._objective = objective
        # Some of these libraries draw from the generators of the whole process.
        self._states = _fresh_states(derive_seed(seed, "search_alg"))
        self._imposed: dict[int, Params] = {}
        self._starts_with = list(starts_with)
        domains = {name: _domain(space[name]) for name in space}
        with self._own_generators():
            is_taken = searcher.set_search_properties(_METRIC, objective.mode.value, domains)
        if not is_taken:
            expected = "a searcher without metric, mode and space: it gets those of the run"
            got = f"{type(searcher).__name__} with its own"
            fix = "leave them out of its arguments"
            raise PlanError([Problem("search_alg", got, expected, fix)])

    def propose(self, number: int) -> Params | None:
        """Return the values of trial `number`, or None while the searcher waits for results.

        Raises:
            Exhausted: If the searcher says that it has finished.
        """
        with self._own_generators():
            drawn = self.searcher.suggest(_trial_id(number))
        if drawn is None:
            return None
        if drawn == RaySearcher.FINISHED:
            raise Exhausted(f"{type(self.searcher).__name__} has no more to propose")
        self._refuse_strange(number, drawn)
        return self._space.active(
            {name: _value(self._space[name], drawn[name]) for name in self._space}
        )

    def _refuse_strange(self, number: int, drawn: Any) -> None:
        """Refuse what only a searcher of a person's own proposes.

        Raises:
            PlanError: If a value is missing, or outside of what the searcher was given.
        """
        is_mapping = isinstance(drawn, Mapping)
        strange = [
            f"{name}={drawn[name]!r}" if is_mapping and name in drawn else f"no {name}"
            for name in self._space
            if not is_mapping or name not in drawn or not _is_given(self._space[name], drawn[name])
        ]
        if strange:
            expected = (
                "values from the space that set_search_properties was given: a number from 0 to 1 "
                "for each parameter, or the place of a choice"
            )
            fix = "correct the search algorithm that search_alg._target_ names"
            got = f"{listed(strange)} for trial {number}, from {type(self.searcher).__name__}"
            raise PlanError([Problem("search_alg", got, expected, fix)])

    def impose(self, number: int, params: Params) -> None:
        """Remember values that somebody else chose, until they have a result."""
        if self._starts_with and params == self._starts_with[0]:
            # The searcher was told to start with them.
            del self._starts_with[0]
            with self._own_generators():
                self.searcher.suggest(_trial_id(number))
            return
        self._imposed[number] = params

    def withdraw(self, number: int) -> None:
        """Let the searcher forget what it proposed."""
        if self._imposed.pop(number, None) is not None:
            return  # It never heard of it.
        with self._own_generators():
            self.searcher.on_trial_complete(_trial_id(number), error=True)

    def tell(self, number: int, outcome: Outcome) -> str:
        """Tell the searcher what became of a trial; return how it was taken."""
        curve = outcome.curve(self._objective.metric)
        is_good = outcome.state in _GOOD and bool(curve)
        value = curve[-1][1] if curve else 0.0
        params = self._imposed.pop(number, None)
        if params is not None:
            return self._add(params, value) if is_good else "UNTOLD"
        result = {_METRIC: value, "training_iteration": curve[-1][0]} if is_good else None
        with self._own_generators():
            self.searcher.on_trial_complete(_trial_id(number), result, error=not is_good)
        return "COMPLETE" if is_good else "FAIL"

    def learn(self, trial: EarlierTrial) -> None:
        """Tell the searcher of a trial of another run, if it can listen."""
        self._add(trial.params, trial.curve[-1][1])

    def _add(self, params: Params, value: float) -> str:
        if not can_learn(self.searcher):
            return "UNTOLD"
        with self._own_generators():
            self.searcher.add_evaluated_point(to_point(self._space, params), value)
        return "COMPLETE"

    @contextlib.contextmanager
    def _own_generators(self) -> Iterator[None]:
        theirs = _states()
        _set_states(self._states)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Of a library to those who use it, in mid-screen.
                yield
        finally:
            self._states = _states()
            _set_states(theirs)


def can_learn(searcher: RaySearcher) -> bool:
    """Return whether a searcher takes results of configurations that it did not propose."""
    return type(searcher).add_evaluated_point is not RaySearcher.add_evaluated_point


def can_start_with_points(searcher: RaySearcher) -> bool:
    """Return whether a searcher can be told what to propose first."""
    return "points_to_evaluate" in inspect.signature(type(searcher).__init__).parameters


def to_point(space: SearchSpace, params: Params) -> dict[str, Any]:
    """Return what a searcher would have drawn to get `params`."""
    return {name: _drawn(space[name], value) for name, value in space.complete(params).items()}


def _domain(parameter: Parameter) -> Any:
    if isinstance(parameter, Choice) and not parameter.is_ordered:
        return tune.choice(list(range(len(parameter.values))))
    return tune.uniform(0.0, 1.0)


def _value(parameter: Parameter, drawn: Any) -> ParamValue:
    if isinstance(parameter, Choice) and not parameter.is_ordered:
        return parameter.values[int(drawn)]
    return parameter.at(min(max(float(drawn), 0.0), 1.0))


def _is_given(parameter: Parameter, drawn: Any) -> bool:
    """Return whether a value is from a parameter's domain; a model may round beyond its end."""
    low, high = -_ROUNDING, 1.0 + _ROUNDING
    if isinstance(parameter, Choice) and not parameter.is_ordered:
        low, high = 0.0, len(parameter.values) - 1.0
    # Libraries give numbers of NumPy's kinds, too, and arrays of one.
    if isinstance(drawn, np.ndarray) and drawn.size == 1:
        drawn = drawn.item()
    return isinstance(drawn, numbers.Real) and low <= float(drawn) <= high


def _drawn(parameter: Parameter, value: Any) -> Any:
    if isinstance(parameter, Choice) and not parameter.is_ordered:
        return parameter.index(value)
    return parameter.position(value)


def _trial_id(number: int) -> str:
    return f"{number:06d}"


def _states() -> tuple[Any, Any]:
    return random.getstate(), np.random.get_state()  # noqa: NPY002 - what the libraries use


def _set_states(states: tuple[Any, Any]) -> None:
    random.setstate(states[0])
    np.random.set_state(states[1])  # noqa: NPY002


def _fresh_states(seed: int) -> tuple[Any, Any]:
    legacy = np.random.RandomState(seed)
    return random.Random(seed).getstate(), legacy.get_state()
