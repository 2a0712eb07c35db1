"""From a winner to a YAML file that trains it again, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from hpo_app.config.overrides import read_override
from hpo_app.config.render import Rendered
from hpo_app.config.secrets import fix_of
from hpo_app.errors import PlanError, Problem, RunFolderError, listed, near_miss
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.study.files import replace_file


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hpo_app.config.overrides import Override


@dataclass(frozen=True)
class BestConfig:
    """A configuration that can be trained as it is.

    Attributes:
        rendered: Model, data and training config, nothing left to resolve but secrets.
        objective: What it was chosen for.
        params: The values that a search found.
        provenance: Run, trial, seed and value it comes from.
    """

    rendered: Rendered
    objective: Objective
    params: Mapping[str, Any]
    provenance: Mapping[str, Any]


def write_best(path: Path, best: BestConfig, head: Sequence[str]) -> None:
    """Write a configuration as YAML, with comment lines above it."""
    content = {
        "objective": {"metric": best.objective.metric, "mode": best.objective.mode.value},
        "params": dict(best.params),
        **best.rendered._asdict(),
        "provenance": dict(best.provenance),
    }
    comments = "".join(f"# {line}\n" for line in head)
    replace_file(path, comments + OmegaConf.to_yaml(OmegaConf.create(content)))


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
        config = OmegaConf.load(path)
        overrides = [read_override(text) for text in changes]
        _refuse_unknown(config, overrides)
        dotlist = [override.plain for override in overrides]
        changed = OmegaConf.merge(config, OmegaConf.from_dotlist(dotlist))
        content: Any = OmegaConf.to_container(changed, resolve=True)
        best = _from(content)
    except OSError as error:
        fix = "name the best.yaml of a run folder"
        raise RunFolderError([Problem("best", f"{path}", "a file that is there", fix)]) from error
    except (OmegaConfBaseException, YAMLError, KeyError, TypeError, ValueError) as error:
        expected = "a best.yaml with objective, params, model, data, training and provenance"
        fix = fix_of(error, otherwise="restore the file from a copy")
        problem = Problem(str(path), repr(error), expected, fix)
        raise RunFolderError([problem]) from error
    if "trusted_modules" in best.rendered.data:
        best.rendered.data["trusted_modules"] = list(trusted_modules)
    return best


def is_change(override: Override) -> bool:
    """Return whether an override changes what a best.yaml holds."""
    return override.root in Rendered._fields and override.key != override.root


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
    objective = Objective(content["objective"]["metric"], Mode(content["objective"]["mode"]))
    rendered = Rendered(*(dict(content[part]) for part in Rendered._fields))
    return BestConfig(rendered, objective, dict(content["params"]), dict(content["provenance"]))
