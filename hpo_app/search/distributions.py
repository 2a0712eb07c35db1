"""From a search space to Optuna's distributions, and from what Optuna draws back to values.

Optuna draws numbers and plain words only. Everything else is drawn as a position: a list or a
mapping by its place, an ordinal by its rank, a normal parameter, one with a logarithmic scale and
a step, and one of very many steps by its share of the range. What has one value only is not drawn:
Optuna's QMC takes it for a condition and says so in the middle of the screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from hpo_app.plan.search_space import Choice, Integer, Normal, Real


if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

    from hpo_app.plan.search_space import Parameter, Params, ParamValue, SearchSpace


# Optuna's Gaussian process lists all values of a whole number: at 1e6 of them in half a gigabyte,
# and beyond 2**52 its TPE proposes some that lie outside (Optuna 5).
_MOST_LISTED = 100_000


def to_distributions(space: SearchSpace) -> dict[str, BaseDistribution]:
    """Return one Optuna distribution per parameter to draw, in the order of the space."""
    distributions = {name: _distribution(space[name]) for name in space}
    return {name: each for name, each in distributions.items() if not each.single()}


def to_drawn(space: SearchSpace, params: Params) -> dict[str, object]:
    """Return what Optuna would have drawn to get `params`; inactive ones are at their default."""
    whole = space.complete(params)
    return {name: _drawn(space[name], whole[name]) for name in to_distributions(space)}


def to_params(space: SearchSpace, drawn: dict[str, object]) -> Params:
    """Return the values that `drawn` stands for, of the parameters that are active."""
    values = {
        name: _value(parameter, drawn[name]) if name in drawn else parameter.at(0.5)
        for name, parameter in space.parameters.items()
    }
    return space.active(values)


def _distribution(parameter: Parameter) -> BaseDistribution:
    if _is_drawn_as_position(parameter):
        return FloatDistribution(0.0, 1.0)
    if isinstance(parameter, Choice):
        return _place(parameter)
    if isinstance(parameter, Integer):
        high = parameter.high - (parameter.high - parameter.low) % parameter.step
        return IntDistribution(parameter.low, high, log=parameter.is_log, step=parameter.step)
    real = cast("Real", parameter)
    if real.step is None:
        return FloatDistribution(real.low, real.high, log=real.is_log)
    return IntDistribution(0, real.num_steps)


def _place(choice: Choice) -> BaseDistribution:
    last = len(choice.values) - 1
    if choice.is_ordered:
        return IntDistribution(0, last)
    return CategoricalDistribution(list(range(last + 1)))


def _drawn(parameter: Parameter, value: ParamValue) -> object:
    if _is_drawn_as_position(parameter):
        return parameter.position(value)  # type: ignore[arg-type]
    if isinstance(parameter, Choice):
        return parameter.index(value)
    if isinstance(parameter, Real) and parameter.step is not None:
        # A default may stand at an end that no step reaches.
        nearest = round((cast("float", value) - parameter.low) / parameter.step)
        return min(nearest, parameter.num_steps)
    return value


def _value(parameter: Parameter, drawn: object) -> ParamValue:
    if _is_drawn_as_position(parameter):
        return parameter.at(cast("float", drawn))
    if isinstance(parameter, Choice):
        return parameter.values[cast("int", drawn)]
    if isinstance(parameter, Real) and parameter.step is not None:
        return min(parameter.low + cast("int", drawn) * parameter.step, parameter.high)
    return cast("ParamValue", drawn)


def _is_drawn_as_position(parameter: Parameter) -> bool:
    # Optuna refuses a logarithmic scale with a step, and knows no normal distribution.
    if isinstance(parameter, Normal):
        return True
    if isinstance(parameter, Integer):
        return (parameter.high - parameter.low) // parameter.step >= _MOST_LISTED
    if not isinstance(parameter, Real) or parameter.step is None:
        return False
    return parameter.is_log or parameter.num_steps >= _MOST_LISTED
