"""From a search space in Python to the typed one."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from hpo_app.api.plain import plain_config
from hpo_app.api.spellings import respelt_space
from hpo_app.api.words import Words, in_words
from hpo_app.errors import PlanError
from hpo_app.plan.read_space import read_space
from hpo_app.plan.search_space import SearchSpace


if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpo_app.errors import Problem


@dataclass(frozen=True)
class DefinedSpace(SearchSpace):
    """A typed search space that remembers how it was written.

    Attributes:
        entries: `{name: entry}`, plain.
    """

    entries: Mapping[str, Any] = field(default_factory=dict)


def define_space(param_space: Mapping[str, Any]) -> DefinedSpace:
    """Return the typed search space.

    Raises:
        PlanError: With everything that is wrong with it.
    """
    problems: list[Problem] = []
    entries = plain_config(respelt_space(param_space, problems), "param_space", problems)
    space, wrong = read_space(entries, "param_space")
    words, told = Words("define_search_space"), {problem.key for problem in problems}
    problems += [each for each in map(words.problem, wrong) if each.key not in told]
    if problems:
        raise in_words(PlanError(problems), words)
    typed = {each.name: getattr(space, each.name) for each in fields(space)}
    return DefinedSpace(**typed, entries=entries)
