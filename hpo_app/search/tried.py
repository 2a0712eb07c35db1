"""What was tried already: the same configuration is not trained twice."""

from __future__ import annotations

import json
import math
import random
from typing import TYPE_CHECKING, cast

from hpo_app.plan.configurations import Counted, TooMany, configurations
from hpo_app.plan.search_space import Choice, Integer, Normal, Real
from hpo_app.search.engine import Exhausted


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hpo_app.plan.search_space import Parameter, Params, ParamValue, SearchSpace
    from hpo_app.search.engine import Outcome

_RANDOM_DRAWS = 1000
# Few draws may keep the rules, and where values have no end nothing else finds one that does.
_RULED_DRAWS = 20_000
# How many values are combined in one run to find what is left of a space: some seconds, once.
_MOST_COMBINED = 2_000_000
_MOST_SHUFFLED = 10_000
# Beyond these, two numbers are the same one.
_DIGITS = 14


class Tried:
    """The configurations of a run, and what became of them.

    In a space of few values, a sampler proposes the same ones again and again: TPE because they are
    good, random draws by chance.
    """

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._size = math.prod(_num_values(space[name]) for name in space)
        self._outcomes: dict[str, Outcome | None] = {}
        self._num_listed = 0
        self._keys: dict[int, str] = {}
        # What no draw finds is looked for in order, from where the last search ended.
        self._in_order = _in_order(space)
        self._next: Params | None = None
        self._must_search = False
        self._can_search = all(_can_be_listed(space, name) for name in space)

    def start(self, number: int, params: Params) -> None:
        """Remember what a trial trains with."""
        key = self._keys[number] = key_of(params)
        if key not in self._outcomes:
            self._outcomes[key] = None
            # A default or a baseline between two steps of a range is no configuration of it.
            self._num_listed += all(_is_on_step(self._space[name], params[name]) for name in params)

    def end(self, number: int, outcome: Outcome) -> None:
        """Remember what became of a trial; told twice, as where an engine raised, it is no harm."""
        key = self._keys.pop(number, None)
        if key is not None:
            self._outcomes[key] = outcome

    def __contains__(self, params: Params) -> bool:
        return key_of(params) in self._outcomes

    def outcome(self, params: Params) -> Outcome | None:
        """Return what became of a configuration; None while that is not known."""
        return self._outcomes.get(key_of(params))

    def refuse_end(self) -> None:
        """Raise if there is nothing else to try.

        Raises:
            Exhausted: If the space has no other configuration.
        """
        # With conditions and rules there are fewer than that, and `another` finds no more.
        if self._num_listed >= self._size:
            raise self._end()

    def another(self, seed: int) -> Params:
        """Return a configuration that `allows` lets pass, at random, from a seed.

        Raises:
            Exhausted: If there is none.
        """
        found = None if self._must_search else self._drawn(random.Random(seed))
        if found is None and self._can_search:
            # Draws will not find what is left either, later in the run: each costs up to a second.
            self._must_search = True
            found = self._searched()
        if found is None:
            raise self._end()
        return found

    def _drawn(self, source: random.Random) -> Params | None:
        for _ in range(_RULED_DRAWS if self._space.rules else _RANDOM_DRAWS):
            params = self._space.draw(source)
            if self.allows(params):
                return params
        return None

    def _searched(self) -> Params | None:
        """Return the first configuration, in a fixed order, that was not tried.

        What was passed over was tried. What is returned comes again until it is: who asks need not
        take it.
        """
        while self._next is None or self._next in self:
            try:
                self._next = next(self._in_order, None)
            except TooMany:
                self._next = None
            if self._next is None:
                return None
        return self._next

    def allows(self, params: Params) -> bool:
        """Return whether a configuration keeps the rules and was not tried."""
        return self._space.keeps(params) and params not in self

    def _end(self) -> Exhausted:
        count = len(self._outcomes)
        if not self._space.rules:
            return Exhausted(f"all {count} configurations of the search space were tried")
        which = f"that keeps search_space.require was found beside the {count} that were tried"
        return Exhausted(f"no configuration {which}")


def key_of(params: Params) -> str:
    """Return what two configurations share if they are the same; unlike `==`, True is not 1."""
    # A default of 0.3 is the step 0.1 * 3, which is 0.30000000000000004.
    known = {name: _rounded(value) for name, value in params.items()}
    return json.dumps(known, sort_keys=True)


def _rounded(value: ParamValue) -> ParamValue:
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def _num_values(parameter: Parameter) -> float:
    if isinstance(parameter, Choice):
        return len(parameter.values)
    if isinstance(parameter, Integer):
        return 1 + (parameter.high - parameter.low) // parameter.step
    if isinstance(parameter, Normal) or parameter.step is None:
        return 1 if parameter.low is not None and parameter.low == parameter.high else math.inf
    return 1 + parameter.num_steps


def _is_on_step(parameter: Parameter, value: ParamValue) -> bool:
    if not isinstance(parameter, Real) or parameter.step is None:
        return True
    nearest = parameter.at(parameter.position(cast("float", value)))
    return _rounded(value) == _rounded(nearest)


def _can_be_listed(space: SearchSpace, name: str) -> bool:
    count = _num_values(space[name])
    # Of a parameter without end some values stand for all, unless rules choose among them.
    return count <= _MOST_COMBINED or (math.isinf(count) and not space.rules)


def _in_order(space: SearchSpace) -> Iterator[Params]:
    """Yield all configurations that keep the rules, each once.

    Raises:
        TooMany: Where they are more than a run can look at.
    """
    source, left = random.Random(0), iter(range(_MOST_COMBINED))
    values: dict[str, Iterable[ParamValue]] = {}
    for name in space:
        some = _values(space[name])
        # Neighbours are alike: in their own order the first trials would be, too.
        shuffled = source.sample(some, len(some)) if len(some) <= _MOST_SHUFFLED else some
        values[name] = Counted(shuffled, left) if len(some) > 1 else some
    yield from configurations(space, values)


def _values(parameter: Parameter) -> Sequence[ParamValue]:
    if isinstance(parameter, Choice):
        return parameter.values
    if isinstance(parameter, Integer):
        return range(parameter.low, parameter.high + 1, parameter.step)
    if isinstance(parameter, Normal) or parameter.step is None:
        # Where this one has more values than random draws can have met, the others need not vary.
        return [parameter.at(place / _RANDOM_DRAWS) for place in range(_RANDOM_DRAWS + 1)]
    low, step, high = parameter.low, parameter.step, parameter.high
    return [min(low + place * step, high) for place in range(parameter.num_steps + 1)]
