"""From what crosses the border of a trainer to plain values: settings in, metrics out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from hpo_app.errors import Problem, first_of, listed, near_miss
from hpo_app.training.contract import ConfigurationError, ReportError


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


# Keys of a model that say how it is run, and nothing of how it trains.
OF_THE_RUN = ("trainer", "needs", "memory_gb")
# What the journal and the live view can take with every report, and more than anybody reads.
_MOST_METRICS = 1000
_MOST_NAMED = 20
_LONGEST_NAME = 1000


def checked_metrics(metrics: object, metric: str, *others: str) -> dict[str, float]:
    """Return a report as plain floats, all finite and with what trials are judged by among them.

    A non-finite number under any other name is left out, since one bad side metric should not
    cost a trial that can still be judged.

    Args:
        metrics: What the trainer reported: `{name: number}`; numbers of NumPy and decimals are
            numbers, arrays and tensors are not.
        metric: Name of the objective's metric.
        others: Names of the other metrics that trials are judged by.

    Raises:
        ReportError: If that is no mapping from names to numbers, or too large a one, or one that
            trials are judged by is missing, true or false, or not finite.
    """
    if not isinstance(metrics, Mapping):
        raise ReportError(
            f"A report must map names to numbers; got {_shown(metrics)}. "
            f"Report {{'{metric}': value}}."
        )
    _refuse_unusable_names(metrics)
    for name in (metric, *others):
        whose = f"The objective's metric '{metric}'"
        if name != metric:
            whose = f"The metric '{name}', by which trials are judged too,"
        if name not in metrics:
            raise ReportError(_missing(metrics, name, whose))
        _refuse_unusable(metrics[name], whose)
    numbers = {str(name): _number(value, name) for name, value in metrics.items()}
    return {name: number for name, number in numbers.items() if math.isfinite(number)}


def checked_settings(
    settings: object,
    where: str,
    required: Collection[str],
    optional: Collection[str] | None = (),
) -> dict[str, Any]:
    """Return a node of the config after checking that its keys are the expected ones.

    Args:
        settings: The node: plain and resolved.
        where: Dotted key of the node, for messages.
        required: Keys that must be there.
        optional: Keys that may be there; None allows any.

    Raises:
        ConfigurationError: If it is not a mapping, lacks a key or has an unknown one; names all
            such keys at once.
    """
    if not isinstance(settings, Mapping):
        problem = Problem(
            key=where,
            got=_shown(settings),
            expected=f"a mapping with {listed(required)}",
            fix=f"write {where}: with those keys below it",
        )
        raise ConfigurationError([problem])
    problems = [
        *_missing_keys(settings, where, required),
        *(_unknown_keys(settings, where, [*required, *optional]) if optional is not None else ()),
    ]
    if problems:
        raise ConfigurationError(problems)
    return dict(settings)


def checked_count(value: object, where: str) -> int:
    """Return a whole number of at least 1.

    Raises:
        ConfigurationError: If it is anything else.
    """
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    problem = Problem(where, _shown(value), "a whole number of at least 1", f"{where}=1 or more")
    raise ConfigurationError([problem])


def checked_number(value: object, where: str) -> float:
    """Return a finite number.

    Raises:
        ConfigurationError: If it is anything else.
    """
    if _is_number(value) and math.isfinite(_as_float(value)):
        return _as_float(value)
    # Plain PyYAML reads 1e-3 as text, which is the likely way to get here.
    fix = f"{where}=1.0e-3, with the dot, for a power of ten"
    raise ConfigurationError([Problem(where, _shown(value), "a finite number", fix)])


def checked_flag(value: object, where: str) -> bool:
    """Return true or false.

    Raises:
        ConfigurationError: If it is anything else: `no` and `off` are text, and text is true.
    """
    if isinstance(value, bool):
        return value
    raise ConfigurationError([Problem(where, _shown(value), "true or false", f"{where}=false")])


def _refuse_unusable_names(metrics: Mapping[Any, Any]) -> None:
    if len(metrics) > _MOST_METRICS:
        raise ReportError(
            f"A report may have {_MOST_METRICS} metrics at most; got {len(metrics)}. Report the "
            "few that tell how the training goes, and keep the others in a file of your own."
        )
    others = [name for name in metrics if not isinstance(name, str)]
    if others:
        raise ReportError(
            f"The name of a metric must be text; got {listed(_shown(name) for name in others)}."
        )
    for name in metrics:
        if len(name) > _LONGEST_NAME:
            raise ReportError(
                f"The name of a metric may have {_LONGEST_NAME} characters at most; got "
                f"{len(name)}: {_shown(name)}."
            )


def _missing(metrics: Mapping[str, Any], name: str, whose: str) -> str:
    names = listed(first_of(sorted(metrics), _MOST_NAMED)) or "nothing"
    near = near_miss(name, metrics)
    hint = f" Did you mean {near}?" if near else ""
    return f"{whose} is not in the report, which has {names}.{hint}"


def _refuse_unusable(value: object, whose: str) -> None:
    if not _is_number(value) or not math.isfinite(_as_float(value)):
        raise ReportError(f"{whose} must be a finite number; got {_shown(value)}.{_hint(value)}")


def _number(value: object, name: str) -> float:
    if isinstance(value, (bool, np.bool_)):
        return float(value)
    if not _is_number(value):
        raise ReportError(
            f"The metric '{name}' must be a number; got {_shown(value)}.{_hint(value)}"
        )
    return _as_float(value)


def _is_number(value: object) -> bool:
    return isinstance(value, (Real, Decimal)) and not isinstance(value, bool)


def _as_float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number beyond 1.8e308
        return math.inf
    except ValueError:  # a decimal that signals that it is none
        return math.nan


def _missing_keys(
    settings: Mapping[str, Any], where: str, required: Collection[str]
) -> Iterator[Problem]:
    others = [str(key) for key in settings if key not in required]
    for key in required:
        if key not in settings:
            near = near_miss(key, others)
            fix = f"rename {where}.{near} to {where}.{key}" if near else f"set {where}.{key}"
            yield Problem(f"{where}.{key}", "nothing", "a value", fix)


def _unknown_keys(
    settings: Mapping[str, Any], where: str, known: Collection[str]
) -> Iterator[Problem]:
    for key in map(str, settings):
        if key not in known:
            near = near_miss(key, known)
            fix = f"rename it to {where}.{near}" if near else f"remove {where}.{key}"
            yield Problem(f"{where}.{key}", "an unknown key", f"one of {listed(known)}", fix)


def _hint(value: object) -> str:
    # What a loss is before somebody takes the number out of it.
    shape = getattr(value, "shape", None)
    is_one = isinstance(shape, tuple) and shape in {(), (1,)}
    return " Report its .item()." if is_one and not isinstance(value, np.generic) else ""


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - of any class, and a number may have too many digits
        text = "something that cannot be shown"
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"
