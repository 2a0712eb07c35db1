"""From a training function of this process to whether it can travel to a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ray import cloudpickle

from hpo_app.errors import PlanError, Problem


if TYPE_CHECKING:
    from hpo_app.training.contract import TrainFunction


def refuse_unsendable(train: TrainFunction) -> None:
    """Raise if a training function cannot be sent to workers, before Ray starts.

    Raises:
        PlanError: With what it holds that cannot travel: a lock, an open file or connection.
    """
    try:
        cloudpickle.dumps(train)
    except Exception as error:
        text = str(error).strip().splitlines()[0]
        expected = "a function whose variables can all be sent to other processes"
        fix = "create what cannot be sent inside the function"
        raise PlanError([Problem("training_engine", text, expected, fix)]) from error
