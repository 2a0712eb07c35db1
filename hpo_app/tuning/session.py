"""From a plan to a running Ray: our own on this machine, or a cluster's."""

from __future__ import annotations

import contextlib
import gc
import logging
import math
import os
import shlex
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ray
from ray._private import worker as ray_worker

from hpo_app.errors import Problem, ResourceError
from hpo_app.plan.capacity import Capacity, this_machine
from hpo_app.plan.rules import check_capacity
from hpo_app.redaction import redact
from hpo_app.tuning.own_ray import share, shared_address, starts_ray_here, sweep_folder
from hpo_app.tuning.package import whole, working_dir
from hpo_app.tuning.temp_folder import ray_temp_folder


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hpo_app.plan.run_plan import Cluster, RunPlan
    from hpo_app.tuning.processes import RayProcesses

_LOG = logging.getLogger(__name__)

_LISTENER_S = 1.0

# What Ray reads from the environment when it starts, in the driver and in workers.
SETTINGS = {
    "RAY_AIR_NEW_OUTPUT": "0",  # The new output engine prints even at verbosity 0.
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # Relative paths in a config mean where the person stands.
    "RAY_USAGE_STATS_ENABLED": "0",
    # What a trial started ends with its worker, also where that was killed.
    "RAY_process_group_cleanup_enabled": "1",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # A trial without a GPU keeps its environment.
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # The journal holds what they would write.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ours saves, and ends with the right exit code.
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # Checked in the trial, where it fails only that.
    # A trial that is stopped may take its time to clean up; Tune gives up its worker after 2 s.
    "TUNE_FUNCTION_THREAD_TIMEOUT_S": "30",
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000000",  # Tune's own state is never read back.
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",  # They are in the journal and in the trial's log.
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
}


@contextlib.contextmanager
def ray_session(
    plan: RunPlan,
    processes: RayProcesses,
    notice: Callable[[str], None],
    run_folder: Path | None = None,
) -> Iterator[Capacity]:
    """Give a Ray that can hold the plan's trials; end it afterwards if it is our own.

    Args:
        plan: The plan.
        processes: Learns which processes are Ray's.
        notice: Is told where the dashboard is, if one is asked for.
        run_folder: Not sent to other nodes; None where there is none.

    Raises:
        ResourceError: If no trial can ever fit, or the cluster cannot be joined.
    """
    if starts_ray_here(plan.cluster):
        refuse_misfit(plan, this_machine(plan.cluster))
    os.environ.update(SETTINGS)
    # Before it starts, too: it warns of a thread in which it cannot handle SIGTERM itself.
    logging.getLogger("ray").setLevel(logging.CRITICAL)
    is_ours = not ray.is_initialized()
    with contextlib.ExitStack() as stack:
        if not is_ours:
            # Of a run before that was broken off by an error, the error holds the workers, in a
            # circle, and these hold their CPUs: trials of this one would wait for them in vain.
            gc.collect()
        else:
            address = stack.enter_context(_address(plan.cluster))
            stack.callback(end_ray, processes)
            with processes.starting():
                dashboard = _start(plan.cluster, address, run_folder)
            if plan.cluster.dashboard and not shared_address():
                notice(_on_dashboard(dashboard))
        capacity = replace(capacity_of(ray.nodes()), share=share())
        refuse_misfit(plan, capacity)
        yield capacity


def end_ray(processes: RayProcesses) -> None:
    """End the Ray that this process has started, with all of its processes."""
    processes.let_go()
    with _listener_hushed():
        ray.shutdown()
        processes.end()


@contextlib.contextmanager
def _listener_hushed() -> Iterator[None]:
    """Keep Ray's own thread from a traceback where its Ray has ended.

    `ray.shutdown` tells the thread to end, but not where `ray.init` was interrupted right after it
    had started the thread, which then finds nobody to listen to.
    """
    listener = getattr(ray_worker.global_worker, "listener_thread", None)
    before = threading.excepthook

    def hook(failure: threading.ExceptHookArgs) -> None:
        if failure.thread is None or failure.thread is not listener:
            before(failure)

    threading.excepthook = hook
    try:
        yield
        if listener is not None and listener.is_alive():
            listener.join(_LISTENER_S)
    finally:
        threading.excepthook = before


def sent_folder(cluster: Cluster) -> str:
    """Return the folder of which each node has a copy; empty for none."""
    is_sent = not cluster.is_local and ray.get_runtime_context().runtime_env.get("working_dir")
    return str(whole(cluster.working_dir)) if is_sent and cluster.working_dir else ""


def capacity_of(nodes: list[dict[str, Any]]) -> Capacity:
    """Return what the nodes that Ray lists offer to trials; one that left offers nothing."""
    alive = (node["Resources"] for node in nodes if node["Alive"])
    return Capacity.of_nodes(
        (node.get("CPU", 0.0), node.get("GPU", 0.0), node.get("memory", 0.0) / 1e9)
        for node in alive
    )


def described(capacity: Capacity) -> str:
    """Return which cluster this is, and what it offers, for a person who may not expect it."""
    nodes = capacity.nodes
    cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
    address = ray.get_runtime_context().gcs_address
    return f"the Ray cluster at {address}: {len(nodes)} nodes, {cpus:g} CPUs, {gpus:g} GPUs"


def refuse_misfit(plan: RunPlan, capacity: Capacity) -> None:
    """Raise if no trial of the plan can ever fit.

    Raises:
        ResourceError: With what is asked for and what there is.
    """
    problems = list(check_capacity(plan, capacity))
    if problems:
        raise ResourceError(problems)


def _on_dashboard(url: str) -> str:
    if url:
        return f"Ray's dashboard: http://{url} while the run lasts"
    return f"Ray has no dashboard here: {shlex.quote(sys.executable)} -m pip install 'ray[default]'"


def _address(cluster: Cluster) -> contextlib.AbstractContextManager[str]:
    """Give where the Ray is that trials run on; `local` for one that is still to be started."""
    if cluster.is_local or shared_address():  # The sweep has asked a cluster already.
        return contextlib.nullcontext(shared_address() or "local")
    # Not above: it brings gRPC, which a Ray of our own does without.
    from hpo_app.tuning.joining import open_door  # noqa: PLC0415

    return open_door(cluster.address)


def _start(cluster: Cluster, address: str, run_folder: Path | None) -> str:
    """Start or join a Ray; return the HOST:PORT of its dashboard, empty without one."""
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address == "local":  # Without it Ray joins whatever cluster runs on the machine.
        quiet |= {
            "num_cpus": cluster.num_cpus,
            "num_gpus": cluster.num_gpus,
            "include_dashboard": cluster.dashboard,
            # As the plan counts it: Ray itself would keep a part for its store of objects.
            "_memory": _bytes(this_machine(cluster).memory_gb),
            "_temp_dir": str(ray_temp_folder()[0]),
        }
    if not cluster.is_local:
        # Of each lost node it prints forty lines; ours says which it was (tuning/nodes.py).
        ray_worker.print_to_stdstream = _log_error
        quiet["runtime_env"] = working_dir(cluster.working_dir, sweep_folder() or run_folder)
    try:
        return str(ray.init(address=address, **quiet).dashboard_url or "")
    # Of a machine that is too busy to start it in time, Ray says so by a plain Exception.
    except Exception as error:
        if cluster.is_local:
            raise _not_started(error) from error
        raise _not_joined(cluster.address, error) from error


def _bytes(memory_gb: float) -> int | None:
    return int(memory_gb * 1e9) if math.isfinite(memory_gb) else None


def _log_error(data: dict[str, Any], **_: Any) -> None:
    _LOG.info("Ray says: %s", "\n".join(map(str, data["lines"])))


def _not_started(error: BaseException) -> ResourceError:
    text = redact(" ".join(str(error).split())) or type(error).__name__
    expected = "a Ray that starts on this machine"
    fix = (
        "type the command again once the machine is less busy; what Ray wrote stands in "
        f"{ray_temp_folder()[0]}/session_latest/logs"
    )
    return ResourceError([Problem("ray", text, expected, fix)])


def _not_joined(address: str, error: BaseException) -> ResourceError:
    reason = error
    while reason.__cause__ is not None:
        reason = reason.__cause__
    text = redact(" ".join(str(reason).split()))
    expected = "a Ray cluster that lets this process in"
    fix = "look at `ray status` on a node of it, or set ray.address=local"
    return ResourceError([Problem("ray.address", f"{address} ({text})", expected, fix)])
