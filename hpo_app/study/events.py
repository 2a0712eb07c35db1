"""From a line of a journal to an event that can be believed: what each kind of event has to hold.

A checksum tells of damage, and not of who wrote a line. What is checked here is what every reader
relies on, so that a file made by hand is refused with a message instead of breaking one of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from hpo_app.plan.run_plan import Mode
from hpo_app.plan.search_space import is_number
from hpo_app.study.fresh import FIRST_FRESH, Kind
from hpo_app.study.judging import are_constraints, are_objectives, criteria_from
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

# More of anything than a run can have: what counts up to it may be looped over.
MOST = 10**9
_PLACE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._=-]{0,79}")


class _Kind(NamedTuple):
    """What a field has to be, as the end of the sentence "expected …", and how to tell."""

    expected: str
    holds: Callable[[Any], bool]


def _whole(least: int, most: int = MOST) -> _Kind:
    def holds(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

    return _Kind(f"a whole number from {least} to {most}", holds)


def _one_of(words: Iterable[str]) -> _Kind:
    known = tuple(words)
    return _Kind(f"one of {', '.join(known)}", lambda value: value in known)


def _is_place(value: Any) -> bool:
    """Return whether a text names something below the run folder, whatever else is there."""
    if not isinstance(value, str):
        return False
    return all(_PLACE.fullmatch(part) for part in value.split("/"))


def _is_learned(trial: Any) -> bool:
    names = {"run_id", "number", "state", "params", "curve"}
    if not isinstance(trial, dict) or trial.keys() - {"others"} != names:
        return False
    curve = trial["curve"]
    return (
        _METRICS.holds(trial.get("others", {}))
        and trial["state"] in _LEARNED_STATES
        and isinstance(trial["params"], dict)
        and isinstance(curve, list)
        and bool(curve)
        and all(map(_is_point, curve))
    )


def _is_point(value: Any) -> bool:
    is_pair = isinstance(value, list) and len(value) == 2
    return is_pair and _ITERATION.holds(value[0]) and is_number(value[1])


def _is_baseline(value: Any) -> bool:
    if not isinstance(value, dict) or value.keys() != {"source", "params"}:
        return False
    return isinstance(value["source"], str) and isinstance(value["params"], dict)


_TEXT = _Kind("text", lambda value: isinstance(value, str))
_KEY = _Kind(
    "a name of letters, digits and dashes",
    lambda value: isinstance(value, str) and _PLACE.fullmatch(value) is not None,
)
_FLAG = _Kind("true or false", lambda value: isinstance(value, bool))
_MAPPING = _Kind("a mapping", lambda value: isinstance(value, dict))
_TEXTS = _Kind(
    "a list of texts",
    lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
)
_SPACE = _Kind(
    "a mapping of parameters to mappings",
    lambda value: (
        isinstance(value, dict) and all(isinstance(item, dict) for item in value.values())
    ),
)
_METRICS = _Kind(
    "a mapping of names to finite numbers",
    lambda value: isinstance(value, dict) and all(map(is_number, value.values())),
)
_OBJECTIVES = _Kind("a list of mappings with metric and mode", are_objectives)
_CONSTRAINTS = _Kind(
    "a mapping of metrics to a lowest or a highest value, or both", are_constraints
)
_LEARNED_STATES = (TrialState.FINISHED.value, TrialState.STOPPED.value)
_LEARNED = _Kind(
    "a list of trials of other runs that ended well, with params and curve",
    lambda value: isinstance(value, list) and all(map(_is_learned, value)),
)
_BASELINES = _Kind(
    "a list of configurations with source and params",
    lambda value: isinstance(value, list) and all(map(_is_baseline, value)),
)
_PLACE_BELOW = _Kind("a path inside the run folder", _is_place)
_PLACE_OR_NONE = _Kind(
    "a path inside the run folder, or null", lambda value: value is None or _is_place(value)
)
_NUMBER, _ITERATION = _whole(0), _whole(1)
_NUMBER_OF_32 = _whole(0, 2**32)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and all(map(_NUMBER.holds, value))


_SEED = _Kind(
    "a whole number of at least 0",
    lambda value: isinstance(value, int) and not isinstance(value, bool) and value >= 0,
)

# A field with a question mark may be missing. An event that is not here is of a later release.
_FIELDS: Mapping[str, Mapping[str, _Kind]] = {
    "opened": {
        "run_id": _TEXT,
        "metric": _TEXT,
        "mode": _one_of(mode.value for mode in Mode),
        "objectives?": _OBJECTIVES,
        "constraints?": _CONSTRAINTS,
        "averaged?": _ITERATION,
        "space": _SPACE,
        "num_trials": _ITERATION,
        "iterations": _ITERATION,
        "seed": _SEED,
        "facts?": _MAPPING,
        "stored?": _MAPPING,
        "kept_as?": _KEY,
        "learned?": _LEARNED,
        "confirms?": _FLAG,
        "baselines?": _BASELINES,
    },
    "asked": {"trial": _NUMBER, "params": _MAPPING, "is_default": _FLAG, "seed": _NUMBER_OF_32},
    "started": {"trial": _NUMBER},
    "reported": {"trial": _NUMBER, "iteration": _ITERATION, "metrics": _METRICS},
    "checkpointed": {
        "trial": _NUMBER,
        "path": _PLACE_BELOW,
        "iteration?": _NUMBER,
        "crc32?": _NUMBER_OF_32,
    },
    "cloned": {
        "trial": _NUMBER,
        "source": _NUMBER,
        "iteration": _NUMBER,
        "params": _MAPPING,
        "checkpoint?": _PLACE_OR_NONE,
    },
    "continued": {"trial": _NUMBER, "checkpoint": _PLACE_OR_NONE, "iteration": _NUMBER},
    "retried": {"trial": _NUMBER, "error?": _TEXT},
    "moved": {"trial": _NUMBER, "error?": _TEXT},
    "ended": {
        "trial": _NUMBER,
        "state": _one_of(state.value for state in TrialState if state is not TrialState.RUNNING),
        "error?": _TEXT,
    },
    "raced": {
        "contenders": _Kind(
            "a list of trial numbers", lambda value: bool(value) and _are_numbers(value)
        ),
        "baselines?": _Kind("a list of trial numbers, or none", _are_numbers),
        "default": _Kind(
            "a trial number, or null", lambda value: value is None or _NUMBER.holds(value)
        ),
        **dict.fromkeys(
            ("trainings", "first_seeds", "claim_seeds", "most_claim_seeds"), _ITERATION
        ),
        "has_replay": _FLAG,
        "narrows?": _FLAG,
        "most_contenders": _ITERATION,
        "share": _Kind("a number", is_number),
    },
    "repeated": {
        "trial": _NUMBER,
        "of": _NUMBER,
        "kind": _one_of(kind.value for kind in Kind),
        "place": _NUMBER,
        "typed": _NUMBER,
        "seed": _NUMBER_OF_32,
    },
    "confirmed": {"winner": _NUMBER},
    "resumed": {
        "num_trials": _ITERATION,
        "changes?": _TEXTS,
        "facts?": _MAPPING,
        "confirms?": _FLAG,
    },
    "exhausted": {"reason": _TEXT},
    "closed": {"reason": _TEXT},
}

# Where events of a race name trials of the search.
_OF_RACES = {"raced": ("default",), "repeated": ("of",), "confirmed": ("winner",)}


class EventCheck:
    """Reads a journal from its start, and says of each event what cannot be true of it."""

    def __init__(self) -> None:
        self._num_asked = 0
        self._num_fresh = 0
        self._metrics: tuple[str, ...] = ()

    def problem(self, name: str, fields: Mapping[str, Any]) -> tuple[str, str] | None:
        """Return what an event holds and what was expected, or None if nothing is wrong.

        Args:
            name: What happened.
            fields: What the journal says of it.
        """
        found = (
            _of_fields(name, fields) or self._of_order(name, fields) or _of_learned(name, fields)
        )
        if found is None and name == "asked":
            self._num_asked += 1
        if found is None and name == "repeated":
            self._num_fresh += 1
        if found is None and name == "opened":
            self._metrics = criteria_from(fields).metrics
        return found

    def _of_order(self, name: str, fields: Mapping[str, Any]) -> tuple[str, str] | None:
        number = fields.get("trial")
        if name == "opened" and self._metrics:
            return "opened once more", "one opened event, in the first line"
        if name == "asked" and number != self._num_asked:
            return f"trial {number}", f"trial {self._num_asked}: trials are numbered one by one"
        if name == "repeated" and number != FIRST_FRESH + self._num_fresh:
            expected = f"trial {FIRST_FRESH + self._num_fresh}: they are numbered one by one"
            return f"trial {number}", expected
        if name in _FIELDS and name != "asked":
            for trial in _named_in(name, fields):
                # Whom a race is about are trials of the search; else it may be any.
                is_any = name not in _OF_RACES
                num_fresh = self._num_fresh if is_any else 0
                if not _is_among(trial, self._num_asked, num_fresh):
                    return f"{name} of trial {trial}", "an event of a trial that was asked for"
        return self._of_report(fields["metrics"]) if name == "reported" else None

    def _of_report(self, metrics: Mapping[str, Any]) -> tuple[str, str] | None:
        for at, metric in enumerate(self._metrics):
            if metric not in metrics:
                whose = "the objective's metric" if at == 0 else "the metric"
                return "a report without it", f"{whose} {metric!r}"
        return None


def _named_in(name: str, fields: Mapping[str, Any]) -> list[int]:
    """Return the trials that an event is about, and that have to be there before it."""
    keys = _OF_RACES.get(name, ("trial", "source"))
    named = [fields[key] for key in keys if fields.get(key) is not None]
    if name == "raced":
        named += [*fields["contenders"], *fields.get("baselines", ())]
    return named


def _is_among(trial: int, num_asked: int, num_fresh: int) -> bool:
    return trial < num_asked or FIRST_FRESH <= trial < FIRST_FRESH + num_fresh


def _of_learned(name: str, fields: Mapping[str, Any]) -> tuple[str, str] | None:
    if name != "opened":
        return None
    for metric in criteria_from(fields).metrics[1:]:
        if any(metric not in trial.get("others", {}) for trial in fields.get("learned", ())):
            return "a learned trial without it", f"the metric {metric!r}"
    return None


def _of_fields(name: str, fields: Mapping[str, Any]) -> tuple[str, str] | None:
    for key, kind in _FIELDS.get(name, {}).items():
        bare = key.removesuffix("?")
        if bare not in fields:
            if key == bare:
                return f"{name} without {bare}", kind.expected
        elif not kind.holds(fields[bare]):
            return f"{name} with {bare}={_shown(fields[bare])}", kind.expected
    return None


def _shown(value: object) -> str:
    # Not repr of all of it: a number of a thousand digits, or a list of a million, has no end.
    if isinstance(value, (dict, list)):
        return f"a {type(value).__name__} of {len(value)}"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
