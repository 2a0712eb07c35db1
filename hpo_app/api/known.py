"""From keywords that a person typed to those that are known, and what was meant by the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpo_app.api.choices import SAID_IN
from hpo_app.api.plain import plain_config
from hpo_app.errors import Problem, listed, near_miss


if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# What other libraries, our command line and our config call an argument of `optimize`. They stand
# before what is alike in letters: `direction` is nearest to `iterations`.
_ALSO_CALLED = {
    "direction": "mode",
    "num_samples": "num_trials",
    "objective": "metric",
    "output": "run_dir",
    "output_dir": "run_dir",
    "resources": "resources_per_trial",
    "sampler": "search_alg",
    "search_space": "param_space",
    "pruner": "scheduler",
    "timeout": "time_budget_s",
    "verbose": "progress",
}
_PRESET = "write **ConfigLoader().load_config()['experiments']['{}'] instead"


def known_arguments(
    values: Any, taken: Sequence[str], known: Iterable[str], problems: list[Problem]
) -> dict[str, Any]:
    """Return the plain values of keywords; one that is not taken is put on record.

    Args:
        values: What was typed beside the named arguments of `optimize`.
        taken: What may stand there.
        known: All arguments of `optimize`, of which one may have been meant.
        problems: The record.
    """
    plain = plain_config(values, SAID_IN, problems)
    known = sorted({*taken, *known})
    for key in [key for key in plain if key not in taken]:
        value = plain.pop(key)
        problems.append(
            Problem(key, str(value), f"one of {listed(known)}", _fix(key, value, known))
        )
    return plain


def known_keys(
    values: Any, name: str, known: Sequence[str], problems: list[Problem]
) -> dict[str, Any]:
    """Return the plain values of a mapping; a key that is not known is put on record."""
    plain = plain_config(values, name, problems)
    for key in [key for key in plain if key not in known]:
        near = near_miss(str(key), known)
        fix = f"write {near} instead" if near else "leave it out"
        expected = f"one of {listed(known)}"
        problems.append(Problem(f"{name}.{key}", str(plain.pop(key)), expected, fix, SAID_IN))
    return plain


def _fix(key: str, value: Any, known: Sequence[str]) -> str:
    if key == "preset":
        return _PRESET.format(value)
    meant = _ALSO_CALLED.get(key) or near_miss(key, known)
    return f"write {meant} instead" if meant else "leave it out"
