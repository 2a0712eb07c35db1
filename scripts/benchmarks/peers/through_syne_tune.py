"""syne-tune's MOBSTER and DyHPO behind a pipe, as its own `Tuner` drives them.

Defaults of the library throughout. Where trials report once there is no fidelity to learn from;
what is left of both is the library's Gaussian process, `BayesianOptimization`. Handed back is what
`Tuner.best_config` names: the trial with the best value at any iteration.
"""

from __future__ import annotations

import datetime
import random
from typing import Any

import numpy as np
import pipe
from syne_tune import config_space
from syne_tune.backend.trial_status import Trial
from syne_tune.optimizer.legacy_baselines import MOBSTER, BayesianOptimization, DyHPO


_CONTINUE, _PAUSE, _STOP = "CONTINUE", "PAUSE", "STOP"


class SyneTune:
    """One of the library's schedulers.

    Args:
        method: `mobster` or `dyhpo`.
        space: Entries by name, as in our YAML.
        iterations: Reports of a full trial.
        full_trials: Not asked for by any of them.
        seed: Of everything that draws.
    """

    def __init__(
        self,
        method: str,
        space: dict[str, dict[str, Any]],
        iterations: int,
        full_trials: int,  # noqa: ARG002
        seed: int,
    ) -> None:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002 - from which the library draws
        domains = {name: domain(entry) for name, entry in space.items()}
        self._is_choice = {name: entry["type"] == "choice" for name, entry in space.items()}
        common = {"metric": "loss", "mode": "min", "random_seed": seed}
        if iterations == 1:
            self._scheduler = BayesianOptimization(domains, **common)
        else:
            make = {"mobster": MOBSTER, "dyhpo": DyHPO}[method]
            self._scheduler = make(domains, resource_attr="epoch", max_t=iterations, **common)
        self._trials: list[Trial] = []
        self._decisions: dict[int, str] = {}
        self._best: dict[int, float] = {}

    def next(self) -> dict[str, Any]:
        """Return what the scheduler suggests."""
        found = self._scheduler.suggest(len(self._trials))
        if found is None:
            return {}
        if not found.spawn_new_trial_id:
            return {"trial": int(found.checkpoint_trial_id)}
        number = len(self._trials)
        self._trials.append(Trial(number, found.config, datetime.datetime.now()))
        self._scheduler.on_trial_add(self._trials[-1])
        # Numpy's numbers are no JSON.
        sent = {
            name: getattr(value, "item", lambda v=value: v)()
            for name, value in found.config.items()
        }
        chosen = {name: int(sent[name]) for name, is_choice in self._is_choice.items() if is_choice}
        return {"trial": number, "params": {**sent, **chosen}}

    def report(self, trial: int, iteration: int, loss: float) -> str:
        """Return what the scheduler decides."""
        self._best[trial] = min(loss, self._best.get(trial, loss))
        result = {"loss": loss, "epoch": iteration}
        decision = self._scheduler.on_trial_result(self._trials[trial], result)
        self._decisions[trial] = decision
        if decision in (_PAUSE, _STOP):
            self._scheduler.on_trial_remove(self._trials[trial])
        self._last = result
        return str(decision)

    def end(self, trial: int, *, is_whole: bool) -> None:  # noqa: ARG002 - the decision says more
        """Tell of a trial that ran to its end; the scheduler knows what it stopped itself."""
        if self._decisions[trial] == _CONTINUE:
            self._scheduler.on_trial_complete(self._trials[trial], self._last)

    def incumbent(self) -> int | None:
        """Return the trial with the best value."""
        return min(self._best, key=self._best.__getitem__, default=None)


def domain(entry: dict[str, Any]) -> Any:
    """Return the library's domain for an entry of the space; values by their index."""
    kind = entry["type"]
    if kind == "choice":
        return config_space.choice([str(index) for index in range(len(entry["values"]))])
    if kind == "ordinal":
        return config_space.ordinal(list(range(len(entry["values"]))))
    return getattr(config_space, kind)(entry["low"], entry["high"])


if __name__ == "__main__":
    pipe.serve(SyneTune)
