"""A hand-written Tune script that Hydra sweeps: what people start with who know both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import hydra
from contenders.dying_search import die_if_told
from omegaconf import OmegaConf
from ray import tune


if TYPE_CHECKING:
    from omegaconf import DictConfig


def train(params: dict[str, float]) -> None:
    """Report a parabola that gets better with each of three iterations."""
    for iteration in range(1, 4):
        tune.report({"loss": (params["x"] - 1.0) ** 2 + 1.0 / iteration})


@hydra.main(config_path=None, config_name="plain_sweep")
def search(config: DictConfig) -> float:
    """Run five trials, one at a time, and return the best loss."""
    die_if_told(int(config.seed))
    tuner = tune.Tuner(
        tune.with_resources(train, {"cpu": 1}),
        param_space={"x": tune.uniform(-4.0, 4.0)},
        tune_config=tune.TuneConfig(
            metric="loss", mode="min", num_samples=5, max_concurrent_trials=1, reuse_actors=True
        ),
        run_config=tune.RunConfig(
            storage_path=hydra.core.hydra_config.HydraConfig.get().runtime.output_dir,
            verbose=0,
        ),
    )
    return float(tuner.fit().get_best_result().metrics["loss"])


if __name__ == "__main__":
    hydra.core.config_store.ConfigStore.instance().store(
        "plain_sweep", OmegaConf.create({"seed": 0})
    )
    search()
