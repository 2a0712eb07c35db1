"""From a winner to a YAML file that trains it again, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from hpo_app.config.render import Rendered
from hpo_app.errors import Problem, RunFolderError
from hpo_app.plan.run_plan import Mode, Objective


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class BestConfig:
    """A configuration that can be trained as it is.

    Attributes:
        rendered: Model, data and training config, nothing left to resolve.
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
    path.write_text(comments + OmegaConf.to_yaml(OmegaConf.create(content)), encoding="utf-8")


def read_best(path: Path, overrides: Sequence[str] = ()) -> BestConfig:
    """Read a configuration, with changes on top.

    Args:
        path: A best.yaml.
        overrides: `model.…=`, `data.…=` and `training.…=` of the command line.

    Raises:
        RunFolderError: If the file is missing or is not such a configuration.
    """
    try:
        config = OmegaConf.load(path)
        changes = OmegaConf.from_dotlist([text for text in overrides if _is_change(text)])
        content = OmegaConf.to_container(OmegaConf.merge(config, changes), resolve=True)
        return _from(content)  # type: ignore[arg-type]
    except OSError as error:
        fix = "name the best.yaml of a run folder"
        raise RunFolderError([Problem("best", f"{path}", "a file that is there", fix)]) from error
    except (OmegaConfBaseException, YAMLError, KeyError, TypeError, ValueError) as error:
        expected = "a best.yaml with objective, model, data and training"
        problem = Problem(str(path), repr(error), expected, "restore the file from a copy")
        raise RunFolderError([problem]) from error


def _from(content: dict[str, Any]) -> BestConfig:
    objective = Objective(content["objective"]["metric"], Mode(content["objective"]["mode"]))
    rendered = Rendered(content["model"], content["data"], content["training"])
    return BestConfig(rendered, objective, content["params"], content["provenance"])


def _is_change(override: str) -> bool:
    return override.startswith(tuple(f"{part}." for part in Rendered._fields))
