"""From the searches of a sweep to one Ray that they share, each with its part of it."""

from __future__ import annotations

import contextlib
import logging
import os
from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ray
from ray._private import auto_init_hook

from hpo_app.errors import Problem, ResourceError
from hpo_app.tuning.session import SETTINGS, capacity_of, end_ray
from hpo_app.tuning.temp_folder import ray_temp_folder


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from hpo_app.plan.capacity import Capacity
    from hpo_app.signals import Signals
    from hpo_app.tuning.processes import RayProcesses
    from hpo_app.tuning.search_process import SearchProcess

_LOOK_S = 0.2


def share_ray(
    settings: Mapping[str, Any],
    address_key: str,
    processes: RayProcesses,
    at_end: contextlib.ExitStack,
) -> Capacity:
    """Start the Ray of a sweep unless it is there, and return what it offers to trials.

    Args:
        settings: Keyword arguments of `ray.init`.
        address_key: What a person sets their `address` by.
        processes: Learns which processes are Ray's.
        at_end: Ends it, or leaves it.

    Raises:
        ResourceError: If it cannot be started or joined.
    """
    # A thread that waits for its searches would start another Ray where this one has ended.
    auto_init_hook.enable_auto_connect = False
    if not ray.is_initialized():
        os.environ.update(SETTINGS)
        logging.getLogger("ray").setLevel(logging.CRITICAL)
        own: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
        address = settings.get("address")
        if address == "local":
            own["_temp_dir"] = str(ray_temp_folder()[0])
        elif address:
            opened = at_end.enter_context(_door(str(address), address_key))
            settings = {**settings, "address": opened}
        at_end.callback(leave_ray, processes)
        try:
            with processes.starting():
                ray.init(**{**own, **settings})
        # Of a machine that is too busy to start it in time, Ray says so by a plain Exception.
        except Exception as error:
            text = " ".join(str(error).split())
            expected = "a Ray that starts, or can be joined, with these arguments"
            fix = "correct the keys under hydra.launcher.ray.init, or type the command again"
            raise ResourceError(
                [Problem("hydra.launcher.ray.init", text, expected, fix)]
            ) from error
    return capacity_of(ray.nodes())


@contextlib.contextmanager
def _door(address: str, key: str) -> Iterator[str]:
    # Not above: it brings gRPC, which a Ray of our own does without.
    from hpo_app.tuning.joining import open_door  # noqa: PLC0415

    with contextlib.ExitStack() as stack:
        try:
            opened = stack.enter_context(open_door(address))
        except ResourceError as error:
            renamed = [
                replace(each, key=key, fix=each.fix.replace("ray.address", key))
                for each in error.problems
            ]
            raise ResourceError(renamed) from error
        yield opened


def leave_ray(processes: RayProcesses) -> None:
    """End the Ray of a sweep, if it was started."""
    if ray.is_initialized():
        end_ray(processes)


def run_searches(
    searches: Sequence[SearchProcess],
    at_once: int,
    remote: Mapping[str, Any],
    signals: Signals,
    look: Callable[[], None],
) -> Iterator[tuple[SearchProcess, int | str]]:
    """Run searches, each started by a task of Ray, and yield them in the order in which they end.

    One that dies takes no other with it. After a signal no further one is started, and those that
    run are told through their file.

    Args:
        searches: The searches.
        at_once: How many run at once.
        remote: Options of the task that starts a search, and holds nothing.
        signals: What this process is told.
        look: Called a few times a second, to show what happens meanwhile.

    Yields:
        Each search that was started, with its exit code, or the reason why there is none.
    """
    task = ray.remote(**remote)(_run)
    address = ray.get_runtime_context().gcs_address
    waiting = deque(searches)
    running: dict[Any, SearchProcess] = {}
    while running or (waiting and signals.number is None):
        while waiting and len(running) < at_once and signals.number is None:
            search = waiting.popleft()
            running[task.remote(search, address)] = search
        if signals.number is not None:
            Path(searches[0].stop).write_text(str(int(signals.number)), encoding="utf-8")
        done, _ = ray.wait(list(running), num_returns=1, timeout=_LOOK_S)
        look()
        for reference in done:
            yield running.pop(reference), _result(reference)
    look()


def _run(search: SearchProcess, address: str) -> int:
    return search.run(address)


def _result(reference: Any) -> int | str:
    try:
        return int(ray.get(reference))
    except ray.exceptions.RayError as error:
        return str(error).splitlines()[0]
