"""From a sweep to whether the app's config takes it, and to the defaults that stand there."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hpo_app.apps.look import MOST_COMPOSED, changes
from hpo_app.apps.override_text import override_text
from hpo_app.errors import PlanError, Problem
from hpo_app.plan.read_space import read_space
from hpo_app.plan.search_space import default_of


if TYPE_CHECKING:
    from collections.abc import Iterable

    from omegaconf import DictConfig

    from hpo_app.apps.grammar import Sweep


def check_and_take_defaults(sweep: Sweep, loader: Any, master: DictConfig) -> None:
    """Compose the app's config with a sweep, and let trial 0 be what the app runs by itself.

    Args:
        sweep: Its parameters get a `default` where the app's config has a value in their range.
        loader: The app's config loader.
        master: The app's config with its `hydra` node.

    Raises:
        PlanError: With every override or choice that does not compose.
    """
    space, problems = read_space(sweep.space, "sweep")
    if problems:
        raise PlanError(problems)
    own = _compose(loader, master, sweep.fixed, [])
    for name, entry in sweep.space.items():
        if own is not None:
            value = _as_typed(_value(own, name, sweep), entry.get("values", ()))
            if space[name].contains(value) and value is not None:
                entry["default"] = value
    typed = {name: default_of(each) for name, each in read_space(sweep.space)[0].parameters.items()}
    for changed in [{}, *changes(space)][:MOST_COMPOSED]:
        params = {**typed, **changed}
        texts = [override_text(sweep.keys[name], value) for name, value in params.items()]
        _compose(loader, master, [*sweep.fixed, *texts], problems)
    if problems:
        raise PlanError(list({problem.got: problem for problem in problems}.values()))


def _as_typed(value: Any, values: Iterable[Any]) -> Any:
    """Return a value of a config as a sweep writes it: `0.0` as `0`, an enum by its name."""
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, float | int) and not isinstance(value, bool):
        for each in values:
            if each == value and isinstance(each, float | int) and not isinstance(each, bool):
                return each
    return value


def _value(config: DictConfig, name: str, sweep: Sweep) -> Any:
    key = sweep.keys[name].lstrip("+")
    if name in sweep.groups:
        return config.hydra.runtime.choices.get(key)
    try:
        value = OmegaConf.select(config, key)
    except OmegaConfBaseException:  # It is reached by another value, which only a job has.
        return None
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value


def _compose(
    loader: Any, master: DictConfig, texts: list[str], problems: list[Problem]
) -> DictConfig | None:
    try:
        config: DictConfig = loader.load_sweep_config(master, texts)
    except (HydraException, OmegaConfBaseException) as error:
        lines = [*str(error).splitlines(), *str(error.__cause__ or "").splitlines()]
        got = " ".join(" ".join(lines).split())
        expected = "overrides that the app's config takes"
        fix = "correct the key or the choice; --cfg job shows the app's config"
        problems.append(Problem("sweep", got, expected, fix))
        return None
    return config
