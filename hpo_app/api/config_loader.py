"""From config files to search spaces and presets that Python code takes by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from hpo_app.api.iterations import KEY as ITERATIONS
from hpo_app.api.request import ARGUMENTS
from hpo_app.config.compose import conf_dir
from hpo_app.config.written import UNREADABLE, read_yaml
from hpo_app.errors import PlanError, Problem, RunFolderError, listed, near_miss
from hpo_app.plan.read_space import read_space


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PARTS = ("search_spaces", "experiments")
# What a preset sets in a section, and what `optimize` calls it.
_COMPONENTS = ("search_alg", "scheduler")


class ConfigLoader:
    """Loads search spaces and presets, ours or those of a file of one's own."""

    def load_config(self, path: str | Path | None = None) -> dict[str, dict[str, Any]]:
        """Return search spaces and presets by name.

        Args:
            path: A YAML file with `search_spaces:` and `experiments:`, either of them; None for
                the ones that come with hpo_app, in `conf/`.

        Returns:
            `{"search_spaces": {name: param_space}, "experiments": {name: arguments}}`, for
            `optimize(param_space=…, **arguments)`.

        Raises:
            RunFolderError: If the file cannot be read.
            PlanError: With everything that is wrong in it.
        """
        if path is None:
            return {"search_spaces": _spaces(), "experiments": _experiments()}
        return _own(Path(path))


def _spaces() -> dict[str, Any]:
    return {
        path.stem: _content(path) for path in sorted((conf_dir() / "search_space").glob("*.yaml"))
    }


def _experiments() -> dict[str, Any]:
    return {path.stem: _arguments(path) for path in sorted((conf_dir() / "preset").glob("*.yaml"))}


def _content(path: Path) -> dict[str, Any]:
    try:
        return OmegaConf.to_container(read_yaml(path), resolve=False)  # type: ignore[return-value]
    except UNREADABLE as error:
        text = " ".join(str(error).split())
        expected = "a YAML file with a mapping"
        raise RunFolderError([Problem(str(path), text, expected, "correct it")]) from error


def _arguments(path: Path) -> dict[str, Any]:
    """Return a preset's settings as arguments of `optimize`."""
    content = _content(path)
    chosen: dict[str, Any] = {}
    for entry in content.pop("defaults", []):
        for group, choice in entry.items() if isinstance(entry, dict) else ():
            chosen[group.removeprefix("override ").lstrip("/")] = choice
    for part in _COMPONENTS:
        own = content.pop(part, {})
        if own:
            chosen[part] = {"name": chosen[part], **own}
    training = content.pop("training", {})
    counted = {ITERATIONS: training[ITERATIONS]} if ITERATIONS in training else {}
    return {**chosen, **content, **counted}


def _own(path: Path) -> dict[str, dict[str, Any]]:
    content = _content(path)
    problems = [*_unknown(content, _PARTS)]
    found: dict[str, dict[str, Any]] = {}
    for part in _PARTS:
        found[part] = content.get(part) or {}
        if not isinstance(found[part], dict) or not all(
            isinstance(value, dict) for value in found[part].values()
        ):
            expected = "a mapping of names to mappings"
            problems.append(Problem(part, str(found[part])[:60], expected, "correct it"))
            found[part] = {}
    for name, entries in found["search_spaces"].items():
        problems += read_space(entries, f"search_spaces.{name}")[1]
    for name, arguments in found["experiments"].items():
        problems += _unknown(arguments, ARGUMENTS, f"experiments.{name}.")
    if problems:
        raise PlanError([replace(item, set_by=str(path)) for item in problems])
    return found


def _unknown(
    content: Mapping[str, Any], known: Sequence[str], prefix: str = ""
) -> Iterator[Problem]:
    for key in content:
        if key not in known:
            near = near_miss(str(key), known)
            fix = f"write {near} instead" if near else "remove it"
            got = str(content[key])[:60]
            yield Problem(f"{prefix}{key}", got, f"one of {listed(known)}", fix)
