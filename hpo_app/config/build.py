"""From a name in the config to the object it names, through an exact whitelist.

A config decides what runs, so it may name only what stands here, or what a person trusted with
`trusted_modules` on the command line. It is no sandbox: arguments stay the config's choice.
"""

from __future__ import annotations

import functools
import importlib
import warnings
from typing import TYPE_CHECKING, Any

from hpo_app.errors import PlanError, Problem


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hpo_app.plan.run_plan import Component

APP_TRAINER = "hpo_app.apps.train:train"
TRAINERS = (
    APP_TRAINER,
    "hpo_app.training.models.sb3:train",
    "hpo_app.training.models.ppo:train",  # in run folders and best.yaml of earlier versions
    "hpo_app.training.models.mlp:train",
    "hpo_app.training.models.gradient_boosting:train",
    "hpo_app.training.models.estimator:train",
    "hpo_app.training.models.lightning_module:train",
    "hpo_app.training.models.quadratic:train",
)
COMPONENTS = (
    "optuna.samplers.RandomSampler",
    "optuna.samplers.TPESampler",
    "optuna.samplers.GPSampler",
    "optuna.samplers.CmaEsSampler",
    "optuna.samplers.QMCSampler",
    "optuna.samplers.NSGAIISampler",
    "hpo_app.search.auto.AutoSampler",
    "hpo_app.search.gaussian.GaussianProcess",
    "hpo_app.search.grid.GridSearch",
    "hpo_app.search.tpe.ParzenEstimator",
    "ray.tune.search.hyperopt.HyperOptSearch",
    "hpo_app.tuning.ray_searchers.nevergrad_search",
    "hpo_app.tuning.ax_searcher.AxSearcher",
    "ray.tune.search.ax.AxSearch",
    "ray.tune.search.bohb.TuneBOHB",
    "ray.tune.schedulers.FIFOScheduler",
    "ray.tune.schedulers.AsyncHyperBandScheduler",
    "hpo_app.tuning.hyperband.BohbHyperBand",
    "hpo_app.tuning.hyperband.HyperBand",
    "hpo_app.tuning.median.MedianStopping",
    "ray.tune.schedulers.HyperBandForBOHB",
    "ray.tune.schedulers.MedianStoppingRule",
    "hpo_app.tuning.pbt.PopulationTraining",
    "hpo_app.tuning.bandit.PopulationBandit",
    "ray.tune.logger.TBXLoggerCallback",
    "hpo_app.tuning.trackers.mlflow_runs.MlflowTracker",
    "hpo_app.tuning.trackers.wandb_runs.WandbTracker",
)


def build(component: Component, key: str, trusted: Sequence[str] = (), **arguments: Any) -> Any:
    """Return the searcher, scheduler or tracker that the config names.

    Args:
        component: Target and its arguments.
        key: Config key of the component, for messages.
        trusted: Packages of the person's own.
        **arguments: Further arguments, which win over the component's.

    Raises:
        PlanError: If the target is not on the whitelist, or does not take the arguments.
    """
    # Not above: workers load training functions only, and Hydra takes 0.13 s of their start.
    from hydra.errors import InstantiationException  # noqa: PLC0415
    from hydra.utils import instantiate  # noqa: PLC0415

    _require(component.target, COMPONENTS, trusted, f"{key}._target_")
    node = {"_target_": component.target, **component.arguments}
    # Hydra checks what an exact name says, and of a whole module where the object is from: a
    # module that a person trusts may have imported others.
    is_ours = component.target in COMPONENTS
    allowed = (component.target,) if is_ours else tuple(f"{module}.*" for module in trusted)
    try:
        with warnings.catch_warnings():
            # That a sampler is new is for us to know, and was looked at when it was added.
            warnings.simplefilter("ignore")
            factory = instantiate(
                node, _convert_="all", _partial_=True, _execution_whitelist_=allowed
            )
            return factory(**arguments)
    # Each library refuses arguments in its own way: Optuna with ValueError, Ray with assertions
    # and with errors of its own that cannot be named here.
    except Exception as error:
        cause = error.__cause__ if isinstance(error, InstantiationException) else None
        text = " ".join(str(cause or error).split()) or type(error).__name__
        expected = f"arguments that {component.target} takes"
        fix = f"correct the keys under {key}"
        raise PlanError([Problem(key, text, expected, fix)]) from error


def load_function(path: str, trusted: Sequence[str] = ()) -> Callable[..., Any]:
    """Return the training function at `package.module:function`.

    Raises:
        PlanError: If it is neither ours nor trusted, or does not exist.
    """
    _require(path, TRAINERS, trusted, "model.trainer")
    module_name, _, name = path.partition(":")
    try:
        function = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError) as error:
        expected = "package.module:function that can be imported"
        problem = Problem("model.trainer", f"{path} ({error})", expected, "correct the name")
        raise PlanError([problem]) from error
    if not callable(function):
        problem = Problem("model.trainer", path, "a function", "name a function in the module")
        raise PlanError([problem])
    if path not in TRAINERS:
        _require(_origin(function), (), trusted, "model.trainer")
    return function  # type: ignore[no-any-return]


def _origin(function: Any) -> str:
    """Return where a function was written, which is not always where it was named."""
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{getattr(function, '__module__', None)}:{name}"


def untrusted(
    target: str, allowed: Sequence[str], trusted: Sequence[str], key: str
) -> Problem | None:
    """Return the problem of a target that is neither ours nor trusted, or None."""
    if target in allowed or any(_is_inside(target, module) for module in trusted):
        return None
    package = target.split(":", maxsplit=1)[0].split(".", maxsplit=1)[0]
    expected = "a name that hpo_app ships, or one inside trusted_modules"
    fix = f"if the code is yours, add 'trusted_modules=[{package}]' on the command line"
    if "/" in package:
        expected = "package.module:function, and no path"
        fix = "write it like my_package.train:train"
    return Problem(key, target, expected, fix)


def _require(target: str, allowed: Sequence[str], trusted: Sequence[str], key: str) -> None:
    problem = untrusted(target, allowed, trusted, key)
    if problem is not None:
        raise PlanError([problem])


def _is_inside(target: str, module: str) -> bool:
    return target.startswith((f"{module}.", f"{module}:"))
