"""A Ray Tune script that goes on after a kill, as Tune's manual says: restore if it can.

    python fault_tune.py FOLDER JOB

`FOLDER` is Tune's storage, `JOB` a JSON file with the trainer, the configs and the sizes. Prints
`known ID …` with the ended trials that a restored run knows of, `ended ID` for each that ends, and
at last `iterations N`, those in the results.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from contenders import fault_work
from contenders.work import QUADRATIC_SPACE
from ray import tune

from hpo_app.training.checkpoint import write_iteration
from hpo_app.training.fit_one import LocalTrial


if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "search"


class TuneTrial(LocalTrial):
    """A trial that reports to Tune, with a checkpoint every time."""

    @property
    def is_checkpoint_due(self) -> bool:
        """Every report brings a checkpoint."""
        return True

    def report(self, metrics: Mapping[str, float], checkpoint: Path | None = None) -> None:
        """Report one iteration with its state."""
        if checkpoint is None:
            raise ValueError("no checkpoint")
        self.iteration += 1
        write_iteration(checkpoint, self.iteration)
        tune.report(dict(metrics), checkpoint=tune.Checkpoint.from_directory(str(checkpoint)))


class Ends(tune.Callback):
    """Says which trial has ended."""

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:  # noqa: ARG002
        """Print the trial's id."""
        print(f"ended {trial.trial_id}", flush=True)


def train(config: dict[str, Any], job: dict[str, Any]) -> None:
    """Train one trial; Tune calls it in a worker."""
    with tempfile.TemporaryDirectory() as folder:
        state = tune.get_checkpoint()
        checkpoint = Path(state.to_directory(folder)) if state else None
        trial = TuneTrial(
            job["metric"], config["seed"], job["training"]["iterations"], checkpoint=checkpoint
        )
        params = {name: value for name, value in config.items() if name != "seed"}
        model = {**job["model"]}
        if "hyperparameters" in model:
            model["hyperparameters"] = {**model["hyperparameters"], **params}
        else:
            model.update(params)
        getattr(fault_work, job["function"])(model, job["data"], job["training"], trial)


def main() -> None:
    """Run the search from the start, or from what Tune kept of it."""
    folder, job_file = sys.argv[1:]
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    ray.init(address="local", num_cpus=job["workers"], include_dashboard=False, log_to_driver=False)
    trainable = tune.with_parameters(train, job=job)
    path = str(Path(folder, NAME))
    if tune.Tuner.can_restore(path):
        tuner = tune.Tuner.restore(path, trainable, resume_unfinished=True)
        known = [result.metrics["trial_id"] for result in tuner.get_results() if _is_done(result)]
        print("known", *known, flush=True)
    else:
        tuner = _new(trainable, folder, job)
    results = tuner.fit()
    iterations = sum(result.metrics["training_iteration"] for result in results if result.metrics)
    print(f"iterations {iterations}", flush=True)


def _is_done(result: Any) -> bool:
    return bool(result.metrics and result.metrics.get("done"))


def _new(trainable: Any, folder: str, job: dict[str, Any]) -> tune.Tuner:
    space: dict[str, Any] = {"seed": tune.randint(0, 2**31)}
    if job["function"] == "train_quadratic":
        space |= {
            name: getattr(tune, kind)(*args) for name, (kind, args) in QUADRATIC_SPACE.items()
        }
    return tune.Tuner(
        trainable,
        param_space=space,
        tune_config=tune.TuneConfig(
            metric=job["metric"],
            mode=job["mode"],
            num_samples=job["trials"],
            # As in conf/scheduler/asha.yaml.
            scheduler=tune.schedulers.ASHAScheduler(
                max_t=job["training"]["iterations"], grace_period=2, reduction_factor=3
            ),
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            name=NAME,
            storage_path=folder,
            callbacks=[Ends()],
            verbose=0,
            checkpoint_config=tune.CheckpointConfig(num_to_keep=2),
        ),
    )


if __name__ == "__main__":
    main()
