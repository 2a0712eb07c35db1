"""From a run in which nothing moves to why: who trains without a word, who waits for what."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import ray

from hpo_app.analysis.wording import counted
from hpo_app.errors import first_of, listed
from hpo_app.study.fresh import is_fresh, name_of


if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpo_app.tuning.training_time import TrainingTime

_KNOCK_S = 2.0
_MOST_NAMED = 4
_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def why_silent(trials: Mapping[int, Any], times: TrainingTime, now: float) -> str:
    """Return why nothing moves, as parts of a sentence with a semicolon between them.

    Args:
        trials: Tune's record of each trial that has not ended.
        times: How long they have trained.
        now: On the clock of `times`.
    """
    reasons = [
        f"{name_of(number)} trains in {place_of(trials[number])} and has not reported for "
        f"{span(times.silent_s(number, now))}"
        for number in times.training
        if number in trials
    ]
    pending = {number: trial for number, trial in trials.items() if trial.status == "PENDING"}
    blocked = [number for number, trial in pending.items() if trial.temporary_state.ray_actor]
    reasons += [
        f"{name_of(number)} waits for {place_of(trials[number])}, which is not free yet"
        for number in blocked
    ]
    waiting = [number for number in pending if number not in blocked]
    address = lost_control()
    if address:
        reasons.append(f"Ray's control process at {address} does not answer: it has died")
    else:
        try:
            reasons += [_waiting(waiting, trials), *_lost_nodes()]
        except Exception:  # noqa: BLE001 - Ray's own errors; to say why must not end the run
            reasons.append("Ray does not say what its resources do")
    return (
        "; ".join(first_of([reason for reason in reasons if reason], _MOST_NAMED))
        or "no trial is under way"
    )


def lost_control() -> str:
    """Return the address of Ray's control process if nobody answers there; else nothing."""
    address = str(ray.get_runtime_context().gcs_address)
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_S).close()
    except (OSError, ValueError):
        return address
    return ""


def place_of(trial: Any) -> str:
    """Return in which process a trial trains."""
    told = trial._default_result_or_future  # To ask in public would wait for it.
    if isinstance(told, ray.ObjectRef) and not ray.wait([told], timeout=0)[0]:
        return "a worker"
    facts = trial.last_result
    return f"process {facts.get('pid', '?')} on {facts.get('hostname', '?')}"


def span(seconds: float) -> str:
    """Return a time in its largest unit: `40 s`, `12 min`, `3 h`."""
    size, unit = next((pair for pair in _UNITS if seconds >= 2 * pair[0]), _UNITS[-1])
    return f"{seconds / size:.0f} {unit}"


def _waiting(numbers: list[int], trials: Mapping[int, Any]) -> str:
    if not numbers:
        return ""
    asked = trials[numbers[0]].placement_group_factory.required_resources
    total, free = ray.cluster_resources(), ray.available_resources()
    wanted = [name for name, amount in asked.items() if amount]
    has_fresh = any(map(is_fresh, numbers))
    named = listed(
        first_of([name_of(each) if has_fresh else str(each) for each in numbers], _MOST_NAMED)
    )
    verb = "waits" if len(numbers) == 1 else "wait"
    what = "" if has_fresh else f"{counted(len(numbers), 'trial').split()[1]} "
    return (
        f"{what}{named} {verb} for a worker with "
        f"{listed(f'{asked[name]:g} {name}' for name in wanted)}, and of "
        f"{listed(f'{total.get(name, 0):g} {name}' for name in wanted)} in Ray "
        f"{listed(f'{free.get(name, 0):g}' for name in wanted)} are free"
    )


def _lost_nodes() -> list[str]:
    lost = [node["NodeManagerHostname"] for node in ray.nodes() if not node["Alive"]]
    return (
        [f"{counted(len(lost), 'node')} left Ray: {listed(first_of(lost, _MOST_NAMED))}"]
        if lost
        else []
    )
