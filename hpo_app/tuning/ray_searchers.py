"""Ray's searchers that cannot be made from plain settings."""

from __future__ import annotations

from typing import Any

from ray.tune.search.nevergrad import NevergradSearch


def nevergrad_search(optimizer: str, budget: int, **arguments: Any) -> NevergradSearch:
    """Return a searcher over one of Nevergrad's optimizers.

    Args:
        optimizer: Name of a class in `nevergrad.optimizers`, for example `NGOpt`.
        budget: How many trials there will be; NGOpt chooses its method by it.
        **arguments: Of Ray's `NevergradSearch`.

    Raises:
        ValueError: If Nevergrad has no optimizer of that name.
    """
    import nevergrad  # noqa: PLC0415 - an optional package

    if optimizer not in nevergrad.optimizers.registry:
        raise ValueError(f"nevergrad.optimizers has no {optimizer!r}")
    factory = nevergrad.optimizers.registry[optimizer]
    return NevergradSearch(optimizer=factory, optimizer_kwargs={"budget": budget}, **arguments)
