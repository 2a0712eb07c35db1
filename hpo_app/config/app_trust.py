"""From what a config says of a Hydra app to whether a person said so: an app is code that is run.

The app itself counts where it is typed. What a file says beside it (a run folder, a best.yaml, a
search space) reaches the app as overrides, which might name code, call resolvers, or lead Hydra to
other config folders: that they may not, unless a person typed it.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from hpo_app.config.build import APP_TRAINER, untrusted
from hpo_app.config.compose import Origin
from hpo_app.config.overrides import read_override, unquoted
from hpo_app.errors import PlanError, Problem


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

KEY = "model.app"
# What a run may be continued with besides, because a person has to say it anew.
TYPED_ANEW = (KEY, "model.overrides", "model.config_path", "model.config_dir")
_FOLDERS = ("config_path", "config_dir")
_TARGET = "_target_"
_INTERPOLATION = re.compile(r"(?<!\\)\$\{")
_RESOLVER = re.compile(r"\$\{[^{}]*:")
# How conf/model/hydra_app.yaml says what reaches the app of a trial.
_VALUES = "${hpo.values:${search_space},${params}}"
# Of Hydra's own keys, those that name no code and no folder to read from.
_PLAIN_OF_HYDRA = (
    "hydra.job.chdir", "hydra.job.name", "hydra.output_subdir", "hydra.sweep.subdir",
    "hydra.verbose", "hydra/sweeper",
)  # fmt: skip
_OF_AN_ENTRY = ("values", "default", "otherwise")


def app_problems(
    model: Any, space: Mapping[str, Any], origin: Origin, trusted: Sequence[str]
) -> Iterator[Problem]:
    """Yield what is wrong with a Hydra app, and what no person has said of it.

    Args:
        model: The composed model, interpolations unresolved.
        space: The search space as it is written.
        origin: What was typed at this start.
        trusted: Packages and apps of the person's own, as typed.
    """
    if not isinstance(model, dict) or model.get("trainer") != APP_TRAINER:
        return
    app = model.get("app")
    if not isinstance(app, str) or not app:
        fix = "add model.app=src/train.py, the file that you start, on the command line"
        yield Problem(KEY, str(app), "the file or module of a Hydra app", fix)
        return
    texts = origin.overrides if origin.typed is None else origin.typed
    typed = {read_override(text).key: read_override(text) for text in texts}
    if app not in trusted and (KEY not in typed or unquoted(typed[KEY].value) != app):
        expected = "an app from the command line: a file cannot have any code run"
        yield Problem(KEY, app, expected, f"if the app is yours, add {KEY}={app}")
        return
    yield from _missing(app)
    yield from _beside(model, space, typed, trusted, is_stored=origin.typed is not None)


def _beside(
    model: Mapping[str, Any],
    space: Mapping[str, Any],
    typed: Mapping[str, Any],
    trusted: Sequence[str],
    *,
    is_stored: bool,
) -> Iterator[Problem]:
    """Yield what only a file says of what reaches the app, and no file may say."""
    for key in _FOLDERS:
        if model.get(key) is not None and f"model.{key}" not in typed:
            expected = "a folder from the command line: what it holds may name code"
            fix = f"if the folder is yours, add model.{key}={model[key]}"
            yield Problem(f"model.{key}", str(model[key]), expected, fix)
    if "model.overrides" not in typed:
        yield from _of_overrides(model.get("overrides") or [], trusted, is_stored=is_stored)
    values = model.get("values", _VALUES)
    if values != _VALUES and "model.values" not in typed:
        fix = "leave it out: what is fixed for all trials is written in model.overrides"
        yield Problem("model.values", str(values), f"{_VALUES} and nothing else", fix)
    keys = model.get("keys") or {}
    if "${" in str(keys) and "model.keys" not in typed:
        fix = "write out the names, or add model.keys={…} on the command line"
        yield Problem("model.keys", str(keys), "names without an interpolation", fix)
        return
    for name, entry in space.items():
        if not _is_typed(name, typed):
            yield from _of_entry(name, str(keys.get(name, name)), entry, trusted)


def refuse_app(model: Mapping[str, Any], typed: Sequence[str], trusted: Sequence[str]) -> None:
    """Raise where a file with one configuration says of an app what a person has to say.

    Raises:
        PlanError: With all of it.
    """
    values = {name: {"values": [value]} for name, value in (model.get("values") or {}).items()}
    origin = Origin(overrides=tuple(typed))
    others = {name: value for name, value in model.items() if name != "values"}
    problems = list(app_problems(others, values, origin, trusted))
    if problems:
        raise PlanError(problems)


def _missing(app: str) -> Iterator[Problem]:
    """Yield what is wrong with the file of an app, without running it."""
    if not app.endswith(".py"):
        try:
            found = importlib.util.find_spec(app)
        except (ImportError, ValueError, AttributeError):
            found = None
        if found is None:
            expected = "a file that ends in .py, or a module as in python -m"
            yield Problem(KEY, app, expected, "correct it; a path counts from where you start")
        return
    try:
        source = Path(app).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        got = f"{app} ({error.strerror or error})"
        fix = "correct the path; it counts from where you start"
        yield Problem(KEY, got, "a Python file that is there", fix)
        return
    if "hydra" not in source:
        expected = "an app that hands a function over to Hydra, by @hydra.main for example"
        yield Problem(KEY, app, expected, "name the file that you start")


def _is_typed(name: str, typed: Mapping[str, Any]) -> bool:
    whole = typed.get("search_space")
    if whole is not None and whole.value.startswith("{"):
        return True
    own = f"search_space.{name}"
    return any(key == own or key.startswith(f"{own}.") for key in typed)


def _of_overrides(
    texts: Sequence[Any], trusted: Sequence[str], *, is_stored: bool
) -> Iterator[Problem]:
    for text in texts:
        try:
            parsed = OverridesParser.create().parse_override(str(text))
            value = None if parsed.is_delete() else parsed.value()
        except HydraException as error:
            expected = "an override in Hydra's grammar"
            got = f"{text} ({' '.join(str(error).split())})"
            yield Problem("model.overrides", got, expected, "correct it")
            continue
        reasons = list(_reasons(parsed.key_or_group, value, trusted))
        if is_stored and _INTERPOLATION.search(str(text)):
            # Other values of the folder fill it in later: whoever looks at it sees half of it.
            reasons.append("interpolation in an override")
        if reasons:
            yield _refusal("model.overrides", str(text), reasons[0], "model.overrides=[…]")


def _of_entry(name: str, key: str, entry: Any, trusted: Sequence[str]) -> Iterator[Problem]:
    fields = entry if isinstance(entry, dict) else {}
    for field in _OF_AN_ENTRY:
        for reason in list(_reasons(key.lstrip("+"), fields.get(field), trusted))[:1]:
            full = f"search_space.{name}.{field}"
            yield _refusal(full, f"{key}: {fields.get(field)}", reason, f"{full}=…")


def _refusal(key: str, got: str, reason: str, typed: str) -> Problem:
    fix = f"if it is yours, add {typed} on the command line"
    if _TARGET in reason:
        fix = "if the code is yours, add 'trusted_modules=[PACKAGE]' on the command line"
    return Problem(key, got, f"no {reason} from a file", fix)


def _reasons(key: str, value: Any, trusted: Sequence[str]) -> Iterator[str]:
    """Yield why an override may not come from a file."""
    is_hydra = key.replace("/", ".").partition(".")[0].partition("@")[0] == "hydra"
    if is_hydra and not key.startswith(_PLAIN_OF_HYDRA):
        yield "setting of Hydra's own"
    if key.rpartition(".")[2] == _TARGET:
        yield from _of_targets(value, trusted)
    yield from _within(value, trusted)


def _of_targets(value: Any, trusted: Sequence[str]) -> Iterator[str]:
    targets = value if isinstance(value, list) else [value]
    for target in targets:
        if target is not None and untrusted(str(target), (), trusted, KEY) is not None:
            yield f"{_TARGET} that nobody trusted"


def _within(value: Any, trusted: Sequence[str]) -> Iterator[str]:
    if isinstance(value, dict):
        for name, child in value.items():
            if name == _TARGET:
                yield from _of_targets(child, trusted)
            yield from _within(child, trusted)
    elif isinstance(value, list):
        for child in value:
            yield from _within(child, trusted)
    elif isinstance(value, str) and _RESOLVER.search(value):
        yield "call of a resolver"
