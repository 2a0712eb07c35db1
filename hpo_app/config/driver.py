"""From interpolations that only this process can resolve to their values.

Trials render the template in workers of their own, where `${hydra:…}` knows no run and `${now:…}`
is later. `${oc.env:…}` stays as it is on purpose: a worker resolves it, and no secret is copied.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from omegaconf.errors import OmegaConfBaseException

from hpo_app.errors import Problem


if TYPE_CHECKING:
    from omegaconf import DictConfig

_HERE_ONLY = re.compile(r"\$\{\s*(?:hydra|now|hpo\.unique)\s*:")
_OF_A_TRIAL = re.compile(r"\$\{\s*params\b")


def resolve_here(config: DictConfig, template: dict[str, Any]) -> list[Problem]:
    """Put values into `template` for what workers cannot resolve; return what is wrong with it."""
    problems: list[Problem] = []
    for key in template:
        if key not in {"params", "search_space"}:
            _resolve_child(config, template, key, str(key), problems)
    return problems


def _resolve_child(
    config: Any, container: Any, key: Any, name: str, problems: list[Problem]
) -> None:
    node = container[key]
    if isinstance(node, str) and _HERE_ONLY.search(node):
        try:
            container[key] = _value(config, key, node)
        except (OmegaConfBaseException, ValueError) as error:
            text = f"{node} ({str(error).splitlines()[0]})"
            expected = "an interpolation that can be resolved before the trials start"
            problems.append(Problem(name, text, expected, "write the value itself"))
            container[key] = None
    elif isinstance(node, dict):
        for child in node:
            _resolve_child(config[key], node, child, f"{name}.{child}", problems)
    elif isinstance(node, list):
        for index in range(len(node)):
            _resolve_child(config[key], node, index, f"{name}[{index}]", problems)


def _value(config: Any, key: Any, text: str) -> Any:
    if _OF_A_TRIAL.search(text):
        raise ValueError("it mixes what is known before the trials with what each trial draws")
    return config[key]
