"""From one configuration to its reports, for a person who writes Python."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any

from hpo_app.api.iterations import with_iterations, without_iterations
from hpo_app.api.plain import plain_config
from hpo_app.api.references import standing_alone
from hpo_app.config.app_trust import refuse_app
from hpo_app.config.build import load_function
from hpo_app.config.render import render, with_typed_trust
from hpo_app.errors import PlanError, Problem
from hpo_app.training.fit_one import fit_one


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Unpack

    from hpo_app.training.contract import TrainFunction
    from hpo_app.training.fit_one import FitOptions


class TrainingEngine:
    """Trains one configuration at a time, with or without a search around it.

    Attributes:
        train: The training function; None to use the one that the model config names as `trainer`.
        trusted_modules: Packages of the person's own that a model config may name code from.
    """

    def __init__(
        self, train: TrainFunction | None = None, trusted_modules: str | Sequence[str] = ()
    ) -> None:
        """Take a training function, or none.

        Args:
            train: `train(model, data, training, trial)`; see `hpo_app.training.contract`. It may
                be defined anywhere, also in a notebook or in `__main__`.
            trusted_modules: Packages of yours that `model["trainer"]` may name.

        Raises:
            TypeError: If `train` cannot be called like that.
        """
        is_function: bool = train is None or callable(train)
        if not is_function:
            got = type(train).__name__
            raise TypeError(
                f"TrainingEngine takes a function train(model, data, training, trial) "
                f"or nothing, and got {got}"
            )
        if train is not None:
            refuse_other_signature(train)
        self.train = train
        # One name is not a row of letters.
        names = [trusted_modules] if isinstance(trusted_modules, str) else trusted_modules
        self.trusted_modules = tuple(names)

    def __repr__(self) -> str:
        return f"TrainingEngine({self.name or ''})"

    @property
    def name(self) -> str | None:
        """Where the training function is defined, as `package.module:name`; None without one."""
        return None if self.train is None else function_name(self.train)

    def fit(
        self,
        model: Mapping[str, Any],
        data: Mapping[str, Any] | None = None,
        training: Mapping[str, Any] | None = None,
        *,
        metric: str,
        seed: int = 0,
        **options: Unpack[FitOptions],
    ) -> list[dict[str, float]]:
        """Train one configuration to its end, here, without Ray.

        Args:
            model: Settings of the model. Interpolations among the three configs are resolved, and
                those of a DictConfig to the config that it is a part of.
            data: Settings of the data or environment.
            training: Settings of the training: `iterations`, the number of reports, and
                `checkpoint_every` if there is a `folder`.
            metric: Name of a number that every report must have.
            seed: Seed of everything random.
            **options: See `hpo_app.training.fit_one.fit_one`.

        Returns:
            One dict of metrics per report, in order.

        Raises:
            PlanError: If there is no training function, or one that is not trusted, or a config
                holds what is no plain value.
            ConfigurationError: If the training function cannot train this.
            ReportError: If a report is unusable, or there was none.
        """
        configs = {
            "model": model,
            "data": {} if data is None else data,
            "training": {} if training is None else training,
        }
        problems: list[Problem] = []
        template = {
            part: plain_config(config, f"{part}_config", problems)
            for part, config in standing_alone(configs).items()
        }
        template["training"] = with_iterations(template["training"])
        if "training_config" not in {problem.key for problem in problems}:
            problems += without_iterations(template["training"])
        named: Any = metric  # What the signature asks for, a person may not have handed over.
        if not isinstance(named, str):
            got = f"{named!r:.60} ({type(named).__name__})"
            problems.append(Problem("metric", got, "a name", "write metric='loss'"))
        if problems:
            raise PlanError(problems)
        rendered = render(template, {})
        if self.trusted_modules:
            rendered = with_typed_trust(rendered, self.trusted_modules)
        return fit_one(
            self.function(template["model"]),
            *rendered,
            metric=metric,
            seed=seed,
            **options,
        )

    def function(self, model: Mapping[str, Any]) -> TrainFunction:
        """Return the function that trains a model config.

        Raises:
            PlanError: If there is none, or one that is neither ours nor trusted.
        """
        if self.train is not None:
            return self.train
        trainer = model.get("trainer")
        if not isinstance(trainer, str):
            raise PlanError([no_trainer(trainer)])
        refuse_app(model, (), self.trusted_modules)
        return load_function(trainer, self.trusted_modules)


def no_trainer(got: object) -> Problem:
    """Return the problem of a model config that does not say what trains it."""
    return Problem(
        "model_config.trainer",
        "nothing" if got is None else str(got),
        "package.module:function, because TrainingEngine() was given no function",
        "write TrainingEngine(train) with your train(model, data, training, trial)",
    )


def function_name(train: TrainFunction) -> str:
    """Return where a training function is found, as `package.module:name`.

    What no module holds under a name (a closure, an object, a method, `functools.partial`) gets one
    in angle brackets, which nobody can look up: the name of another function would train otherwise.
    """
    of: Any = getattr(train, "func", train)  # functools.partial
    named = of if hasattr(of, "__qualname__") else type(of)
    module, name = str(named.__module__), str(named.__qualname__)
    known = vars(sys.modules[module]) if module in sys.modules else {}
    if known.get(name) is train:
        return f"{module}:{name}"
    found = next((key for key, value in known.items() if value is train), None)
    return f"{module}:{found or f'<{name}>'}"


def refuse_other_signature(train: TrainFunction) -> None:
    """Raise if a function does not take what a training function is given.

    Raises:
        TypeError: Now, and not in every trial.
    """
    try:
        inspect.signature(train).bind(None, None, None, None)
    except TypeError as error:
        raise TypeError(
            f"a training function is called as train(model, data, training, trial): {error}"
        ) from None
    except ValueError:
        return  # Compiled code does not tell.
