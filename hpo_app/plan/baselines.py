"""From values that a person names to a configuration of the search space, or to what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hpo_app.errors import listed, near_miss
from hpo_app.plan.search_space import Choice, Normal, Real
from hpo_app.plan.wording import as_typed, values_of


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hpo_app.plan.search_space import Parameter, Params, ParamValue, SearchSpace


class Misfit(NamedTuple):
    """One value that the search could not have tried.

    Attributes:
        name: The parameter, or the rule.
        got: What it has.
        expected: What it may have.
        fix: What to do about it.
    """

    name: str
    got: str
    expected: str
    fix: str


def fitted(space: SearchSpace, values: Mapping[str, Any]) -> Params:
    """Return values, of which `misfits` finds none wrong, as a search would have tried them."""
    return space.active(
        {name: _as_drawn(space[name], values[name]) for name in space if name in values}
    )


def misfits(space: SearchSpace, values: Mapping[str, Any]) -> Iterator[Misfit]:
    """Yield what is wrong with values, by parameter: each that has a say needs one, and inside.

    What has no say beside the others may have a value, which counts for nothing.
    """
    yield from _strangers(space, values)
    wrong = [*_outside(space, values), *_missing(space, values)]
    yield from wrong
    # A rule can be asked of whole configurations only.
    params = {} if wrong else fitted(space, values)
    for name, rule in space.rules.items() if not wrong else ():
        if not rule.holds(params):
            yield Misfit(f"require.{name}", f"not {rule.text}", rule.text, "change the values")


def _strangers(space: SearchSpace, values: Mapping[str, Any]) -> Iterator[Misfit]:
    for name, value in values.items():
        if name not in space.parameters:
            miss = near_miss(str(name), space.parameters)
            fix = f"write {miss} instead" if miss else "leave it out, or search over it too"
            expected = f"a parameter of the search space: {listed(space.parameters)}"
            yield Misfit(str(name), as_typed(value), expected, fix)


def _outside(space: SearchSpace, values: Mapping[str, Any]) -> Iterator[Misfit]:
    for name in space:
        if name in values and not space[name].contains(values[name]):
            fix = "change the value, or let the search space reach as far"
            yield Misfit(name, as_typed(values[name]), values_of(space[name]), fix)


def _missing(space: SearchSpace, values: Mapping[str, Any]) -> Iterator[Misfit]:
    known = {name: values[name] for name in space if name in values}
    for name in space.active(space.complete(known)):
        if name not in values:
            yield Misfit(name, "no value", values_of(space[name]), "give it one")


def _as_drawn(parameter: Parameter, value: Any) -> ParamValue:
    if isinstance(parameter, Choice):
        return parameter.values[parameter.index(value)]
    return float(value) if isinstance(parameter, (Real, Normal)) else int(value)
