"""From a study to what was found out about it: once, however many parts of a report ask."""

from __future__ import annotations

import functools
import inspect
import weakref
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar


if TYPE_CHECKING:
    from collections.abc import Callable

    from hpo_app.study.records import Study

Options = ParamSpec("Options")
Found = TypeVar("Found")


def once_per_study(
    find: Callable[Concatenate[Study, Options], Found],
) -> Callable[Concatenate[Study, Options], Found]:
    """Return a function that keeps what it finds for as long as the study is there.

    The lines in the terminal, the page, the plots and `summary.json` ask the same of one study,
    which does not change. So what is found may not be changed either.

    Args:
        find: Takes a study, and options that can be keys of a mapping.
    """
    # By identity: a study holds mappings, and cannot be a key itself.
    known: dict[int, dict[Any, Found]] = {}

    signature = inspect.signature(find)

    @functools.wraps(find)
    def found(study: Study, /, *args: Options.args, **kwargs: Options.kwargs) -> Found:
        if id(study) not in known:
            known[id(study)] = {}
            weakref.finalize(study, known.pop, id(study), None).atexit = False
        bound = signature.bind(study, *args, **kwargs)
        bound.apply_defaults()
        of_study, asked = known[id(study)], tuple(bound.arguments.values())[1:]
        if asked not in of_study:
            of_study[asked] = find(study, *args, **kwargs)
        return of_study[asked]

    return found
