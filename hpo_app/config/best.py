"""From a winner to a YAML file that trains it again, and back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from hpo_app.config.overrides import read_override, with_changes
from hpo_app.config.render import Rendered, with_typed_trust
from hpo_app.config.resolvers import literal
from hpo_app.config.secrets import fix_of, named_secrets, secret_variables
from hpo_app.config.written import UNREADABLE, read_yaml
from hpo_app.errors import PlanError, Problem, RunFolderError, listed, near_miss
from hpo_app.study.files import replace_file
from hpo_app.study.judging import (
    are_constraints,
    are_objectives,
    constraint_fields,
    criteria_from,
    objective_fields,
)


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from omegaconf import DictConfig

    from hpo_app.config.overrides import Override
    from hpo_app.plan.criteria import Criteria

# An even number of backslashes before it escapes backslashes, and not the interpolation.
_VARIABLE = re.compile(r"\$\{oc\.env:(\w+)")
# What may stand in a text that holds a secret by name.
_WITH_SECRET = re.compile(r"\$\{(?:oc\.env:\w+(?:,[^${}]*)?|params\.\w+)\}")
_INTERPOLATION = re.compile(r"(?<!\\)(?:\\\\)*\$\{")


@dataclass(frozen=True)
class BestConfig:
    """A configuration that can be trained as it is.

    Attributes:
        rendered: Model, data and training config, nothing left to resolve but secrets.
        criteria: What it was chosen by.
        params: The values that a search found.
        provenance: Run, trial, seed and value it comes from.
    """

    rendered: Rendered
    criteria: Criteria
    params: Mapping[str, Any]
    provenance: Mapping[str, Any]


def write_best(path: Path, best: BestConfig, head: Sequence[str]) -> None:
    """Write a configuration as YAML, with comment lines above it."""
    content = {
        **_judged_by(best.criteria),
        # Where it is a choice of a config group, there is nothing left to search.
        "search_space": None,
        "params": dict(best.params),
        **best.rendered._asdict(),
        "provenance": dict(best.provenance),
    }
    # Hydra reads the first line: a copy of the file is a choice of conf/model as it is.
    write_yaml(path, content, ("@package _global_", *head))


def write_yaml(path: Path, content: Mapping[str, Any], head: Sequence[str]) -> None:
    """Write plain values as YAML without what is secret in them, with comment lines above."""
    comments = "".join(f"# {_on_one_line(line)}\n" for line in head)
    text = OmegaConf.to_yaml(OmegaConf.create(literal(content)))
    replace_file(path, comments + named_secrets(text))


def read_best(
    path: Path, changes: Sequence[str] = (), trusted_modules: Sequence[str] = ()
) -> BestConfig:
    """Read a configuration, with changes on top.

    Args:
        path: A best.yaml.
        changes: `model.…=`, `data.…=` and `training.…=` of the command line.
        trusted_modules: Packages that the person trusts; a file cannot trust any by itself.

    Raises:
        RunFolderError: If the file is missing or is not such a configuration.
        PlanError: If a change names a key that the configuration does not have.
    """
    try:
        # A person named it, be it through a link.
        return configuration_in(read_yaml(path.resolve()), changes, trusted_modules)
    except OSError as error:
        got = f"{path} ({error.strerror or error})"
        fix = "name the best.yaml of a run folder"
        raise RunFolderError([Problem("best", got, "a file that is there", fix)]) from error
    except UNREADABLE as error:
        expected = "a best.yaml with objective, params, model, data, training and provenance"
        text = " ".join(repr(error).split())
        fix = fix_of(error, otherwise="restore the file from a copy")
        problem = Problem(str(path), text, expected, fix)
        raise RunFolderError([problem]) from error


def configuration_in(
    config: DictConfig, changes: Sequence[str], trusted_modules: Sequence[str]
) -> BestConfig:
    """Return the configuration that the keys of a file hold, with changes on top.

    Raises:
        Exception: One of `UNREADABLE`, if they hold none.
        PlanError: If a change names a key that the configuration does not have.
    """
    overrides = [read_override(text) for text in changes]
    stored = OmegaConf.to_container(config, resolve=False)
    _refuse_interpolations(stored, secret_variables(stored))
    _refuse_unknown(config, overrides)
    content: Any = OmegaConf.to_container(with_changes(config, overrides), resolve=True)
    best = _from(content)
    with_typed_trust(best.rendered, trusted_modules)
    return best


def _judged_by(criteria: Criteria) -> dict[str, Any]:
    objectives = objective_fields(criteria.objectives)
    fields: dict[str, Any] = {"objectives": objectives}
    if not criteria.has_several:
        fields = {"objective": objectives[0]}
    if criteria.constraints:
        fields["constraints"] = constraint_fields(criteria.constraints)
    return fields


def _objectives_in(content: dict[str, Any]) -> dict[str, Any]:
    if "objectives" not in content:
        return dict(content["objective"])
    if not are_objectives(content["objectives"]):
        raise ValueError(f"objectives: {str(content['objectives'])[:60]}")
    return {"objectives": content["objectives"]}


def _constraints_in(content: dict[str, Any]) -> dict[str, Any]:
    constraints = content.get("constraints", {})
    if not are_constraints(constraints):
        raise ValueError(f"constraints: {str(constraints)[:60]}")
    return {"constraints": constraints}


def is_change(override: Override) -> bool:
    """Return whether an override changes what a best.yaml holds."""
    return override.root in Rendered._fields and override.key != override.root


def _on_one_line(text: str) -> str:
    # What stands in a name must not end the comment, and YAML takes no control characters.
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _refuse_interpolations(node: Any, secrets: set[str]) -> None:
    # A winner is written fully resolved, but for secrets, which are told nobody. A file that is
    # not would read this machine's environment.
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            _refuse_interpolations(child, secrets)
    elif isinstance(node, str):
        names = set(_VARIABLE.findall(node))
        rest = _WITH_SECRET.sub("", node) if names and names <= secrets else node
        if _INTERPOLATION.search(rest):
            raise ValueError(f"an interpolation: {node[:60]}")


def _refuse_unknown(config: Any, changes: Sequence[Override]) -> None:
    problems = []
    for text, key, value, mark in changes:
        set_by = f"command line: {text}"
        if mark == "~":
            expected = "a change of a value: what the file holds cannot be taken out"
            problems.append(Problem(key, text, expected, f"write {key}=VALUE", set_by))
            continue
        parent, _, name = key.rpartition(".")
        node = OmegaConf.select(config, parent)
        known = [str(child) for child in node] if OmegaConf.is_dict(node) else []
        if name not in known:
            miss = near_miss(name, known)
            fix = f"write {parent}.{miss}={value}" if miss else "leave it out"
            expected = f"a key of {parent} in the file: {listed(known) or 'it has none'}"
            problems.append(Problem(key, value, expected, fix, set_by))
    if problems:
        raise PlanError(problems)


def _from(content: dict[str, Any]) -> BestConfig:
    criteria = criteria_from({**_objectives_in(content), **_constraints_in(content)})
    rendered = Rendered(*(dict(content[part]) for part in Rendered._fields))
    return BestConfig(rendered, criteria, dict(content["params"]), dict(content["provenance"]))
