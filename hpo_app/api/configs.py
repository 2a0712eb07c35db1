"""From what is to be trained to the configs of model, data and training, as plain values."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from hpo_app.api.choices import SAID_IN, choices_of
from hpo_app.api.iterations import (
    KEY as ITERATIONS,
    WORDS,
    with_iterations,
    without_iterations,
)
from hpo_app.api.mapping import PARTS
from hpo_app.api.plain import plain_config
from hpo_app.api.training_engine import no_trainer
from hpo_app.config.compose import conf_dir
from hpo_app.config.written import read_yaml
from hpo_app.errors import Problem, listed, near_miss
from hpo_app.plan.read_space import parameters_of, read_space


if TYPE_CHECKING:
    from omegaconf import DictConfig

    from hpo_app.api.request import Request

Configs = dict[str, dict[str, Any]]


def configs_of(config: DictConfig, request: Request, problems: list[Problem]) -> Configs:
    """Return model, data and training.

    What is given is merged into what a named model brings, of which a key that it does not have is
    a mistake; of a model of one's own nothing is known.

    Args:
        config: The composed config, with what the names in the request stand for.
        request: What is asked for.
        problems: Gets what is wrong with it.
    """
    given = {
        "model": request.model_config,
        "data": request.data_config,
        "training": request.training_config,
    }
    brought: Configs = {
        part: OmegaConf.to_container(config[part], resolve=False)  # type: ignore[misc]
        for part in PARTS
    }
    configs: Configs = {}
    for part, values in given.items():
        if isinstance(values, str) or (values is None and request.has_named_model):
            configs[part] = brought[part]
            continue
        own = plain_config({} if values is None else values, f"{part}_config", problems)
        if part == "training":
            own = with_iterations(own)
        if request.has_named_model:
            own = _merged(brought[part], own, f"{part}_config", request, problems)
        configs[part] = own
    configs["training"] = _with_preset(configs["training"], request)
    if "training_config" not in {problem.key for problem in problems}:
        problems += without_iterations(configs["training"])
    _name_trainer(configs["model"], request, problems)
    return configs


def _with_preset(training: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """Return the training config with the iterations of a preset, where the person gave none."""
    own = request.training_config
    is_given = isinstance(own, str) or (
        isinstance(own, Mapping) and ITERATIONS in with_iterations(own)
    )
    preset = {} if is_given or ITERATIONS not in request.settings else request.settings
    counted = {ITERATIONS: preset[ITERATIONS]} if preset else {}
    return {"checkpoint_every": 1, **training, **counted}


def _merged(
    ours: dict[str, Any],
    own: Mapping[str, Any],
    key: str,
    request: Request,
    problems: list[Problem],
) -> dict[str, Any]:
    """Return what a named model brings with a person's values in it."""
    merged = dict(ours)
    # What is empty takes anything, for example the arguments of an environment; and a function of
    # the person's own may read more than ours.
    takes_more = not ours or request.trainer is not None
    for name, value in own.items():
        full = f"{key}.{name}"
        if name in ours and isinstance(value, dict) and isinstance(ours[name], dict):
            merged[name] = _merged(ours[name], value, full, request, problems)
        elif name in ours or takes_more:
            merged[name] = value
        elif name not in WORDS:
            near = near_miss(str(name), ours)
            fix = f"write {near!r}" if near else "leave it out"
            expected = f"a key that {request.model_config} knows: {listed(ours)}"
            problems.append(Problem(full, f"{value!r:.60}", expected, fix, SAID_IN))
    return merged


def _name_trainer(model: dict[str, Any], request: Request, problems: list[Problem]) -> None:
    if request.trainer is not None:
        if "trainer" in model and not request.has_named_model:
            expected = "no such key beside a training function"
            fix = "rename it: it is where the function is named"
            got = str(model["trainer"])
            problems.append(Problem("model_config.trainer", got, expected, fix, SAID_IN))
        model["trainer"] = request.trainer
    elif not isinstance(model.get("trainer"), str):
        problems.append(no_trainer(model.get("trainer")))


def space_of_model(request: Request) -> dict[str, Any]:
    """Return the entries of the search space that belongs to a named model; none for another."""
    name = request.model_config
    if not isinstance(name, str) or name not in choices_of("search_space"):
        return {}
    entries: Any = OmegaConf.to_container(read_yaml(conf_dir() / "search_space" / f"{name}.yaml"))
    return dict(entries)


def fix_what_is_not_searched(
    configs: Configs, own: Mapping[str, Any], searched: Mapping[str, Any]
) -> dict[str, Any]:
    """Put the default of each parameter that is not searched in the place of `${params.name}`.

    Args:
        configs: The configs of a named model; changed in place.
        own: The entries of its search space.
        searched: The parameters that vary.

    Returns:
        Our defaults, of those that vary too.
    """
    defaults = {
        # Where its condition does not hold, a parameter reads as what stands under `otherwise`.
        name: read_space(own)[0].defaults.get(name, entry.get("otherwise"))
        for name, entry in parameters_of(own).items()
    }
    fixed = {name: value for name, value in defaults.items() if name not in searched}
    for part in PARTS:
        configs[part] = _filled(configs[part], fixed)
    return defaults


def _filled(node: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(child, values) for key, child in node.items()}
    if isinstance(node, list):
        return [_filled(child, values) for child in node]
    if not isinstance(node, str):
        return node
    for name, value in values.items():
        reference = rf"\$\{{params\.{re.escape(name)}\}}"
        if re.fullmatch(reference, node):
            return copy.deepcopy(value)
        node = re.sub(reference, lambda _, value=value: str(value), node)  # type: ignore[misc]
    return node
