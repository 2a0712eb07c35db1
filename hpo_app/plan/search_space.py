"""From a parameter's bounds to its scale: which values it may take, and how far apart they are."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING, TypeAlias


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from random import Random

    from hpo_app.plan.rule import Rule

ParamValue: TypeAlias = "bool | int | float | str | list[ParamValue] | dict[str, ParamValue] | None"
Params: TypeAlias = "dict[str, ParamValue]"

# The share of a normal distribution that is drawn from when it has no bounds: all but one in a
# million at each end, so that a position of 0 or 1 is a number.
_NORMAL_TAIL = 1.0e-6


@dataclass(frozen=True)
class Real:
    """A real number between two bounds, both included.

    Attributes:
        low: Lowest value.
        high: Highest value.
        is_log: Whether equal steps are equal ratios.
        step: Distance between neighbours, counted from `low`; None for a continuous parameter.
        default: Value of the default configuration, if one is known.
        is_mutable: Whether a scheduler may change it while a trial trains.
    """

    low: float
    high: float
    is_log: bool = False
    step: float | None = None
    default: float | None = None
    is_mutable: bool = True

    def at(self, position: float) -> float:
        """Return the value at a share of the range in its own scale; `position` in `[0, 1]`."""
        if self.step is None:
            return min(max(self._continuous(position), self.low), self.high)
        steps = self.num_steps
        if self.is_log:
            nearest = round((self._continuous(position) - self.low) / self.step)
        else:
            nearest = math.floor(position * (steps + 1))
        return min(self.low + min(max(nearest, 0), steps) * self.step, self.high)

    def position(self, value: float) -> float:
        """Return where `value` stands in the range, in `[0, 1]`, in the parameter's own scale."""
        low, high, here = self.low, self.high, min(max(value, self.low), self.high)
        if low == high:
            return 0.5
        if self.is_log:
            return math.log(here / low) / math.log(high / low)
        if self.step is not None:
            # The middle of the value's own share, as for whole numbers.
            nearest = min(round((here - low) / self.step), self.num_steps)
            return (nearest + 0.5) / (self.num_steps + 1)
        return (here - low) / (high - low)

    def contains(self, value: object) -> bool:
        """Return whether `value` is a number inside the bounds."""
        return is_number(value) and self.low <= float(value) <= self.high  # type: ignore[arg-type]

    @property
    def num_steps(self) -> int:
        """Number of whole steps between the bounds; 0 for a continuous parameter."""
        if self.step is None:
            return 0
        # The tolerance keeps 0.1 + 2 * 0.1 <= 0.3, which binary floats deny.
        return math.floor((self.high - self.low) / self.step + 1e-9)

    def _continuous(self, position: float) -> float:
        if position >= 1.0:
            return self.high  # Rounding would end just below it: 0.009999999999999998 for 0.01.
        if self.is_log:
            return self.low * math.exp(position * math.log(self.high / self.low))
        return self.low + position * (self.high - self.low)


@dataclass(frozen=True)
class Integer:
    """A whole number between two bounds, both included.

    Attributes:
        low: Lowest value.
        high: Highest value; drawn like any other, unlike in Ray Tune and NumPy.
        is_log: Whether equal steps are equal ratios.
        step: Distance between neighbours, counted from `low`.
        default: Value of the default configuration, if one is known.
        is_mutable: Whether a scheduler may change it while a trial trains.
    """

    low: int
    high: int
    is_log: bool = False
    step: int = 1
    default: int | None = None
    is_mutable: bool = True

    def at(self, position: float) -> int:
        """Return the value at a share of the range in its own scale; `position` in `[0, 1]`."""
        if self.is_log:
            # Half a unit at each end gives the ends as much room as their neighbours.
            low, high = self.low - 0.5, self.high + 0.5
            value = round(low * math.exp(position * math.log(high / low)))
        else:
            steps = (self.high - self.low) // self.step
            value = self.low + min(math.floor(position * (steps + 1)), steps) * self.step
        return min(max(value, self.low), self.high)

    def position(self, value: float) -> float:
        """Return where `value` stands in the range, in `[0, 1]`, in the parameter's own scale."""
        here = min(max(value, self.low), self.high)
        if self.is_log:
            low, high = self.low - 0.5, self.high + 0.5
            return math.log(here / low) / math.log(high / low)
        # The middle of the value's own share, so that at(position(value)) == value.
        steps = (self.high - self.low) // self.step
        return ((here - self.low) / self.step + 0.5) / (steps + 1)

    def contains(self, value: object) -> bool:
        """Return whether `value` is a whole number inside the bounds and on a step."""
        if isinstance(value, bool) or not isinstance(value, int):
            return False
        return self.low <= value <= self.high and (value - self.low) % self.step == 0


@dataclass(frozen=True)
class Choice:
    """One of a list of values, in no order or, if `is_ordered`, from least to most.

    Attributes:
        values: What may be chosen; lists and mappings are allowed.
        is_ordered: Whether neighbours in the list are alike.
        default: Value of the default configuration; meaningless unless `has_default`.
        has_default: Whether `default` was given; None can be one of the values.
        is_mutable: Whether a scheduler may change it while a trial trains.
    """

    values: tuple[ParamValue, ...]
    is_ordered: bool = False
    default: ParamValue = None
    has_default: bool = False
    is_mutable: bool = True

    def at(self, position: float) -> ParamValue:
        """Return the value at a share of the list; `position` in `[0, 1]`."""
        count = len(self.values)
        return self.values[min(math.floor(position * count), count - 1)]

    def position(self, value: ParamValue) -> float:
        """Return the middle of the value's share of the list, in `[0, 1]`."""
        return (self.index(value) + 0.5) / len(self.values)

    def index(self, value: object) -> int:
        """Return the place of `value` in the list; `True` is not `1` and `1` is not `1.0`."""
        for index, known in enumerate(self.values):
            if type(known) is type(value) and known == value:
                return index
        raise ValueError(f"{value!r} is not one of {list(self.values)!r}")

    def contains(self, value: object) -> bool:
        """Return whether `value` is in the list."""
        return is_one_of(value, self.values)


@dataclass(frozen=True)
class Normal:
    """A normally distributed number, cut off at the bounds where they are given.

    Attributes:
        mean: Centre of the distribution.
        sd: Standard deviation.
        low: Lowest value, or None.
        high: Highest value, or None.
        default: Value of the default configuration, if one is known.
        is_mutable: Whether a scheduler may change it while a trial trains.
    """

    mean: float
    sd: float
    low: float | None = None
    high: float | None = None
    default: float | None = None
    is_mutable: bool = True

    def at(self, position: float) -> float:
        """Return the quantile at `position` in `[0, 1]` of the cut-off distribution."""
        first, last = self._tails()
        value = self._normal.inv_cdf(first + position * (last - first))
        value = value if self.low is None else max(value, self.low)
        return value if self.high is None else min(value, self.high)

    def position(self, value: float) -> float:
        """Return the share of draws below `value`, in `[0, 1]`."""
        first, last = self._tails()
        return min(max((self._normal.cdf(value) - first) / (last - first), 0.0), 1.0)

    def contains(self, value: object) -> bool:
        """Return whether `value` is a number inside the bounds."""
        if not is_number(value):
            return False
        number = float(value)  # type: ignore[arg-type]
        return (self.low is None or number >= self.low) and (
            self.high is None or number <= self.high
        )

    @property
    def share(self) -> float:
        """Share of the distribution without bounds that lies between them; below 0 far outside."""
        first, last = self._tails()
        return last - first

    @property
    def _normal(self) -> NormalDist:
        return NormalDist(self.mean, self.sd)

    def _tails(self) -> tuple[float, float]:
        first = _NORMAL_TAIL if self.low is None else self._normal.cdf(self.low)
        last = 1 - _NORMAL_TAIL if self.high is None else self._normal.cdf(self.high)
        return max(first, _NORMAL_TAIL), min(last, 1 - _NORMAL_TAIL)


Parameter: TypeAlias = Real | Integer | Choice | Normal


def default_of(parameter: Parameter) -> ParamValue:
    """Return the default value, or the middle of the range where no default is known."""
    if has_default(parameter):
        return parameter.default
    return parameter.at(0.5)


def has_default(parameter: Parameter) -> bool:
    """Return whether the parameter's entry in the search space names a default."""
    if isinstance(parameter, Choice):
        return parameter.has_default
    return parameter.default is not None


@dataclass(frozen=True)
class SearchSpace:
    """What may be sampled: parameters by name, in the order of the config.

    Attributes:
        parameters: `{name: parameter}`.
        conditions: `{name: {other: values}}` for parameters that are not always active: each is
            where all of these others are active and have one of these values. The conditions of
            the others stand among them.
        rules: `{name: rule}`: what a configuration has to keep to be trained.
        priors: `{name: width}`: how far the first trials stray from the default: the standard
            deviation as a share of the range in its own scale, and of a choice without an order the
            probability of another value.
    """

    parameters: Mapping[str, Parameter]
    conditions: Mapping[str, Mapping[str, Sequence[ParamValue]]] = field(default_factory=dict)
    rules: Mapping[str, Rule] = field(default_factory=dict)
    priors: Mapping[str, float] = field(default_factory=dict)

    def __iter__(self) -> Iterator[str]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    def __getitem__(self, name: str) -> Parameter:
        return self.parameters[name]

    @property
    def order(self) -> list[str]:
        """The names, each after those that decide whether it is active."""
        return sorted(self.parameters, key=lambda name: len(self.conditions.get(name, ())))

    def is_active(self, name: str, params: Params) -> bool:
        """Return whether a parameter has a say beside the values of those that it depends on."""
        return all(
            other in params and is_one_of(params[other], values)
            for other, values in self.conditions.get(name, {}).items()
        )

    def active(self, params: Params) -> Params:
        """Return `params` without those that have no say beside the others."""
        return {name: value for name, value in params.items() if self.is_active(name, params)}

    def complete(self, params: Params) -> Params:
        """Return a value for every parameter: the default one where `params` has none."""
        return {
            name: params[name] if name in params else default_of(parameter)
            for name, parameter in self.parameters.items()
        }

    def draw(self, source: Random) -> Params:
        """Return a random configuration, whether it keeps the rules or not."""
        return self.active({name: self[name].at(source.random()) for name in self})

    def keeps(self, params: Params) -> bool:
        """Return whether a configuration keeps all rules."""
        return all(rule.holds(params) for rule in self.rules.values())

    @property
    def defaults(self) -> Params:
        """The default configuration, with the middle of the range where no default is known."""
        return self.active(self.complete({}))

    @property
    def has_defaults(self) -> bool:
        """Whether at least one parameter names a default: trial 0 then means something."""
        return any(has_default(parameter) for parameter in self.parameters.values())

    @property
    def mutable(self) -> dict[str, Parameter]:
        """The parameters that a scheduler may change while a trial trains."""
        return {name: item for name, item in self.parameters.items() if item.is_mutable}


def is_one_of(value: object, values: Iterable[object]) -> bool:
    """Return whether `value` is among others; `True` is not `1` and `1` is not `1.0`."""
    return any(type(known) is type(value) and known == value for known in values)


def is_number(value: object) -> bool:
    """Return whether a value is a finite number, and one that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # A whole number beyond 1.8e308.
        return False
