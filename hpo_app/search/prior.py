"""From the default configuration and baselines to the first trials, which no engine proposes."""

from __future__ import annotations

import random
from statistics import NormalDist
from typing import TYPE_CHECKING

from hpo_app.plan.search_space import Choice, default_of, is_one_of
from hpo_app.search.tried import key_of
from hpo_app.training.seeds import derive_seed


if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpo_app.plan.search_space import Parameter, Params, ParamValue, SearchSpace

_MOST_DRAWS = 1000
# A quantile of 0 or 1 is no number.
_LEAST_SHARE = 1.0e-12


def first_draws(
    space: SearchSpace, seed: int, baselines: Sequence[Params], prior_trials: int
) -> list[Params]:
    """Return what is tried right after the default configuration: baselines, then draws around it.

    Args:
        space: What may be sampled.
        seed: Of the run.
        baselines: Configurations of a person's own; one that is the default, or comes again, is
            left out.
        prior_trials: How many draws around the default configuration, at most.
    """
    known = [space.defaults] if space.has_defaults else []
    num_before = len(known)
    for params in (*baselines, *prior_draws(space, seed, prior_trials)):
        if params not in known:
            known.append(params)
    return known[num_before:]


def prior_draws(space: SearchSpace, seed: int, count: int) -> list[Params]:
    """Return configurations around the default one; none where no parameter has a prior.

    A parameter without a prior is drawn from its whole range.

    Args:
        space: What may be sampled.
        seed: Of the run: the same one gives the same draws.
        count: How many at most. Each keeps the rules and comes once, and so there may be fewer.
    """
    found: list[Params] = []
    known = {key_of(space.defaults)}
    for place in range(count if space.priors else 0):
        source = random.Random(derive_seed(seed, "prior", place))
        for _ in range(_MOST_DRAWS):
            params = space.active({name: _near(space, name, source) for name in space})
            if key_of(params) not in known and space.keeps(params):
                known.add(key_of(params))
                found.append(params)
                break
        else:
            break  # So few are left that a search for more would take longer than a trial.
    return found


def _near(space: SearchSpace, name: str, source: random.Random) -> ParamValue:
    parameter, width = space[name], space.priors.get(name)
    if width is None:
        return parameter.at(source.random())
    default = default_of(parameter)
    if isinstance(parameter, Choice) and not parameter.is_ordered:
        others = [value for value in parameter.values if not is_one_of(value, [default])]
        strays, place = source.random() < width, source.random()
        return others[int(place * len(others))] if strays and others else default
    return _around(parameter, default, width, source.random())


def _around(parameter: Parameter, default: ParamValue, width: float, share: float) -> ParamValue:
    """Return a value of a normal distribution on the parameter's own scale, cut at its ends."""
    normal = NormalDist(parameter.position(default), width)  # type: ignore[arg-type]
    first, last = normal.cdf(0.0), normal.cdf(1.0)
    quantile = min(max(first + share * (last - first), _LEAST_SHARE), 1 - _LEAST_SHARE)
    return parameter.at(min(max(normal.inv_cdf(quantile), 0.0), 1.0))
