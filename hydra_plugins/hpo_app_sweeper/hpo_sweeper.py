"""From `hydra/sweeper=hpo` on the command line of any Hydra app to one search of hpo_app.

Every Hydra program of this Python imports this file at its start, so that it imports nothing heavy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper


if TYPE_CHECKING:
    from hydra.types import HydraContext, TaskFunction
    from omegaconf import DictConfig


@dataclass
class HpoSweeperConf:
    """What `hydra.sweeper.…` may say; null leaves what conf/config.yaml or the preset says.

    Attributes:
        metric: Name of what the task function returns, or a list of names.
        mode: `min` or `max`; a list for several.
        iterations: How often the app calls `hpo_app.report`, at most; 1 if it does not.
        resume: The folder of an earlier run of the same command, to go on with.
        params: Sweeps by key, for a config file; the command line wins over it.
        more: Further overrides of hpo_app, for example `scheduler.grace_period=3`.

    The others are keys of hpo_app's conf/config.yaml.
    """

    _target_: str = "hydra_plugins.hpo_app_sweeper.hpo_sweeper.HpoSweeper"
    metric: Any = "value"
    mode: Any = "min"
    iterations: int = 1
    resume: str | None = None
    params: dict[str, Any] | None = None
    preset: str | None = None
    search_alg: str | None = None
    scheduler: str | None = None
    tracker: Any = None
    num_trials: int | None = None
    seed: int | None = None
    time_budget_s: float | None = None
    trial_timeout_s: float | None = None
    stall_timeout_s: float | None = None
    max_failures: int | None = None
    max_same_failures: int | None = None
    prior_trials: int | None = None
    repeat_duplicates: bool | None = None
    warm_start: Any = None
    baseline: Any = None
    constraints: Any = None
    stop: dict[str, Any] = field(
        default_factory=lambda: {"target": None, "plateau": None, "when_done": None}
    )
    checkpoints: dict[str, Any] = field(
        default_factory=lambda: {"keep_best": None, "budget_gb": None}
    )
    resources: dict[str, Any] = field(
        default_factory=lambda: {"cpu": None, "gpu": None, "max_concurrent_trials": None}
    )
    ray: dict[str, Any] = field(
        default_factory=lambda: {"address": None, "num_cpus": None, "num_gpus": None}
    )
    more: list[str] = field(default_factory=list)


ConfigStore.instance().store(
    group="hydra/sweeper", name="hpo", node=HpoSweeperConf, provider="hpo_app"
)


class HpoSweeper(Sweeper):
    """Runs a sweep as one asynchronous search, and leaves a run folder of hpo_app."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self.hydra_context: HydraContext | None = None
        self.config: Any = None

    def setup(
        self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig
    ) -> None:
        """Take what Hydra knows of the app."""
        self.hydra_context = hydra_context
        self.config = config
        self._task_function = task_function

    def sweep(self, arguments: list[str]) -> float | None:
        """Run the search that the arguments describe, and return the best value.

        Raises:
            SystemExit: With hpo_app's exit code, where the search did not end as it should.
        """
        from hpo_app.sweeper import sweep  # noqa: PLC0415 - a second, for those who sweep

        return sweep(self._task_function, self.hydra_context, self.config, self._options, arguments)
