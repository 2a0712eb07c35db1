"""From an address to what the control process of a cluster says of it, within seconds."""

from __future__ import annotations

import json
import os
import socket
from typing import NamedTuple

import grpc
from ray._common.tls_utils import load_certs_from_env
from ray.core.generated import gcs_service_pb2 as gcs, gcs_service_pb2_grpc as services


KNOCK_S = 5.0
_ANSWER_S = 10.0
_METADATA = (b"CLUSTER_METADATA", b"cluster")
_ALIVE = "ALIVE"
_DIRECT = (("grpc.enable_http_proxy", 0),)


class ClusterFacts(NamedTuple):
    """What a cluster says of itself.

    Attributes:
        ray: Version of Ray.
        python: Version of Python.
        nodes: Host names of the nodes that are alive, by their ids.
    """

    ray: str
    python: str
    nodes: dict[str, str]


class NoTokenError(Exception):
    """The cluster lets nobody in with this token, or with none."""


class NoClusterError(Exception):
    """Who answers is no control process of Ray; the message is what came back."""


def knock(address: str) -> None:
    """Return if somebody listens at HOST:PORT.

    Raises:
        OSError: If nobody does.
    """
    host, _, port = address.rpartition(":")
    socket.create_connection((host.strip("[]"), int(port)), timeout=KNOCK_S).close()


def ask(address: str, token: str = "") -> ClusterFacts:
    """Return what the cluster at HOST:PORT says of itself.

    Args:
        address: Where its control process listens.
        token: What to show; empty for nothing.

    Raises:
        NoTokenError: If it lets nobody in with that.
        NoClusterError: If it does not answer as Ray does.
    """
    shown = [("authorization", f"Bearer {token}")] if token else []
    try:
        with _channel(address) as channel:
            return _asked(channel, shown)
    except grpc.RpcError as error:
        if error.code() == grpc.StatusCode.UNAUTHENTICATED:
            raise NoTokenError from error
        raise NoClusterError(f"{error.code().name}: {error.details()}") from error
    except (ValueError, KeyError) as error:
        raise NoClusterError(repr(error)) from error


def _channel(address: str) -> grpc.Channel:
    # Not Ray's own, which shows a token by itself, and ends the process where it finds none.
    if os.environ.get("RAY_USE_TLS", "0").lower() not in ("1", "true"):
        return grpc.insecure_channel(address, _DIRECT)
    chain, key, root = load_certs_from_env()
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(root, key, chain), _DIRECT)


def _asked(channel: grpc.Channel, shown: list[tuple[str, str]]) -> ClusterFacts:
    key, namespace = _METADATA
    question = gcs.InternalKVGetRequest(key=key, namespace=namespace)
    options = {"timeout": _ANSWER_S, "metadata": shown}
    found = services.InternalKVGcsServiceStub(channel).InternalKVGet(question, **options)
    told = json.loads(found.value)
    everybody = services.NodeInfoGcsServiceStub(channel).GetAllNodeInfo(
        gcs.GetAllNodeInfoRequest(), **options
    )
    nodes = {
        node.node_id.hex(): node.node_manager_hostname
        for node in everybody.node_info_list
        if node.GcsNodeState.Name(node.state) == _ALIVE
    }
    return ClusterFacts(told["ray_version"], told["python_version"], nodes)
