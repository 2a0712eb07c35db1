"""From the spellings of a search space that people bring along to the one that we read.

Taken is what can mean one thing only: distributions of Optuna and Ray Tune, other words for a type
or a field, numbers written as text, ranges and arrays of values. They are told by their shape, so
that neither library has to be there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hpo_app.errors import Problem


_FIELDS = {
    "choices": "values", "categories": "values", "options": "values",
    "lower": "low", "min": "low", "upper": "high", "max": "high",
    "step": "q", "std": "sd",
}  # fmt: skip
_TYPES = {
    "float": "uniform", "real": "uniform", "double": "uniform",
    "int": "randint", "integer": "randint",
    "log_uniform": "loguniform", "log-uniform": "loguniform",
    "categorical": "choice",
    "float64": "uniform",
}  # fmt: skip
_OF_NUMBERS = {"uniform": "loguniform", "randint": "lograndint"}
_STEPPED = {"uniform": "quniform", "loguniform": "qloguniform", "randint": "qrandint"}
_NUMBERS = ("low", "high", "q", "mean", "sd")
_RANGE = "{'type': 'uniform', 'low': 0.0, 'high': 1.0}"


def respelt_space(entries: Any, problems: list[Problem], key: str = "param_space") -> Any:
    """Return a search space with the entries as we read them; what can mean two things is told."""
    if not isinstance(entries, Mapping):
        return entries
    return {
        name: entry if name == "require" else _entry(entry, f"{key}.{name}", problems)
        for name, entry in entries.items()
    }


def _entry(entry: Any, key: str, problems: list[Problem]) -> Any:
    if isinstance(entry, Mapping):
        return _respelt(dict(entry))
    known = _of_optuna(entry) or _of_tune(entry)
    if known is not None:
        return known
    if isinstance(entry, (list, tuple, range)):
        ends = _row_of_ends(list(entry))
        fix = f"write {{'type': 'choice', 'values': {list(entry)!r:.60}}} to try these values{ends}"
    elif isinstance(entry, (bool, int, float, str)):
        fix = f"write {_RANGE}; what does not vary belongs into the config, and not here"
    else:
        fix = f"write {_RANGE}, or another type with its fields"
    got = f"{entry!r:.60} ({type(entry).__name__})"
    problems.append(Problem(key, got, "a mapping with a type, or a distribution of Optuna", fix))
    # Whoever reads on finds something sound, and has nothing more to say of it.
    return {"type": "choice", "values": [0]}


def _row_of_ends(values: list[Any]) -> str:
    """Return what two numbers could mean besides two values."""
    if len(values) != 2 or not all(type(value) in (int, float) for value in values):
        return ""
    return f", or {{'type': 'uniform', 'low': {values[0]}, 'high': {values[1]}}} for a range"


def _respelt(entry: dict[Any, Any]) -> dict[Any, Any]:
    """Return an entry with our words for its type and its fields."""
    if set(entry) == {"grid_search"}:
        return {"type": "choice", "values": _row(entry["grid_search"])}
    for theirs, ours in _FIELDS.items():
        if theirs in entry and ours not in entry:
            entry = {ours if name == theirs else name: value for name, value in entry.items()}
    if entry.get("q", 0) is None:
        del entry["q"]
    if isinstance(entry.get("type"), (str, type)):
        entry["type"] = _type(entry)
        if entry["type"] == "bool":
            entry = {"values": [False, True], **entry, "type": "choice"}
    if "values" in entry:
        entry["values"] = _row(entry["values"])
    return {name: _number(value) if name in _NUMBERS else value for name, value in entry.items()}


def _type(entry: dict[Any, Any]) -> Any:
    """Return our word for the type of an entry, and take out what the word says."""
    word = entry["type"].__name__ if isinstance(entry["type"], type) else entry["type"]
    word = _TYPES.get(str(word).lower(), word)
    if word in _OF_NUMBERS and isinstance(entry.get("log"), bool):
        word = _OF_NUMBERS[word] if entry.pop("log") else word
    return _STEPPED.get(word, word) if "q" in entry else word


def _row(values: Any) -> Any:
    """Return values in a row as a list; what has no order stays what it is, and is refused."""
    if isinstance(values, (range, tuple)):
        return list(values)
    is_array = getattr(values, "shape", None) not in (None, ()) and hasattr(values, "tolist")
    return values.tolist() if is_array else values


def _number(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return float(value)  # YAML that is not ours reads 1e-5 as text.
    except ValueError:
        return value


def _of_optuna(entry: Any) -> dict[str, Any] | None:
    """Return the entry of an `optuna.distributions` object; None for anything else."""
    kind = {
        "FloatDistribution": "float", "IntDistribution": "int", "CategoricalDistribution": "choice",
    }.get(type(entry).__name__)  # fmt: skip
    if kind is None:
        return None
    if kind == "choice":
        return {"type": kind, "values": list(entry.choices)}
    step = entry.step if kind == "float" or entry.step != 1 else None
    return _respelt(
        {"type": kind, "low": entry.low, "high": entry.high, "log": entry.log, "q": step}
    )


def _of_tune(entry: Any) -> dict[str, Any] | None:
    """Return the entry of a domain of `ray.tune`; None for anything else, and for a function."""
    kind, module = type(entry).__name__, type(entry).__module__
    if not module.startswith("ray.tune.") or kind not in ("Float", "Integer", "Categorical"):
        return None
    if kind == "Categorical":
        return {"type": "choice", "values": list(entry.categories)}
    sampler, step = entry.get_sampler(), None
    if type(sampler).__name__ == "Quantized":
        sampler, step = sampler.sampler, sampler.q
    words = {each.__name__ for each in type(sampler).__mro__}
    if "Normal" in words:
        return {"type": "normal", "mean": sampler.mean, "sd": sampler.sd} if step is None else None
    low, high = entry.lower, entry.upper
    if kind == "Integer" and step in (None, 1):
        high, step = high - 1, None  # Without a step, the upper bound is not among the values.
    elif kind == "Integer":
        low, high = -(-low // step) * step, high // step * step  # Its values are multiples.
    return _respelt(
        {"type": "float" if kind == "Float" else "int", "low": low, "high": high,
         "log": "LogUniform" in words, "q": step}
    )  # fmt: skip
