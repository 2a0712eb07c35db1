"""From what stands below `require:` to rules across parameters that can be kept."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hpo_app.errors import Problem, listed, near_miss
from hpo_app.plan.rule import RuleError, read_rule


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hpo_app.plan.rule import Rule
    from hpo_app.plan.search_space import Params, SearchSpace

# Where none of so many draws keeps the rules, a search would look for one in vain.
_MOST_DRAWS = 10_000
_DRAWS_TO_TEST = 100
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
    if "type" in written:
        expected = "rules across parameters: no parameter can have this name"
        return space, [Problem(key, str(written), expected, "rename the parameter")]
    rules: dict[str, Rule] = {}
    problems: list[Problem] = []
    for name, text in written.items():
        rule, found = _read(text, f"{key}.{name}", list(names))
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


def _read(text: object, key: str, known: list[str]) -> tuple[Rule | None, list[Problem]]:
    if text is None:
        return None, []
    try:
        # A rule may read a parameter as a model does.
        rule = read_rule(_REFERENCE.sub(r"\1", str(text)))
    except RuleError as error:
        expected = "a comparison of parameters and numbers"
        return None, [Problem(key, f"{text} ({error})", expected, _EXAMPLE)]
    return rule, list(_about_names(rule, key, known))


def _about_names(rule: Rule, key: str, known: list[str]) -> Iterator[Problem]:
    if not rule.names:
        expected = "a rule that reads at least one parameter"
        yield Problem(key, rule.text, expected, f"take it out with {key}=null")
    for name in rule.names:
        if name not in known:
            miss = near_miss(name, known)
            fix = f"write {miss}" if miss else f"correct it, or take the rule out with {key}=null"
            expected = f"a parameter of the search space: {listed(known)}"
            yield Problem(key, f"{name} in {rule.text}", expected, fix)


def _about_values(space: SearchSpace, key: str) -> Iterator[Problem]:
    """Yield rules that say nothing of some configuration, and those that the default breaks."""
    tested = [space.defaults, *_draws(space, _DRAWS_TO_TEST)]
    for name, rule in space.rules.items():
        objection = next(filter(None, map(rule.objection, tested)), "")
        if objection:
            expected = "a comparison that is true or false for every configuration"
            yield Problem(f"{key}.{name}", f"{rule.text} ({objection})", expected, _EXAMPLE)
        elif space.has_defaults and not rule.holds(space.defaults):
            values = (f"{other}={space.defaults[other]}" for other in rule.names)
            got = f"{listed(values)} in the default configuration"
            fix = f"move a default, or take the rule out with {key}.{name}=null"
            yield Problem(f"{key}.{name}", got, rule.text, fix)


def _never_kept(space: SearchSpace, key: str) -> Iterator[Problem]:
    if space.rules and not any(map(space.keeps, _draws(space, _MOST_DRAWS))):
        got = f"rules that none of {_MOST_DRAWS} random configurations keeps"
        expected = "rules that leave something to search in"
        yield Problem(key, got, expected, "loosen one of them, or derive one value in the model")


def _draws(space: SearchSpace, count: int) -> Iterator[Params]:
    source = random.Random(0)
    return (space.draw(source) for _ in range(count))
