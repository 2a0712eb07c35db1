"""A Ray Tune script as people write it: a function, a Tuner, and all defaults."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from contenders import own_ray
from contenders.work import Outcome, train_trial
from ray import tune


if TYPE_CHECKING:
    from pathlib import Path

    from contenders.work import Work


start = own_ray.start
stop = own_ray.stop


def train(config: dict[str, Any], work: Work) -> None:
    """Train one trial; Tune calls it in a worker."""
    params = {name: config[name] for name in work.space}
    # The time says when the first trial was through: what a start costs, and what a trial.
    train_trial(
        work,
        config.get("seed", 0),
        params,
        on_report=lambda _, metrics: tune.report({**metrics, "reported_at": time.time()}),
    )


def run(work: Work, folder: Path, *, reuse_actors: bool) -> Outcome:
    """Run the trials with random search."""
    param_space = {name: getattr(tune, kind)(*args) for name, (kind, args) in work.space.items()}
    if not work.space:
        param_space["seed"] = tune.grid_search(work.seeds)
    tuner = tune.Tuner(
        tune.with_parameters(train, work=work),
        param_space=param_space,
        tune_config=tune.TuneConfig(
            metric=work.metric,
            mode=work.mode,
            num_samples=work.num_trials if work.space else 1,
            reuse_actors=reuse_actors,
        ),
        run_config=tune.RunConfig(storage_path=str(folder)),
    )
    results = tuner.fit()
    if results.errors:
        raise results.errors[0]
    values = [result.metrics[work.metric] for result in results]
    return Outcome(values, min(result.metrics["reported_at"] for result in results))
