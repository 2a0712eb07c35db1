"""A cluster that cannot be joined is named with the reason, at once, and with what to type next."""

import http.server
import platform
import shutil
import socket
import subprocess
import sys
import threading
import time

import pytest


pytestmark = pytest.mark.ray

RUN = [
    "search_space=quadratic", "num_trials=2", "training.iterations=2", "hydra.run.dir=run",
]  # fmt: skip
TOKEN = "a-token-that-nobody-is-to-read"


def refusal(hpo, address, *, within_s=60):
    """Return what is said of an address that cannot be joined."""
    before = time.monotonic()
    done = hpo(*RUN[:3], f"ray.address={address}", timeout_s=within_s)
    assert done.returncode == 5, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("ray.address\n") == 1
    assert time.monotonic() - before < within_s
    return done.stderr


def test_a_cluster_where_nobody_listens_is_a_message_within_seconds(hpo):
    said = refusal(hpo, "127.0.0.1:1")
    assert "127.0.0.1:1, where nobody listens (Connection refused)" in said
    assert "`ray start --head`" in said


def test_another_server_than_rays_is_told_from_one_that_is_not_there(hpo):
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        said = refusal(hpo, f"127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()
    assert "where somebody else than Ray's control process listens" in said
    assert "name the port that `ray start --head` printed" in said


@pytest.mark.soak
def test_a_server_that_says_nothing_is_not_waited_for(hpo):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        said = refusal(hpo, f"127.0.0.1:{silent.getsockname()[1]}")
    assert "somebody else than Ray's control process" in said


@pytest.mark.soak
def test_a_cluster_takes_the_right_token_and_says_what_is_wrong_with_others(
    hpo, ray_head, tmp_path, monkeypatch
):
    address = ray_head(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=TOKEN)
    monkeypatch.delenv("RAY_AUTH_MODE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))  # Without a token of its own.
    said = refusal(hpo, address)
    assert "asks for a token, and there is none here: ~/.ray/auth_token" in said
    assert "neither RAY_AUTH_TOKEN nor RAY_AUTH_TOKEN_PATH is set" in said
    monkeypatch.setenv("RAY_AUTH_TOKEN", "another")
    assert f"{address}, which refuses the token of RAY_AUTH_TOKEN\n" in refusal(hpo, address)
    monkeypatch.delenv("RAY_AUTH_TOKEN")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "token"))
    assert "token (No such file or directory)" in refusal(hpo, address)
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    done = hpo(*RUN, f"ray.address={address}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"trials run on the Ray cluster at {address}" in done.stdout
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert "asks for a token, and RAY_AUTH_MODE=disabled here" in refusal(hpo, address)
    written = [path for path in (tmp_path / "run").rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if TOKEN.encode() in path.read_bytes()]
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.soak
def test_a_cluster_that_asks_for_no_token_is_joined_whoever_has_one(hpo, ray_head, monkeypatch):
    address = ray_head(RAY_AUTH_MODE="disabled")
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", TOKEN)
    done = hpo(*RUN, f"ray.address={address}")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.soak
def test_another_version_is_named_with_both(hpo, ray_head):
    address = ray_head(RAY_AUTH_MODE="disabled")
    tell = [sys.executable, "-c", OTHER_VERSION, address]
    subprocess.run(tell, check=True, capture_output=True)
    import ray

    here = f"here it is Ray {ray.__version__} on Python {platform.python_version()}"
    said = refusal(hpo, address)
    assert f"which runs Ray 2.1.0 on Python 3.6.1; {here}" in said
    assert "start here with Python 3.6.1 and ray[tune]==2.1.0" in said


# What a cluster says of itself, it has written down where its nodes look it up.
OTHER_VERSION = """
import json, sys, grpc
from ray.core.generated import gcs_service_pb2 as gcs, gcs_service_pb2_grpc as services

told = {"ray_version": "2.1.0", "python_version": "3.6.1"}
stub = services.InternalKVGcsServiceStub(grpc.insecure_channel(sys.argv[1]))
stub.InternalKVPut(gcs.InternalKVPutRequest(
    key=b"CLUSTER_METADATA", namespace=b"cluster", value=json.dumps(told).encode(), overwrite=True
))
"""


@pytest.mark.soak
def test_a_machine_that_is_no_node_of_the_cluster_is_told_how_to_become_one(ray_head, tmp_path):
    alone = ["unshare", "--pid", "--fork", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("needs root, to hide the nodes of this machine")
    address = ray_head(RAY_AUTH_MODE="disabled")
    done = subprocess.run(
        [*alone, sys.executable, "-m", "hpo_app", *RUN, f"ray.address={address}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 5, done.stderr
    assert f"{address}, whose nodes are {socket.gethostname()}; this machine is none" in done.stderr
    assert f"start --address={address} --num-cpus=0 --num-gpus=0" in done.stderr


@pytest.mark.soak
def test_auto_joins_what_was_started_here_and_nothing_that_it_only_finds(
    hpo, ray_head, tmp_path, monkeypatch
):
    address = ray_head(RAY_AUTH_MODE="disabled")
    done = hpo(*RUN, "ray.address=auto")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"trials run on the Ray cluster at {address}" in done.stdout
    # As on a machine where somebody else, with another folder for such files, has started it.
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "other"))
    said = refusal(hpo, "auto")
    assert "no cluster was started here by `ray start`; other Rays run here, at " in said
    assert address in said
    monkeypatch.setenv("RAY_ADDRESS", address)
    done = hpo(*RUN[:3], "hydra.run.dir=again", "ray.address=auto")
    assert done.returncode == 0, done.stdout + done.stderr
