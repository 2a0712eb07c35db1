"""hpo_app: hyperparameter search from config groups, one Ray Tune run at a time."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from hpo_app.api.config_loader import ConfigLoader
    from hpo_app.api.optimizer import HPOptimizer
    from hpo_app.api.training_engine import TrainingEngine
    from hpo_app.api.visualizer import HPOVisualizer
    from hpo_app.errors import HpoError
    from hpo_app.training.current import current_trial, report

__version__ = "0.1.0"
__all__ = [
    "ConfigLoader",
    "HPOVisualizer",
    "HPOptimizer",
    "HpoError",
    "TrainingEngine",
    "current_trial",
    "report",
]

# What each name costs is paid when it is first asked for: the command line needs none of them.
_MODULES = {
    "ConfigLoader": "hpo_app.api.config_loader",
    "HPOVisualizer": "hpo_app.api.visualizer",
    "HPOptimizer": "hpo_app.api.optimizer",
    "HpoError": "hpo_app.errors",
    "TrainingEngine": "hpo_app.api.training_engine",
    "current_trial": "hpo_app.training.current",
}


def __getattr__(name: str) -> Any:
    if name == "report":
        return import_module("hpo_app.report")  # A room that can be called.
    if name not in _MODULES:
        raise AttributeError(f"module 'hpo_app' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
