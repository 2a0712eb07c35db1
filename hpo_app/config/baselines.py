"""From the paths that `baseline` names to configurations of the search space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from hpo_app.config.written import UNREADABLE, read_yaml
from hpo_app.errors import Problem, RunFolderError, listed
from hpo_app.plan.baselines import fitted, misfits
from hpo_app.plan.run_plan import Baseline
from hpo_app.study.replay import load_study


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hpo_app.plan.search_space import SearchSpace

_PARAMS = "params"


def read_baselines(
    paths: Sequence[str], space: SearchSpace, problems: list[Problem]
) -> tuple[Baseline, ...]:
    """Return the configurations that a person brings along; what is wrong goes on record.

    Args:
        paths: Each a run folder, whose winner counts; or a YAML file with the parameters by name,
            at its top or below `params`, as a best.yaml has them.
        space: What the search may try.
        problems: Takes what is wrong, for each value with its file and its key.
    """
    found = []
    for index, path in enumerate(paths):
        key = f"baseline[{index}]"
        values = _values(Path(path), key, space, problems)
        if values is None:
            continue
        wrong = list(misfits(space, values))
        problems += [
            Problem(f"{key}.{each.name}", f"{each.got} in {path}", each.expected, each.fix)
            for each in wrong
        ]
        if not wrong:
            found.append(Baseline(path, fitted(space, values)))
    return tuple(found)


def _values(
    path: Path, key: str, space: SearchSpace, problems: list[Problem]
) -> Mapping[str, Any] | None:
    try:
        return _of_winner(path) if path.is_dir() else _in_file(path, space)
    except RunFolderError as error:
        problems += [
            Problem(key, f"{path}: {each.got}", each.expected, each.fix) for each in error.problems
        ]
    except OSError as error:
        expected = "a best.yaml, a run folder, or a YAML file with the parameters by name"
        got = f"{path} ({error.strerror or error})"
        problems.append(Problem(key, got, expected, "name a file that is there"))
    except UNREADABLE as error:
        text = " ".join(str(error).split())
        expected = f"the parameters by name, at the top of the file or below {_PARAMS}"
        fix = f"write one line for each of {listed(space.parameters)}"
        problems.append(Problem(key, f"{path}: {text}", expected, fix))
    return None


def _of_winner(folder: Path) -> Mapping[str, Any]:
    # Not above: it brings NumPy, a fifth of the time in which a plan is shown.
    from hpo_app.analysis.best import best_trial  # noqa: PLC0415

    best = best_trial(load_study(folder))
    if best is None:
        expected = "a run with a winner: one of its trials has to have reported"
        raise RunFolderError([Problem(str(folder), "a run without one", expected, "leave it out")])
    return best.params


def _in_file(path: Path, space: SearchSpace) -> Mapping[str, Any]:
    # A person named it, be it through a link. Nothing in it is resolved.
    content: Any = OmegaConf.to_container(read_yaml(path.resolve()), resolve=False)
    if _PARAMS in content and _PARAMS not in space.parameters:
        content = content[_PARAMS]
        if not isinstance(content, dict):
            raise TypeError(f"{_PARAMS} is no mapping")
    if not set(content) & set(space.parameters):
        raise ValueError("no parameter of the search space is in it")
    return content  # type: ignore[no-any-return]
