"""From written entries to a typed search space, with all that is wrong in them at once."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hpo_app.errors import Problem, listed, near_miss
from hpo_app.plan.read_conditions import read_conditions
from hpo_app.plan.read_rules import read_rules
from hpo_app.plan.search_space import (
    Choice,
    Integer,
    Normal,
    Real,
    SearchSpace,
    has_default,
    is_number,
)
from hpo_app.plan.wording import as_typed, is_like_a_number, key_of, meant, typed, values_of


if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hpo_app.plan.search_space import Parameter

# The one key of a search space that is no parameter.
RULES = "require"
# What any parameter may have besides what its type needs.
OPTIONAL_FIELDS = ("default", "mutable", "when", "otherwise", "prior")
# They calculate in floats.
_LARGEST_WHOLE = 2**53
# Further out a normal distribution is flat to within what floats can tell apart.
_LEAST_SHARE = 1.0e-5
# A parameter is reached by `${params.name}`, so its name has to be a plain key, or several.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


@dataclass(frozen=True)
class _Kind:
    """One word for `type`: the fields it needs, and how it becomes a parameter."""

    required: tuple[str, ...]
    build: Callable[[_Entry], Parameter]
    optional: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        own = (*self.required, *self.optional)
        return ("type", *own, *OPTIONAL_FIELDS)


class _Entry:
    """One written entry: hands out fields, and keeps account of what is wrong with them."""

    def __init__(self, key: str, fields: Mapping[str, Any]) -> None:
        self.key = key
        self.fields = fields
        self.problems: list[Problem] = []

    def problem(self, field: str, got: object, expected: str, fix: str) -> None:
        key = key_of(self.key, field) if field else self.key
        self.problems.append(Problem(key, as_typed(got), expected, fix))

    def set(self, field: str, value: str) -> str:
        """Return the override that sets a field, as a shell takes it."""
        return typed(f"{key_of(self.key, field)}={value}")

    def number(self, field: str) -> float:
        value = self.fields[field]
        if is_number(value):
            return float(value)
        self.problem(field, value, "a finite number", self._as_number(field, value, "0.1"))
        return math.nan

    def whole(self, field: str, absent: int = 0) -> int:
        value: Any = self.fields.get(field, absent)
        if not is_number(value) or not float(value).is_integer():
            self.problem(field, value, "a whole number", self._as_number(field, value, "1"))
        elif abs(value) > _LARGEST_WHOLE:
            expected = "a whole number that search algorithms can tell from its neighbours: from "
            expected += f"-{_LARGEST_WHOLE} to {_LARGEST_WHOLE}"
            fix = "bring it nearer to 0, or search over its logarithm"
            self.problem(field, value, expected, fix)
        else:
            return int(value)
        return 0

    def _as_number(self, field: str, value: object, example: str) -> str:
        if isinstance(value, str) and is_like_a_number(value):
            return f"write it without quotes, {self.set(field, value.strip())}"
        return f"write it as {self.set(field, example)}"

    def bounds(self, low: float, high: float, *, is_log: bool) -> None:
        if self.problems:
            return
        if not math.isfinite(high - low):
            expected = "bounds whose distance a float can hold"
            self.problem(
                "low", self.fields["low"], expected, "bring low and high nearer to each other"
            )
        elif low > high:
            fix = f"lower it, or raise {typed(key_of(self.key, 'high'))} above {_shown(low)}"
            self.problem("low", self.fields["low"], f"at most high={_shown(high)}", fix)
        elif is_log and low <= 0:
            plain = str(self.fields["type"]).replace("log", "")
            plain = {"rand": "rand" + "int"}.get(plain, plain)
            self.problem(
                "low",
                self.fields["low"],
                "a positive number, because the scale is logarithmic",
                f"raise it above 0, or set {self.set('type', plain)}",
            )
        elif is_log and not math.isfinite(high / low):
            expected = "bounds whose ratio a float can hold"
            self.problem("low", self.fields["low"], expected, "raise it, or lower high")

    def step(self, value: float, low: float, high: float) -> None:
        if self.problems:
            return
        if value <= 0:
            self.problem(
                "q", self.fields["q"], "a positive number", "make it the distance of values"
            )
        elif low + value > high and low != high:
            expected = f"at most high - low = {_shown(high - low)}"
            self.problem("q", self.fields["q"], expected, "make it smaller")
        elif (largest := max(abs(low), abs(high))) + value == largest:
            expected = f"a step that a float can tell beside {_shown(largest)}"
            self.problem("q", self.fields["q"], expected, "make it larger")

    @property
    def is_mutable(self) -> bool:
        value = self.fields.get("mutable", True)
        if not isinstance(value, bool):
            self.problem("mutable", value, "true or false", f"write {self.set('mutable', 'false')}")
        return value is not False


def _real(*, is_log: bool, has_step: bool) -> Callable[[_Entry], Parameter]:
    def build(entry: _Entry) -> Parameter:
        low, high = entry.number("low"), entry.number("high")
        entry.bounds(low, high, is_log=is_log)
        step = entry.number("q") if has_step else None
        if step is not None:
            entry.step(step, low, high)
        default: Any = entry.fields.get("default")
        default = float(default) if is_number(default) else default
        return Real(low, high, is_log, step, default, entry.is_mutable)

    return build


def _integer(*, is_log: bool, has_step: bool) -> Callable[[_Entry], Parameter]:
    def build(entry: _Entry) -> Parameter:
        low, high = entry.whole("low"), entry.whole("high")
        entry.bounds(low, high, is_log=is_log)
        step = entry.whole("q", absent=1) if has_step else 1
        entry.step(step, low, high)
        return Integer(low, high, is_log, step, entry.fields.get("default"), entry.is_mutable)

    return build


def _choice(*, is_ordered: bool) -> Callable[[_Entry], Parameter]:
    def build(entry: _Entry) -> Parameter:
        values = entry.fields["values"]
        if not isinstance(values, (list, tuple)):
            entry.problem("values", values, "a list", f"write {typed(entry.key + '.values=[a,b]')}")
            values = ()
        elif not values:
            entry.problem("values", "[]", "at least one value", "add one")
        choice = Choice(
            tuple(values),
            is_ordered,
            entry.fields.get("default"),
            "default" in entry.fields,
            entry.is_mutable,
        )
        _check_values(entry, choice)
        return choice

    return build


def _check_values(entry: _Entry, choice: Choice) -> None:
    for value in choice.values:
        if not _is_json(value):
            expected = "values that JSON holds: finite numbers, text other than ???, flags, null, "
            expected += "and lists and mappings of these, whose keys are text"
            entry.problem("values", value, expected, "write it as text, or drop it")
    if entry.problems:
        return
    for index, value in enumerate(choice.values):
        if choice.index(value) != index:
            expected = f"each value once, but {value!r} repeats"
            entry.problem("values", list(choice.values), expected, "drop it")


def _normal(entry: _Entry) -> Parameter:
    mean, sd = entry.number("mean"), entry.number("sd")
    low = entry.number("low") if entry.fields.get("low") is not None else None
    high = entry.number("high") if entry.fields.get("high") is not None else None
    if not sd > 0:
        entry.problem("sd", entry.fields["sd"], "a positive number", "give the standard deviation")
    if low is not None and high is not None:
        entry.bounds(low, high, is_log=False)
    default: Any = entry.fields.get("default")
    default = float(default) if is_number(default) else default
    normal = Normal(mean, sd, low, high, default, entry.is_mutable)
    if not entry.problems:
        _check_normal(entry, normal)
    return normal


def _check_normal(entry: _Entry, normal: Normal) -> None:
    mean, sd = normal.mean, normal.sd
    if not mean - sd < mean < mean + sd or not math.isfinite(10 * sd + abs(mean)):
        expected = f"a standard deviation that a float can tell beside mean={_shown(mean)}"
        entry.problem("sd", sd, expected, "change one of them")
    elif normal.share < _LEAST_SHARE:
        field = "high" if normal.low is None else "low"
        expected = "bounds that leave something of the distribution around "
        expected += f"mean={_shown(mean)}, sd={_shown(sd)}"
        fix = f"move {entry.key}.mean, or draw evenly: set {entry.set('type', 'uniform')}"
        entry.problem(field, entry.fields[field], expected, fix)


KINDS: Mapping[str, _Kind] = {
    "uniform": _Kind(("low", "high"), _real(is_log=False, has_step=False)),
    "loguniform": _Kind(("low", "high"), _real(is_log=True, has_step=False)),
    "quniform": _Kind(("low", "high", "q"), _real(is_log=False, has_step=True)),
    "qloguniform": _Kind(("low", "high", "q"), _real(is_log=True, has_step=True)),
    "randint": _Kind(("low", "high"), _integer(is_log=False, has_step=False)),
    "lograndint": _Kind(("low", "high"), _integer(is_log=True, has_step=False)),
    "qrandint": _Kind(("low", "high", "q"), _integer(is_log=False, has_step=True)),
    "choice": _Kind(("values",), _choice(is_ordered=False)),
    "ordinal": _Kind(("values",), _choice(is_ordered=True)),
    "normal": _Kind(("mean", "sd"), _normal, optional=("low", "high")),
}


def read_space(
    entries: Mapping[str, Any], key: str = "search_space"
) -> tuple[SearchSpace, list[Problem]]:
    """Return the typed search space and everything that is wrong with it.

    Args:
        entries: `{name: {type: …, low: …, high: …, default: …, when: …}}`, as written in YAML;
            below `require` stand no parameter but the rules across parameters.
        key: Dotted key of the space in the config, for the messages.

    Returns:
        The space of all sound entries, and the problems of the others in the order of the config.
    """
    parameters: dict[str, Parameter] = {}
    problems: list[Problem] = []
    rules: Any = entries.get(RULES)
    entries = parameters_of(entries)
    if not entries:
        fix = "add one, for example lr: {type: loguniform, low: 1.0e-5, high: 1.0e-2}"
        problems.append(Problem(key, "no parameter", "at least one parameter", fix))
    for name, fields in entries.items():
        entry = _Entry(key_of(key, name), fields if _is_mapping(fields) else {})
        outer = next((other for other in entries if str(name).startswith(f"{other}.")), None)
        if outer is not None:
            expected = f"a name that does not begin with that of another parameter, {outer}"
            fix = "rename one of them"
            if not _is_mapping(entries[outer]) or "type" not in entries[outer]:
                fix = f"write its dots after backslashes, {typed(key_of(key, name))}, or {fix}"
            entry.problem("", repr(name), expected, fix)
        parameter = _read_entry(entry, name, fields)
        problems += entry.problems
        if parameter is not None and not entry.problems:
            parameters[str(name)] = parameter
    conditions, condition_problems = read_conditions(entries, parameters, key)
    widths = {name: entries[name].get("prior") for name in parameters}
    priors = {name: float(width) for name, width in widths.items() if width is not None}
    space = SearchSpace(parameters, conditions, priors=priors)
    if _is_mapping(rules) and rules.get("type") in KINDS:
        expected = "rules across parameters: no parameter can have this name"
        problems.append(Problem(f"{key}.{RULES}", str(rules), expected, "rename the parameter"))
        rules = None
    space, rule_problems = read_rules(rules, space, entries, f"{key}.{RULES}")
    return space, [*problems, *condition_problems, *rule_problems]


def parameters_of(entries: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a search space that are parameters."""
    return {str(name): entries[name] for name in entries if name != RULES}


def _read_entry(entry: _Entry, name: object, fields: object) -> Parameter | None:
    if not _NAME.fullmatch(str(name)):
        expected = "a name of letters, digits and underscores, because ${params.name} reads it; "
        expected += "dots may stand between them"
        entry.problem("", repr(name), expected, "rename it")
    if not _is_mapping(fields):
        fix = "write {type: uniform, low: 0.0, high: 1.0}"
        entry.problem("", fields, "a mapping with a type", fix)
        return None
    word = str(entry.fields.get("type"))
    kind = KINDS.get(word)
    if kind is None:
        miss = near_miss(word, KINDS)
        fix = f"set {entry.set('type', miss)}" if miss else "choose one of them"
        entry.problem("type", entry.fields.get("type"), f"one of {listed(KINDS)}", fix)
        return None
    _check_fields(entry, word, kind)
    if entry.problems:
        return None
    parameter = kind.build(entry)
    if not entry.problems:
        _check_default(entry, parameter)
        _check_otherwise(entry)
        _check_prior(entry, parameter)
    return parameter


def _check_fields(entry: _Entry, word: str, kind: _Kind) -> None:
    for field in kind.required:
        if entry.fields.get(field) is None:
            entry.problem(field, "nothing", f"a value, because type={word} needs it", "add it")
    for field in entry.fields:
        if field not in kind.fields:
            miss = near_miss(str(field), kind.fields)
            fix = f"write {miss} instead" if miss else "remove it"
            got = entry.fields[field]
            entry.problem(str(field), got, f"one of {listed(kind.fields)} for type={word}", fix)


def _check_default(entry: _Entry, parameter: Parameter) -> None:
    default = entry.fields.get("default")
    if not has_default(parameter) or parameter.contains(default):
        return
    fix = "move the default, or widen the bounds"
    if isinstance(parameter, Choice):
        miss = meant(default, parameter.values)
        fix = f"write {miss}" if miss else "name one of them, or add it to values"
    elif isinstance(default, float) and default.is_integer() and parameter.contains(int(default)):
        fix = f"write it as a whole number: {int(default)}"
    entry.problem("default", default, values_of(parameter), fix)


def _check_prior(entry: _Entry, parameter: Parameter) -> None:
    width: Any = entry.fields.get("prior")
    if width is None:
        return
    if not is_number(width) or not 0 < width <= 1:
        expected = "a number above 0 and at most 1: how far from the default, as a share"
        entry.problem("prior", width, expected, f"write it as {entry.set('prior', '0.1')}")
    elif not has_default(parameter):
        expected = "a default that it lies around"
        entry.problem(
            "prior",
            width,
            expected,
            f"add {typed(f'+{entry.key}.default=VALUE')}, or remove the prior",
        )


def _check_otherwise(entry: _Entry) -> None:
    if "otherwise" not in entry.fields:
        return
    value = entry.fields["otherwise"]
    if "when" not in entry.fields:
        expected = "it beside when: a parameter without a condition always has its own value"
        entry.problem("otherwise", value, expected, "remove it, or add when: {NAME: VALUE}")
    elif not _is_json(value):
        entry.problem("otherwise", value, "a value that JSON holds", "write it as text")


def _is_mapping(value: object) -> bool:
    return hasattr(value, "items")


def _is_json(value: object) -> bool:
    if isinstance(value, (list, tuple)):
        return all(_is_json(item) for item in value)
    if _is_mapping(value):
        items = value.items()  # type: ignore[attr-defined]
        return all(isinstance(key, str) and _is_json(item) for key, item in items)
    # OmegaConf takes ??? for a value that is missing, wherever it stands.
    return value is None or isinstance(value, bool) or is_number(value) or _is_text(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != "???"


def _shown(value: float) -> str:
    return f"{value:g}"
