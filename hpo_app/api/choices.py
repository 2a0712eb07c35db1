"""From a name in Python to a choice of a config group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hpo_app.config.compose import conf_dir
from hpo_app.errors import Problem, listed, near_miss


# Where what is wrong was said, for messages.
SAID_IN = "optimize()"


def component_choice(part: str, value: Any, problems: list[Problem]) -> str:
    """Return the group choice that `search_alg` or `scheduler` names; empty for a `_target_`."""
    key, expected = part, "a name, or a mapping with name or _target_, and arguments"
    if isinstance(value, Mapping) and "name" in value:
        key, value, expected = f"{part}.name", value["name"], "a name"
    elif isinstance(value, Mapping) and "_target_" in value:
        return ""
    if isinstance(value, str):
        return group_choice(part, part, value, problems)
    known = listed(choices_of(part))
    problems.append(Problem(key, f"{value!r:.60}", expected, f"choose of {known}", SAID_IN))
    return ""


def group_choice(group: str, key: str, name: Any, problems: list[Problem]) -> str:
    """Return a choice of a config group; empty where `name` is no name, or none that is there."""
    if not isinstance(name, str):
        return ""
    known = choices_of(group)
    if name in known:
        return name
    near = near_miss(name, known)
    fix = f"write {near!r}" if near else "choose one of them"
    problems.append(Problem(key, name, f"one of {listed(known)}", fix, SAID_IN))
    return ""


def tracker_choices(names: Any, problems: list[Problem]) -> list[str]:
    """Return the trackers that are named, by one name or several."""
    listed_names = [names] if isinstance(names, str) else names
    if not isinstance(listed_names, Sequence):
        expected = f"a name or a list of names: {listed(choices_of('tracker'))}"
        problems.append(Problem("tracker", str(names), expected, "write 'mlflow'", SAID_IN))
        return []
    found = [group_choice("tracker", "tracker", str(name), problems) for name in listed_names]
    return [name for name in found if name]


def choices_of(group: str) -> list[str]:
    """Return the names of a config group of ours."""
    return sorted(path.stem for path in (conf_dir() / group).glob("*.yaml"))
