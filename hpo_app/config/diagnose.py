"""From a command line that does not compose to everything that is wrong with it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import OmegaConf
from omegaconf.errors import KeyValidationError, OmegaConfBaseException
from yaml import YAMLError

from hpo_app.config.compose import compose_config
from hpo_app.config.overrides import key_parts, read_override, single_values
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError, Problem, listed, near_miss
from hpo_app.plan.read_space import OPTIONAL_FIELDS, RULES
from hpo_app.plan.wording import key_of, typed


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

# Hydra refuses some overrides and files with the errors of the parts that it is made of.
COMPOSITION_ERRORS = (
    HydraException,
    OmegaConfBaseException,
    YAMLError,
    ValueError,
    OSError,
    RuntimeError,
    AssertionError,  # An override without a key, `+=`.
)
_BRING_OTHERS = ("model", "search_space")


def diagnose(
    overrides: Sequence[str],
    error: Exception,
    config_dir: Path | None = None,
    *,
    is_sweep: bool = False,
) -> PlanError:
    """Return all problems of overrides that Hydra refused to compose.

    Hydra names the first one only. Here overrides are added one by one, choices of groups first;
    one that does not go in is put on record and left out, and the rest is checked as a plan.

    Args:
        overrides: The command line's overrides.
        error: What Hydra said; shown if nothing better is found.
        config_dir: A person's own config groups.
        is_sweep: Whether an override may stand for several, one for each of its values.
    """
    accepted: list[str] = []
    problems: list[Problem] = []
    if _refusal([], config_dir) is not None:
        return PlanError([_plain(error)])  # The files themselves are at fault.
    for typed_one in sorted(overrides, key=_rank):
        sound = []
        for override in _values(typed_one) if is_sweep else [typed_one]:
            refusal = _refusal([*accepted, override], config_dir)
            if refusal is None:
                sound.append(override)
                continue
            several = _several_objectives(override)
            problem = several or _problem(override, refusal, accepted, config_dir)
            problems.append(replace(problem, set_by=f"command line: {typed_one}"))
            if _rank(override) < len(_BRING_OTHERS) and not isinstance(
                refusal, MissingConfigException
            ):
                return PlanError(problems)  # Without that file, all else would seem wrong.
        accepted += sound[:1]
    try:
        parse_plan(*compose_config(accepted, config_dir))
    except PlanError as more:
        problems += more.problems
    return PlanError(problems or [_plain(error)])


def _values(override: str) -> list[str]:
    try:
        return single_values(override)
    except HydraException:  # Not of Hydra's grammar, as composing it will say.
        return [override]


def _rank(override: str) -> int:
    """What brings other groups along goes first, then the other groups, then single keys.

    A model before the search space, which names one of its own where none is chosen.
    """
    key = read_override(override).key
    if key in _BRING_OTHERS:
        return _BRING_OTHERS.index(key)
    return len(_BRING_OTHERS) + ("." in key)


def _refusal(overrides: Sequence[str], config_dir: Path | None) -> Exception | None:
    try:
        compose_config(overrides, config_dir)
    except COMPOSITION_ERRORS as error:
        return error
    return None


def _several_objectives(override: str) -> Problem | None:
    _, key, value, _ = read_override(override)
    if key == "objectives" and value.startswith("{"):
        fix = "write 'objectives=[{metric: NAME, mode: min}, {metric: NAME, mode: max}]'"
        return Problem(key, value, "a list of objectives", fix, f"command line: {override}")
    # Hydra takes a list for several choices of the group `objective`.
    if key != "objective" or not value.startswith("["):
        return None
    expected = "one objective; several stand in objectives"
    fix = f"write 'objectives={value}'"
    return Problem(key, value, expected, fix, f"command line: {override}")


def _problem(
    override: str, error: Exception, accepted: Sequence[str], config_dir: Path | None
) -> Problem:
    _, key, value, _ = read_override(override)
    set_by = f"command line: {override}"
    found = _of_a_file(override, error) or _of_a_choice(override, error, accepted, config_dir)
    parent, unknown, known = _unknown_part(key, accepted, config_dir)
    found = found or _of_a_dotted_name(override, parent, known)
    found = found or _of_an_addition(override, error, parent, unknown)
    if found is not None:
        return found
    if unknown and parent == ["params"]:
        expected = "nothing: parameters are sampled, trial 0 takes their defaults"
        fix = f"set search_space.{unknown}.default, or the key of the model that reads it"
        return Problem(key, value, expected, fix, set_by)
    # Hydra's own keys are not in the config that is left when it has composed.
    if unknown and "=" in override and not key.startswith("hydra."):
        miss = near_miss(unknown, known)
        meant = _joined([*parent, miss or "", *key_parts(key)[len(parent) + 1 :]])
        fix = f"write {typed(f'{meant}={value}')}" if miss else "leave it out"
        # What the config leaves empty, as constraints, is for a person to fill.
        fix = fix if known else f"add it: {typed(f'+{override}')}"
        where = _joined(parent) if parent else "the config"
        expected = f"a key of {where}: {listed(known) or 'it has none'}"
        return Problem(key, value, expected, fix, set_by)
    text = " ".join(str(error).split()) or "not written as KEY=VALUE"
    got = f"{override} ({text})"
    fix = "leave it out, or give it a value of the kind that the config has there"
    if value.startswith("{") and not unknown:
        # It may set what the config has there, but nothing else.
        fix = f"write {shlex.quote(f'++{key}={value}')}, which keeps what it does not name"
    if isinstance(error, OverrideParseException):
        fix = f"put the value in quotes, those in quotes of the shell: '{key}=\"…\"'"
    return Problem(key, got, "an override that Hydra can apply", fix, set_by)


def _joined(parts: Sequence[str]) -> str:
    first, *others = parts
    return reduce(key_of, others, first)


def _of_a_dotted_name(override: str, parent: Sequence[str], known: Sequence[str]) -> Problem | None:
    """Return a name with dots that is typed as if they led from part to part."""
    text, key, value, _ = read_override(override)
    rest = key_parts(key)[len(parent) :]
    for name in known:
        inside = name.split(".")
        if len(inside) > 1 and rest[: len(inside)] == inside:
            meant = _joined([*parent, name, *rest[len(inside) :]])
            expected = f"a backslash before each dot in the name {name}"
            fix = f"write {typed(text.replace(key, meant, 1))}"
            return Problem(key, value, expected, fix, f"command line: {override}")
    return None


def _of_a_file(override: str, error: Exception) -> Problem | None:
    """Return that a chosen file has a key without a name."""
    if not isinstance(error, KeyValidationError) or "NoneType" not in str(error):
        return None
    _, key, value, _ = read_override(override)
    expected = "a name before each colon: null, ~ and nothing are no names in YAML"
    fix = 'put it in quotes, "null":, or give it another name'
    got = f"{key}/{value}.yaml has a key that is null"
    return Problem(key, got, expected, fix, f"command line: {override}")


def _of_a_choice(
    override: str, error: Exception, accepted: Sequence[str], config_dir: Path | None
) -> Problem | None:
    """Return what is wrong with the choice of a group; None for another mistake."""
    _, key, value, _ = read_override(override)
    set_by = f"command line: {override}"
    if isinstance(error, MissingConfigException) and error.options:
        choices = [str(option) for option in error.options]
        miss = near_miss(value, choices)
        fix = f"write {key}={miss}" if miss else "choose one of them"
        return Problem(key, value, f"one of {listed(choices)}", fix, set_by)
    if "No match in the defaults list" in str(error):
        _, origin = compose_config(accepted, config_dir)
        expected = f"a group that the chosen model brings along; {origin.choices['model']} does not"
        fix = "leave it out, or choose a model that has one"
        return Problem(key, value, expected, fix, set_by)
    return None


def _of_an_addition(
    override: str, error: Exception, parent: Sequence[str], unknown: str
) -> Problem | None:
    """Return a plus that is missing or too much, or quotes that are; None for another mistake."""
    _, key, value, mark = read_override(override)
    set_by = f"command line: {override}"
    if mark == "+" and "already at" in str(error):
        expected = "no + before a key that the config has"
        return Problem(key, value, expected, f"write {override.lstrip('+')}", set_by)
    is_rule = key.startswith(f"search_space.{RULES}.")
    if not is_rule and not (mark == "" and _may_be_added(parent, unknown)):
        return None
    # Spaces and signs mean something to Hydra, unless they stand in quotes.
    bare = value.strip('"')
    shown = bare if bare.replace(".", "").isalnum() else f'"{bare}"'
    expected = "a key that is added by +, its value in quotes where it holds more than a word"
    return Problem(key, value, expected, f"write '+{key}={shown}'", set_by)


def _may_be_added(parent: Sequence[str], unknown: str) -> bool:
    """Return whether a key is one that a search space may have, and this one has not."""
    if parent == ["search_space"]:
        return unknown == RULES
    in_an_entry = len(parent) > 1 and parent[0] == "search_space"
    return in_an_entry and (unknown in OPTIONAL_FIELDS or parent[1] == RULES or len(parent) > 2)


def _unknown_part(
    key: str, accepted: Sequence[str], config_dir: Path | None
) -> tuple[list[str], str, list[str]]:
    """Return the part of `key` that exists, the first part that does not, and what does."""
    config, origin = compose_config(accepted, config_dir)
    known = [*(str(name) for name in config), *(name for name in origin.choices if "/" not in name)]
    node: Any = config
    parent: list[str] = []
    for part in key_parts(key):
        if part not in known:
            return parent, part, sorted(set(known))
        parent.append(part)
        # Not by node[part]: what stands there may be an interpolation that leads nowhere.
        is_dict = OmegaConf.is_dict(node)
        path = part.replace(".", "\\.")
        node = OmegaConf.select(node, path, throw_on_resolution_failure=False) if is_dict else None
        known = [str(name) for name in node] if OmegaConf.is_dict(node) else []
    return parent, "", []


def _plain(error: Exception) -> Problem:
    text = " ".join(f"{error} {error.__cause__ or ''}".split())
    return Problem("config", text, "config files that Hydra can compose", "correct the file named")
