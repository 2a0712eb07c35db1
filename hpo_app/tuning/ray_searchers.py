"""Ray's searchers that cannot be made from plain settings."""

from __future__ import annotations

from typing import Any

import numpy as np
from ray.tune.search.nevergrad import NevergradSearch


# Enough for NGOpt to leave out optimizers for one trial at a time, which it prefers otherwise.
_AT_ONCE = 2


def nevergrad_search(optimizer: str, budget: int, **arguments: Any) -> NevergradSearch:
    """Return a searcher over one of Nevergrad's optimizers.

    Args:
        optimizer: Name of a class in `nevergrad.optimizers`, for example `NGOpt`.
        budget: How many trials there will be; NGOpt chooses its method by it.
        **arguments: Of Ray's `NevergradSearch`.

    Raises:
        ValueError: If Nevergrad has no optimizer of that name, or one that cannot be used here.
    """
    import nevergrad  # noqa: PLC0415 - an optional package
    from nevergrad.optimization import metamodel  # noqa: PLC0415

    # Nevergrad 1.0.12 makes a number of an array of one there, which NumPy 2.4 refuses.
    metamodel.float = _only_number
    if optimizer not in nevergrad.optimizers.registry:
        raise ValueError(f"nevergrad.optimizers has no {optimizer!r}")
    factory = nevergrad.optimizers.registry[optimizer]
    # Asked again, it would wait for the last result: for ever where that trial failed.
    if factory.no_parallelization:
        raise ValueError(f"{optimizer}, which proposes one trial at a time and waits for each")
    settings = {"budget": budget, "num_workers": _AT_ONCE}
    return NevergradSearch(optimizer=factory, optimizer_kwargs=settings, **arguments)


def _only_number(values: Any) -> float:
    return float(np.asarray(values).item())
