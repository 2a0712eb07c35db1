"""From what stands below `require:` to rules across parameters that can be kept."""

from __future__ import annotations

import itertools
import math
import random
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hpo_app.errors import Problem, listed, near_miss
from hpo_app.plan.idle_comparisons import idle_comparisons
from hpo_app.plan.rule import ANY_NUMBER, RuleError, read_rule
from hpo_app.plan.search_space import Choice, is_one_of
from hpo_app.plan.wording import as_typed, in_a_rule, key_of, typed


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hpo_app.plan.rule import Rule
    from hpo_app.plan.search_space import Params, SearchSpace

# Where none of so many draws keeps the rules, a search would look for one in vain.
_MOST_DRAWS = 10_000
# Of what choices can be beside each other, as far as a rule reads them.
_MOST_CASES = 10_000
_REFERENCE = re.compile(r"\$\{\s*params\.([\w.]+)\s*\}")
_EXAMPLE = "write it like batch_size <= n_steps"


def read_rules(
    written: Any, space: SearchSpace, names: Iterable[str], key: str
) -> tuple[SearchSpace, list[Problem]]:
    """Return a search space with its rules, and everything that is wrong with them.

    Args:
        written: `{name: text}`; null for a rule that was taken out.
        space: The parameters, without rules.
        names: Those that are written down, the ones that cannot be read among them.
        key: Dotted key of the rules in the config, for the messages.
    """
    if written is None:
        return space, []
    if not hasattr(written, "items"):
        expected = "a mapping of names to rules across parameters"
        return space, [Problem(key, str(written), expected, "write {NAME: batch_size <= n_steps}")]
    rules: dict[str, Rule] = {}
    problems: list[Problem] = []
    for name, text in written.items():
        rule, found = _read(text, key_of(key, name), space, list(names))
        problems += found
        if rule is not None and all(other in space.parameters for other in rule.names):
            rules[str(name)] = rule
    ruled = replace(space, rules=rules)
    problems += _about_values(ruled, key)
    if not problems:
        problems += _never_kept(ruled, key)
    return ruled, problems


def share_kept(space: SearchSpace) -> float:
    """Return the share of random draws that keep all rules."""
    kept = sum(space.keeps(params) for params in _draws(space, _MOST_DRAWS))
    return kept / _MOST_DRAWS


def _read(
    text: object, key: str, space: SearchSpace, known: list[str]
) -> tuple[Rule | None, list[Problem]]:
    if text is None:
        return None, []
    try:
        # A rule may read a parameter as a model does.
        rule = read_rule(_REFERENCE.sub(r"\1", str(text)))
    except RuleError as error:
        expected = "a comparison of parameters and numbers"
        return None, [Problem(key, f"{as_typed(text)} ({error})", expected, _EXAMPLE)]
    return rule, list(_about_names(rule, key, space, known))


def _about_names(rule: Rule, key: str, space: SearchSpace, known: list[str]) -> Iterator[Problem]:
    out = f"take the rule out with {typed(f'{key}=null')}"
    if not rule.names:
        expected = "a rule that reads at least one parameter"
        yield Problem(key, rule.text, expected, f"correct it, or {out}")
    words = {
        value
        for name in rule.names
        for value in getattr(space.parameters.get(name), "values", ())
        if isinstance(value, str)
    }
    for name in rule.names:
        if name in known:
            continue
        miss = near_miss(name, known)
        fix = f"write {miss}" if miss else f"correct it, or {out}"
        # What is meant as a value reads as a name where its quotes are missing.
        fix = f"write it in quotes, {in_a_rule(name)}" if name in words else fix
        expected = f"a parameter of the search space: {listed(known)}"
        yield Problem(key, f"{name} in {rule.text}", expected, fix)


def _about_values(space: SearchSpace, key: str) -> Iterator[Problem]:
    """Yield rules that say nothing of some configuration, and those that the default breaks."""
    for name, rule in space.rules.items():
        full = key_of(key, name)
        out = f"take the rule out with {typed(f'{full}=null')}"
        apart = _never_together(rule, space)
        objection = next(filter(None, map(rule.objection, _cases(rule, space))), "")
        idle = list(idle_comparisons(rule, space, full))
        if apart:
            expected = "parameters that have a say together in some configuration"
            yield Problem(full, f"{rule.text}, but {apart}", expected, f"correct it, or {out}")
        elif objection:
            expected = "a comparison that is true or false for every configuration"
            yield Problem(full, f"{rule.text} ({objection})", expected, _EXAMPLE)
        elif idle:
            yield from idle
        elif space.has_defaults and not rule.holds(space.defaults):
            values = (f"{other}={as_typed(space.defaults[other])}" for other in rule.names)
            got = f"{listed(values)} in the default configuration"
            yield Problem(full, got, rule.text, f"move a default, or {out}")


def _cases(rule: Rule, space: SearchSpace) -> Iterator[Params]:
    """Yield all that a rule can meet, as far as types go: choices by value, numbers as such.

    Where choices have more values than can be combined, some combinations at random.
    """
    values = [_as_types(space, name) for name in rule.names]
    combined: Iterable[Iterable[Any]] = itertools.product(*values)
    if math.prod(map(len, values)) > _MOST_CASES:
        source = random.Random(0)
        combined = ([source.choice(some) for some in values] for _ in range(_MOST_CASES))
    for case in combined:
        params = dict(zip(rule.names, case, strict=True))
        if all(_may_be_active(space, name, params) for name in params):
            yield params


def _as_types(space: SearchSpace, name: str) -> tuple[Any, ...]:
    parameter = space[name]
    return parameter.values if isinstance(parameter, Choice) else (ANY_NUMBER,)


def _may_be_active(space: SearchSpace, name: str, params: Params) -> bool:
    return all(
        other not in params
        or not isinstance(space[other], Choice)
        or is_one_of(params[other], values)
        for other, values in space.conditions.get(name, {}).items()
    )


def _never_together(rule: Rule, space: SearchSpace) -> str:
    """Return which two parameters of a rule are never both active; empty if there are none."""
    for one, other in itertools.combinations(rule.names, 2):
        ours, theirs = space.conditions.get(one, {}), space.conditions.get(other, {})
        for shared in ours.keys() & theirs.keys():
            if not any(is_one_of(value, theirs[shared]) for value in ours[shared]):
                return f"{one} and {other} are never active together, because of {shared}"
    return ""


def _never_kept(space: SearchSpace, key: str) -> Iterator[Problem]:
    if space.rules and not any(map(space.keeps, _draws(space, _MOST_DRAWS))):
        got = f"rules that none of {_MOST_DRAWS} random configurations keeps"
        expected = "rules that leave something to search in"
        yield Problem(key, got, expected, "loosen one of them, or derive one value in the model")


def _draws(space: SearchSpace, count: int) -> Iterator[Params]:
    source = random.Random(0)
    return (space.draw(source) for _ in range(count))
