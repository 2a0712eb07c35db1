"""From one configuration to one job of a Hydra app: the training function of `model=hydra_app`."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException, InstantiationException

from hpo_app.apps.job import warm_app
from hpo_app.apps.override_text import override_texts
from hpo_app.apps.reporting import AppTrial
from hpo_app.apps.started import OF_THE_COMMAND_LINE, app_name
from hpo_app.errors import Problem
from hpo_app.training.contract import ConfigurationError
from hpo_app.training.current import being_trained
from hpo_app.training.reports import OF_THE_RUN, checked_count, checked_settings


if TYPE_CHECKING:
    from collections.abc import Iterator

    from hpo_app.training.contract import Trial


def train(
    model: dict[str, Any],
    data: dict[str, Any],  # noqa: ARG001 - an app brings its own
    training: dict[str, Any],
    trial: Trial,
) -> None:
    """Run one job of an app, with the sampled values as overrides.

    Args:
        model: `app`, a file or module; `overrides`, fixed ones; `values`, the sampled ones by
            name; `keys`, for those whose override has another name; `returns`, the names of what
            the task function returns; `config_path`, `config_name` and `config_dir` as on the app's
            own command line, or null.
        data: Not read.
        training: `iterations`, how often the app reports.
        trial: Number, seed and reports.

    Raises:
        ConfigurationError: If the app cannot be started, or its config does not compose.
    """
    required = ("app", "overrides", "values", "returns")
    optional = (*OF_THE_RUN, "keys", *OF_THE_COMMAND_LINE)
    settings = checked_settings(model, "model", required, optional)
    name, sampled = app_name(settings), override_texts(model)
    returns = settings["returns"]
    reporting = AppTrial(
        trial,
        checked_count(training.get("iterations"), "training.iterations"),
        [returns] if isinstance(returns, str) else returns,
    )
    try:
        with _log_handlers_kept(), being_trained(reporting):
            app = warm_app(name, tuple(settings["overrides"]), trial.run_folder)
            app.started.state.restore()
            value = app.run(sampled, trial.number)
        reporting.returned(value)
    except InstantiationException:
        raise  # Of the app's own objects, which say nothing of its overrides.
    except HydraException as error:
        text = " ".join(str(error).split())
        expected = "overrides that the app's config takes"
        fix = "correct the key or the choice; python APP --cfg job shows its config"
        got = f"{', '.join([*settings['overrides'], *sampled])} ({text})"
        raise ConfigurationError([Problem("model.overrides", got, expected, fix)]) from error
    finally:
        reporting.clean_up()


@contextlib.contextmanager
def _log_handlers_kept() -> Iterator[None]:
    """Put the handlers of the root logger back: an app's own write to a folder of its trial."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        yield
    finally:
        for handler in root.handlers:
            if handler not in handlers:
                handler.close()
        root.handlers[:] = handlers
        root.setLevel(level)
