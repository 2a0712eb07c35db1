"""From a plan to whether an app takes its overrides: it composes them itself, in a process apart.

A mistake in them would cost a Ray, a worker and a trial each time. Starting the app in this process
would leave its imports, resolvers and `__main__` here.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from hpo_app.config.build import APP_TRAINER
from hpo_app.config.render import render
from hpo_app.errors import PlanError, Problem
from hpo_app.plan.search_space import Choice


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.plan.search_space import Params, SearchSpace

# What an app imports may take long, and a mistake shows with the first trial all the same.
LONGEST_S = 60.0
# Each takes some ten milliseconds; a misspelt choice beyond them costs its own trial only.
MOST_COMPOSED = 40
# Of a range, off its ends and its middle, which are whole numbers more often than not.
_WITHIN = 0.37


def refuse_uncomposable(
    plan: RunPlan, say: Callable[[str], None], longest_s: float = LONGEST_S
) -> None:
    """Raise if the config of a person's Hydra app does not compose with what a search would ask.

    An app that cannot be started here, or not in time, is left to the first trial, whose log says
    why.

    Args:
        plan: The plan; of any other trainer nothing is asked.
        say: Told in one line where the app was not waited for.
        longest_s: Seconds to wait for the app.

    Raises:
        PlanError: With what does not compose.
    """
    if plan.trainer != APP_TRAINER:
        return
    variants = list(_variants(plan.space))[:MOST_COMPOSED]
    asked = [
        {"changed": changed, "model": render(plan.template, params).model}
        for changed, params in variants
    ]
    answer = _answer(json.dumps(asked), longest_s)
    if answer is None:
        say(f"the app did not compose its config within {longest_s:g} s; its trials will tell")
        return
    problems = [Problem(**problem) for problem in answer]
    if problems:
        raise PlanError(problems)


def changes(space: SearchSpace) -> list[dict[str, Any]]:
    """Return what to change of a configuration, so that an app has seen each kind of value.

    All ranges change at once, to a number with a fraction where there are any: a config with types
    takes none for a whole number, and no default shows it. Of a choice each value is a change.
    """
    choices = {name: each for name, each in space.parameters.items() if isinstance(each, Choice)}
    ranges = [name for name in space if name not in choices]
    found: list[dict[str, Any]] = [{name: space[name].at(_WITHIN) for name in ranges}]
    found += [{name: value} for name, each in choices.items() for value in each.values]
    return [change for change in found if change]


def _variants(space: SearchSpace) -> Iterator[tuple[list[str], Params]]:
    """Yield configurations, and which of their parameters to name: first the default one."""
    yield list(space), space.defaults
    for change in changes(space):
        params = space.active({**space.defaults, **change})
        if space.keeps(params) and any(name in params for name in change):
            yield list(change), params


def _answer(asked: str, longest_s: float) -> list[dict[str, str]] | None:
    """Return the problems that the app's own process found; None if it took too long.

    One that breaks off has found none: what broke it is no matter of overrides.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "hpo_app.apps.composing"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        start_new_session=True,
    )
    try:
        text, _ = process.communicate(asked, timeout=longest_s)
    except subprocess.TimeoutExpired:
        return None
    finally:
        # With whatever the app has started.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    found: list[dict[str, str]] = json.loads(text) if text else []
    return found
