"""From anywhere in a training to the trial that it belongs to, without handing that through."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from hpo_app.training.contract import Trial

# One trial at a time trains in a process; its threads share it, which a context variable would not.
_trials: list[Trial] = []


@contextlib.contextmanager
def being_trained(trial: Trial) -> Iterator[None]:
    """Let `current_trial` and `report` mean this trial."""
    _trials.append(trial)
    try:
        yield
    finally:
        _trials.pop()


def current_trial() -> Trial | None:
    """Return the trial that trains in this process; None in a program that no search runs."""
    return _trials[-1] if _trials else None


def report(metrics: Mapping[str, float], checkpoint: Path | None = None) -> None:
    """Report one iteration of the trial that trains here; without a search, do nothing.

    Args:
        metrics: `{name: number}`; see `hpo_app.training.contract.Trial.report`.
        checkpoint: Folder with the training state after this iteration, or None.

    Raises:
        TrialOver: If the trial ends here, as `sys.exit` would; let it pass.
    """
    trial = current_trial()
    if trial is not None:
        trial.report(metrics, checkpoint)
