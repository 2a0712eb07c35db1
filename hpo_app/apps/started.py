"""From the file or module of a Hydra app to what it hands over to Hydra, without its training."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import os
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from hydra._internal.execution_policy import _get_active_execution_whitelist

from hpo_app.errors import Problem
from hpo_app.training.contract import ConfigurationError
from hpo_app.training.start_state import ProcessState


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

KEY = "model.app"
# Where a model says what stands on the command line of its app.
OF_THE_COMMAND_LINE = ("config_path", "config_name", "config_dir")


@dataclass(frozen=True)
class AppName:
    """Where an app is, and what the command line said about its config folder.

    Attributes:
        app: A file, as in `python src/train.py`, or a module, as in `python -m package.train`.
        config_path: Folder of its config in the place of its own; empty for its own.
        config_name: Name of its config in the place of its own; empty for its own.
        config_dir: A further folder of config groups; empty for none.
    """

    app: str
    config_path: str = ""
    config_name: str = ""
    config_dir: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it is a file, and not the name of a module."""
        return self.app.endswith(".py")


def app_name(model: Mapping[str, Any]) -> AppName:
    """Return where the app of a model is, as its `app` and the keys of the command line say."""
    return AppName(model["app"], *(model.get(key) or "" for key in OF_THE_COMMAND_LINE))


@dataclass(frozen=True)
class StartedApp:
    """An app that has come as far as to hand itself over to Hydra.

    Attributes:
        task: Its task function, not decorated.
        config_path: As it stands in `hydra.main`.
        config_name: Likewise.
        execution_whitelist: Likewise.
        state: What environment, folder, arguments and import path had become by then.
    """

    task: Callable[..., Any]
    config_path: str | None
    config_name: str | None
    execution_whitelist: Any
    state: ProcessState


class _HandedOver(BaseException):
    """Ends the start of an app where Hydra would take over; no `except Exception` may stop it."""

    def __init__(self, app: StartedApp) -> None:
        super().__init__()
        self.app = app


@functools.lru_cache(maxsize=1)
def start_app(name: AppName) -> StartedApp:
    """Start an app as `python FILE` or `python -m MODULE` does, up to where Hydra takes over.

    So its imports, what it registers (resolvers, config nodes) and what its main block does before
    are there as in a plain start, and `__main__` is the app. A process starts one app, once.

    Raises:
        ConfigurationError: If it is not there, or hands nothing over to Hydra.
    """
    # Not `hydra.main`, which is the function of that name.
    hydra_main: Any = sys.modules.get("hydra.main") or importlib.import_module("hydra.main")
    theirs = hydra_main._run_hydra
    hydra_main._run_hydra = _hand_over
    try:
        _run_as_main(name)
        _call_decorated()
    except _HandedOver as over:
        return over.app
    finally:
        hydra_main._run_hydra = theirs
    expected = "an app that hands a function over to Hydra, by @hydra.main for example"
    fix = "name the file that you start, as in python src/train.py"
    raise ConfigurationError([Problem(KEY, name.app, expected, fix)])


def _hand_over(
    task_function: Any, config_path: str | None, config_name: str | None, **_: Any
) -> NoReturn:
    raise _HandedOver(
        StartedApp(
            task=task_function,
            config_path=config_path,
            config_name=config_name,
            execution_whitelist=_get_active_execution_whitelist(),
            state=ProcessState.here(),
        )
    )


def _run_as_main(name: AppName) -> None:
    module = types.ModuleType("__main__")
    path = _file_of(name, module)
    module.__file__ = str(path)
    module.__builtins__ = __builtins__  # type: ignore[attr-defined]
    # In the place of Ray's own: what pickles or starts processes looks for the app there.
    sys.modules["__main__"] = module
    sys.argv = [str(path)]
    try:
        code = compile(path.read_bytes(), str(path), "exec")
    except OSError as error:
        got = f"{name.app} ({error.strerror or error})"
        fix = "correct the path; it counts from where you start"
        problem = Problem(KEY, got, "a Python file that is there", fix)
        raise ConfigurationError([problem]) from error
    exec(code, module.__dict__)


def _file_of(name: AppName, module: types.ModuleType) -> Path:
    """Return the file of an app, and make its import path what Python makes it."""
    if name.is_file:
        path = Path(name.app).absolute()
        _put_first(str(path.parent))
        return path
    _put_first(os.getcwd())  # noqa: PTH109 - as Python does for -m
    spec = importlib.util.find_spec(name.app)
    if spec is None or not spec.origin:
        fix = f"write the path of its file, or start where {name.app} can be imported from"
        raise ConfigurationError([Problem(KEY, name.app, "a module that is there", fix)])
    module.__spec__, module.__package__ = spec, spec.parent
    return Path(spec.origin)


def _put_first(folder: str) -> None:
    sys.path[:] = [folder, *(path for path in sys.path if path != folder)]


def _call_decorated() -> None:
    """Call what `hydra.main` decorated in an app that only others start."""
    for function in _decorated(vars(sys.modules["__main__"])):
        function()


def _decorated(names: dict[str, Any]) -> Iterator[Callable[[], None]]:
    for value in list(names.values()):
        if isinstance(value, types.FunctionType) and value.__code__.co_name == "decorated_main":
            yield value
