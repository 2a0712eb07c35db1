"""What Hydra calls when a sweep is over: its table, its file and its page."""

from __future__ import annotations

import importlib
import sys
import traceback
from typing import TYPE_CHECKING, Any

from hydra.experimental.callback import Callback
from rich.console import Console

from hpo_app.errors import HpoError
from hpo_app.study.sweep import remove_unused_sweep
from hpo_app.sweeps.one_by_one import starts_searches, sweep_folder
from hpo_app.sweeps.sweep import current_sweep


if TYPE_CHECKING:
    from omegaconf import DictConfig


class SweepResults(Callback):
    """Writes the results of a sweep, however it ended; nothing where no search began."""

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ARG002
        """Write what came out, and say what to type to go on."""
        sweep = current_sweep()
        if not starts_searches(config):
            remove_unused_sweep(sweep_folder(config))
        if sweep.record is None or not sweep.record.has_begun():
            return
        # Not above: Hydra makes this object for every run, and tables take half a second to import.
        results = importlib.import_module("hpo_app.actions.sweep_results")
        try:
            results.conclude_sweep(sweep.record, Console(highlight=False), sweep.typed_again)
        except (HpoError, OSError) as error:
            sys.stderr.write(f"{error}\n")  # Hydra would make a warning of it.
        except Exception:  # noqa: BLE001 - Hydra would swallow it
            traceback.print_exc()
