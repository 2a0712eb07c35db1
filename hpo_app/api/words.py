"""From the keys of a config to the arguments of Python, in what a message says.

Rules speak of the config that both doors lead to. Whoever wrote Python reads of what was written.
"""

from __future__ import annotations

import ast
import contextlib
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import yaml

from hpo_app.errors import HpoError, PlanError


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from hpo_app.errors import Problem

# A key of the config and what `optimize` calls it; the first that fits counts.
_ARGUMENTS = (
    ("search_space", "param_space"),
    ("objective.metric", "metric"),
    ("objective.mode", "mode"),
    ("resources.max_concurrent_trials", "max_concurrent_trials"),
    ("resources", "resources_per_trial"),
    ("ray.dashboard", "ray_config.include_dashboard"),
    ("ray", "ray_config"),
    ("model", "model_config"),
    ("data", "data_config"),
    ("training", "training_config"),
)
# What a person most likely holds in a variable, and changes there.
_VARIABLES = {"param_space", "model_config", "data_config", "training_config"}
# Hydra takes a dot in the name of a parameter after a backslash; Python needs none.
_DOT = re.compile(r"(?<!\\)\.")
_ROOTS = (
    "baseline", "checkpoints", "constraints", "data", "model", "objective", "objectives",
    "param_space", "ray", "report", "resources", "scheduler", "search_alg", "search_space", "stop",
    "tracker", "training", "trusted_modules", "warm_start",
)  # fmt: skip
_ROOT = "|".join(sorted(_ROOTS, key=len, reverse=True))
_ASSIGNED = re.compile(
    rf"'?(?<![\w.$/])\+?((?:{_ROOT})(?:\\?\.\w+)*)="
    r"(\[[^\]]*\]|\{.*?\}+|\$\{[^}]*\}|[^\s,;()']+)'?"
)
_KEY = re.compile(rf"(?<![\w.$/'\[])(?:{_ROOT})(?:\\?\.\w+)+(?![\w.]*['(])")
_MAPPING = re.compile(r"(?<![$=\w'{])\{(?:[^{}]|\{[^{}]*\})*\}")
_FIELD = re.compile(r"(?<![\w'{])(\w+): (?=\{|false\b|true\b|null\b)")
_CHOICE = re.compile(r"(\w+)/(\w+)\.yaml")
_PHRASES = (
    (" on the command line", ""),
    (" in objective and nowhere else", " as an argument of its own and nowhere else"),
    ("remove the override", "leave it out"),
    ("a section with keys", "a mapping"),
)
_LITERALS = {"true": "True", "false": "False", "null": "None"}
_LITERAL = re.compile(r"(?<!['\"\w.])(true|false|null)(?!['\"\w])")


@dataclass(frozen=True)
class Words:
    """How one call is spoken of.

    Attributes:
        call: What was called, as `optimize` or `resume`.
        names: `{"search_alg": "optuna", "scheduler": "asha"}`, as far as they have a name.
        given: Dotted keys of what was handed over in mappings: no file set it.
        typed: The overrides that stand for arguments of this call; None for all.
        unknown: Keys that are no arguments: they are named as they were typed.
    """

    call: str
    names: Mapping[str, str] = field(default_factory=dict)
    given: Collection[str] = ()
    typed: Collection[str] | None = None
    unknown: Collection[str] = ()

    def problem(self, problem: Problem) -> Problem:
        """Return a problem as a person who wrote Python would say it."""
        return replace(
            problem,
            key=self._key(problem.key),
            got=_LITERALS.get(problem.got, problem.got),
            expected=self.text(problem.expected),
            fix=self.text(problem.fix),
            set_by="" if problem.key in self.given else self._set_by(problem.set_by),
        )

    def _key(self, key: str) -> str:
        return key if key in self.unknown else argument(key).replace("\\.", ".")

    def text(self, text: str) -> str:
        """Return a sentence with overrides as arguments and YAML as Python."""
        if "action=" in text:
            return text  # A command line is to be typed as it is.
        for yaml_words, words in _PHRASES:
            text = text.replace(yaml_words, words)
        text = _ASSIGNED.sub(lambda found: self._assigned(found[1], _literal(found[2])), text)
        text = _KEY.sub(lambda found: argument(found[0]).replace("\\.", "."), text)
        text = _FIELD.sub(lambda found: f"{found[1]!r}: ", text)
        text = _MAPPING.sub(lambda found: _literal(found[0]), text)
        return _LITERAL.sub(lambda found: _LITERALS[found[1]], text)

    def _assigned(self, key: str, value: str) -> str:
        name, _, rest = argument(key).partition(".")
        if not rest:
            return f"{name}={value}"
        steps = [step.replace("\\.", ".") for step in _DOT.split(rest)]
        if name in _VARIABLES:
            return f"{name}{''.join(f'[{step!r}]' for step in steps if step)} = {value}"
        for step in reversed(steps):
            value = f"{{{step!r}: {value}}}"
        if name in self.names:
            value = f"{{'name': {self.names[name]!r}, {value[1:]}"
        return f"{name}={value}"

    def _set_by(self, text: str) -> str:
        said_in, colon, override = text.partition(": ")
        if colon and said_in in ("command line", f"{self.call}()"):
            if self.typed is None or override in self.typed:
                key, _, value = override.partition("=")
                return f"{self.call}({self._assigned(key, _literal(value))})"
            return f"the start of the run: {override}"
        if text in (f"{self.call}()", "config.yaml"):
            return ""  # That it is an argument says the key, and of a default nobody set it.
        choice = _CHOICE.fullmatch(text)
        return f"{argument(choice[1])}={choice[2]!r}" if choice else text


def argument(key: str) -> str:
    """Return what `optimize` calls a key of the config."""
    for ours, theirs in _ARGUMENTS:
        if key == ours or key.startswith((f"{ours}.", f"{ours}[")):
            return theirs + key[len(ours) :]
    return key


@contextlib.contextmanager
def said_in_python(words: Words) -> Iterator[None]:
    """Raise our own errors anew, in the words of Python."""
    try:
        yield
    except HpoError as error:
        raise in_words(error, words) from None


def in_words(error: HpoError, words: Words) -> HpoError:
    """Return an error of the same kind with its problems in the words of Python."""
    subject = f"the arguments of {words.call}()" if isinstance(error, PlanError) else error.subject
    return type(error)([words.problem(problem) for problem in error.problems], subject)


def _literal(text: str) -> str:
    """Return a value of YAML as Python; a word in capitals stands for what a person writes."""
    if "…" in text or (text.replace(":", "").isupper() and not text.startswith("{")):
        return text
    with contextlib.suppress(ValueError):
        float(text)
        return text
    with contextlib.suppress(SyntaxError, ValueError):
        ast.literal_eval(text)
        return text  # It is Python already; YAML would read its 1e-05 as text.
    try:
        value: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return repr(value)
