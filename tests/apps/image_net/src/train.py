import json
import logging
import math
import os
import time
from pathlib import Path

import hydra
import networks
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig


log = logging.getLogger(__name__)


def fit(cfg: DictConfig, network: "networks.sizes.Network"):
    """Yield the loss of each epoch: least at lr=0.01 with the large network."""
    distance = abs(math.log10(cfg.optimizer.lr) + 2)
    floor = 0.1 * distance + (0.0 if network.width == 64 else 0.05)
    for epoch in range(cfg.trainer.max_epochs):
        time.sleep(cfg.trainer.epoch_s)
        yield floor + 1 / (epoch + 1)


@hydra.main(version_base=None, config_path="../configs", config_name="train")
def main(cfg: DictConfig) -> float:
    network = hydra.utils.instantiate(cfg.model, _execution_whitelist_="networks.*")
    losses = list(fit(cfg, network))
    log.info("%s ended at %.3f", cfg.run_name, losses[-1])
    seen = {
        "cwd": os.getcwd(),
        "output_dir": HydraConfig.get().runtime.output_dir,
        "num": HydraConfig.get().job.num,
        "name": HydraConfig.get().job.name,
        "overrides": list(HydraConfig.get().overrides.task),
        "dirname": HydraConfig.get().job.override_dirname,
        "pid": os.getpid(),
    }
    Path(HydraConfig.get().runtime.output_dir, "seen.json").write_text(json.dumps(seen))
    return losses[-1]


if __name__ == "__main__":
    main()
