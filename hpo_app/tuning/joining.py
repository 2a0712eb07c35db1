"""From the address of a cluster to one that takes us in, or to what is in the way.

Ray itself tries for a minute before it says that it could not connect, and then says no more than
that. So its control process is asked first who it is, whom it lets in, and whether this machine is
one of its nodes.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import ray
from ray import _raylet
from ray._private import services, utils

from hpo_app.errors import Problem, ResourceError, first_of, listed
from hpo_app.redaction import hide
from hpo_app.tuning.cluster_facts import KNOCK_S, NoClusterError, NoTokenError, ask, knock


if TYPE_CHECKING:
    from collections.abc import Iterator

    from hpo_app.tuning.cluster_facts import ClusterFacts

_MODE, _TOKEN, _TOKEN_PATH = "RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"
_MOST_NAMED = 4


class _Token(NamedTuple):
    """A token, and where it comes from; never to be shown or stored itself."""

    text: str
    origin: str


@contextlib.contextmanager
def open_door(named: str) -> Iterator[str]:
    """Give the HOST:PORT of a cluster that takes us in; meanwhile Ray shows it our token.

    Args:
        named: HOST:PORT, or auto for the cluster that RAY_ADDRESS names or that `ray start` has
            started on this machine.

    Raises:
        ResourceError: If nobody listens there, or not Ray, or another Ray or Python; if the token
            is missing or wrong; if this machine is no node of the cluster.
    """
    address = _resolved(named)
    try:
        knock(address)
    except OSError as error:
        raise _nobody(address, error) from error
    except ValueError as error:
        expected = "HOST:PORT, auto or local"
        fix = f"add the port, for example ray.address={address.partition(':')[0]}:6379"
        raise _refused(address, expected, fix) from error
    facts, asks_for_token = _let_in(address)
    _refuse_other_versions(address, facts)
    _refuse_strangers(address, facts)
    with _mode("token" if asks_for_token else "disabled"):
        yield address


def _resolved(named: str) -> str:
    if named != "auto":
        return named
    address = os.environ.get("RAY_ADDRESS") or utils.read_ray_address(None)
    if address:
        return address
    # Ray would take any that it finds: somebody else's, or that of another run.
    others = sorted(services.find_gcs_addresses())
    got = "auto, and no cluster was started here by `ray start`"
    got += f"; other Rays run here, at {listed(others)}" if others else ""
    fix = f"set ray.address={others[0]} if that one is yours" if others else "start one"
    raise _refused(got, "a cluster that runs on this machine", f"{fix}, or set ray.address=local")


def _nobody(address: str, error: OSError) -> ResourceError:
    late = f"no answer within {KNOCK_S:g} s"
    reason = late if isinstance(error, TimeoutError) else error.strerror or error
    fix = (
        "start the cluster with `ray start --head` on that host, or correct the address; "
        "ray.address=local runs here"
    )
    return _refused(f"{address}, where nobody listens ({reason})", _RUNNING, fix)


_RUNNING = "the address of a running Ray cluster"


def _let_in(address: str) -> tuple[ClusterFacts, bool]:
    """Return what the cluster says, and whether it wanted a token for that."""
    try:
        return ask(address), False
    except NoClusterError as error:
        raise _no_cluster(address, error) from error
    except NoTokenError:
        pass
    token = _own_token(address)
    try:
        return ask(address, token.text), True
    except NoClusterError as error:
        raise _no_cluster(address, error) from error
    except NoTokenError as error:
        got = f"{address}, which refuses the token of {token.origin}"
        raise _refused(got, "the token that the cluster was started with", _GET_TOKEN) from error


_GET_TOKEN = (
    "`ray get-auth-token` on the head node prints the right one: write it to ~/.ray/auth_token "
    f"here, or to a file that {_TOKEN_PATH} names"
)


def _own_token(address: str) -> _Token:
    """Return the token of this process, from where Ray would take it.

    Read here, because Ray's C++ ends the process where a file is not there.
    """
    wanted = f"{address}, which asks for a token"
    if os.environ.get(_MODE, "token").lower() == "disabled":
        fix = f"unset {_MODE}; {_GET_TOKEN}"
        raise _refused(f"{wanted}, and {_MODE}=disabled here", "a token", fix)
    if os.environ.get(_TOKEN):
        return _hidden(os.environ[_TOKEN], _TOKEN)
    named = os.environ.get(_TOKEN_PATH)
    path = Path(named) if named else Path.home() / ".ray" / "auth_token"
    origin = f"{_TOKEN_PATH}={named}" if named else "~/.ray/auth_token"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text"
        unset = "" if named else f"; neither {_TOKEN} nor {_TOKEN_PATH} is set"
        got = f"{wanted}, and there is none here: {origin} ({reason}){unset}"
        raise _refused(got, "the token that the cluster was started with", _GET_TOKEN) from error
    if not text.strip():
        raise _refused(f"{wanted}, and {origin} is empty", "a token", _GET_TOKEN)
    return _hidden(text, origin)


def _hidden(text: str, origin: str) -> _Token:
    token = text.strip()
    hide([token])
    return _Token(token, origin)


def _no_cluster(address: str, error: NoClusterError) -> ResourceError:
    got = f"{address}, where somebody else than Ray's control process listens ({error})"
    fix = (
        "name the port that `ray start --head` printed, 6379 unless --port says another; 8265 is "
        "the dashboard's and 10001 that of Ray's client"
    )
    return _refused(got, _RUNNING, fix)


def _refuse_other_versions(address: str, facts: ClusterFacts) -> None:
    python = platform.python_version()
    level = 2 if os.environ.get("RAY_DEFAULT_PYTHON_VERSION_MATCH_LEVEL") == "minor" else 3
    same_python = facts.python.split(".")[:level] == python.split(".")[:level]
    if facts.ray == ray.__version__ and same_python:
        return
    got = (
        f"{address}, which runs Ray {facts.ray} on Python {facts.python}; here it is "
        f"Ray {ray.__version__} on Python {python}"
    )
    fix = (
        f"start here with Python {facts.python} and ray[tune]=={facts.ray}, or every node of the "
        f"cluster with Python {python} and ray[tune]=={ray.__version__}"
    )
    raise _refused(got, "the same Ray and the same Python on both sides", fix)


def _refuse_strangers(address: str, facts: ClusterFacts) -> None:
    if facts.nodes.keys() & set(services.find_node_ids()):
        return
    names = sorted(set(facts.nodes.values()))
    shown = listed(first_of(names, _MOST_NAMED))
    got = f"{address}, whose nodes are {shown}; this machine is none of them"
    start = Path(sys.executable).with_name("ray")
    fix = (
        f"start on one of these, or make this machine one that trains nothing: "
        f"`{start} start --address={address} --num-cpus=0 --num-gpus=0`"
    )
    raise _refused(got, "a cluster that this machine is a node of", fix)


@contextlib.contextmanager
def _mode(mode: str) -> Iterator[None]:
    """Let Ray ask for tokens and show one, or do neither, as long as this lasts.

    Both sides have to: workers talk to this process as it talks to them.
    """
    before = os.environ.get(_MODE)
    if before is not None and before.lower() not in {"token", "disabled"}:
        yield  # Something of the cluster's own, as on Kubernetes.
        return
    _let_ray_know(mode)
    try:
        yield
    finally:
        # A Ray of our own that this process starts later is not to be open to everybody.
        _let_ray_know(before)


def _let_ray_know(mode: str | None) -> None:
    if mode is None:
        os.environ.pop(_MODE, None)
    else:
        os.environ[_MODE] = mode
    config: Any = _raylet  # What is known of its types leaves this out.
    config.Config.initialize("")  # It has read the environment before.


def _refused(got: str, expected: str, fix: str) -> ResourceError:
    return ResourceError([Problem("ray.address", got, expected, fix)])
