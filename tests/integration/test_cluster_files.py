"""The files of scripts/cluster are what Ray, KubeRay and Slurm take."""

import os
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan


ROOT = Path(__file__).parents[2]
FILES = ROOT / "scripts" / "cluster"
# Of the resource definition of KubeRay's RayJob (ray.io/v1), from a checkout of 2026-08-19.
KEYS = {
    "spec": {
        "activeDeadlineSeconds", "backoffLimit", "clusterSelector", "deletionStrategy",
        "entrypoint", "entrypointNumCpus", "entrypointNumGpus", "entrypointResources", "jobId",
        "managedBy", "metadata", "preRunningDeadlineSeconds", "rayClusterSpec", "runtimeEnvYAML",
        "shutdownAfterJobFinishes", "submissionMode", "submitterConfig", "submitterPodTemplate",
        "suspend", "ttlSecondsAfterFinished",
    },
    "rayClusterSpec": {
        "authOptions", "autoscalerOptions", "enableInTreeAutoscaling", "gcsFaultToleranceOptions",
        "headGroupSpec", "headServiceAnnotations", "historyServerOptions", "managedBy",
        "networkPolicy", "rayVersion", "suspend", "tlsOptions", "upgradeStrategy",
        "workerGroupSpecs",
    },
    "headGroupSpec": {
        "enableIngress", "headService", "ingressOptions", "labels", "rayStartParams", "resources",
        "serviceType", "template",
    },
    "workerGroupSpecs": {
        "groupName", "idleTimeoutSeconds", "labels", "maxReplicas", "minReplicas", "numOfHosts",
        "priority", "rayStartParams", "replicas", "resources", "scaleStrategy", "suspend",
        "template",
    },
}  # fmt: skip


@pytest.fixture
def job():
    job, claim = yaml.safe_load_all((FILES / "rayjob.yaml").read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    assert claim["kind"] == "PersistentVolumeClaim"
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    return job


def groups_of(job):
    cluster = job["spec"]["rayClusterSpec"]
    return [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]


def test_ray_up_takes_the_file_for_ones_own_machines():
    from jsonschema import ValidationError
    from ray.autoscaler._private.util import prepare_config, validate_config

    written = yaml.safe_load((FILES / "machines.yaml").read_text())
    whole = prepare_config(written)
    validate_config(whole)
    count = len(written["provider"]["worker_ips"])
    assert whole["max_workers"] == count
    (kind,) = whole["available_node_types"].values()
    assert kind["min_workers"] == count
    with pytest.raises(ValidationError, match="start_commands"):
        validate_config({**whole, "start_commands": []})


def test_kuberay_takes_the_job(job):
    spec = job["spec"]
    head, workers = groups_of(job)
    assert set(spec) <= KEYS["spec"]
    assert set(spec["rayClusterSpec"]) <= KEYS["rayClusterSpec"]
    assert set(head) <= KEYS["headGroupSpec"]
    assert set(workers) <= KEYS["workerGroupSpecs"]
    assert {"groupName", "minReplicas", "maxReplicas", "template"} <= set(workers)
    given = [value for group in (head, workers) for value in group["rayStartParams"].values()]
    assert given == ["0"]  # Text, and no number: it goes to a command line.


def test_all_pods_of_the_job_see_the_same_runs(job):
    images = set()
    for pod in (group["template"]["spec"] for group in groups_of(job)):
        (container,) = pod["containers"]
        (volume,) = pod["volumes"]
        assert container["volumeMounts"] == [{"name": volume["name"], "mountPath": "/shared"}]
        assert volume["persistentVolumeClaim"] == {"claimName": "hpo-app-runs"}
        assert container["resources"]["limits"] == container["resources"]["requests"]
        images.add(container["image"])
    assert len(images) == 1


def test_what_the_job_starts_is_a_search_of_ours(job):
    python, flag, module, *overrides = shlex.split(job["spec"]["entrypoint"])
    assert (python, flag, module) == ("python", "-m", "hpo_app")
    config = [text for text in overrides if not text.startswith("hydra.")]
    assert parse_plan(*compose_config(config)).cluster.address == "auto"
    version = job["spec"]["rayClusterSpec"]["rayVersion"]
    pinned = re.search(r'"ray\[tune\]>=2\.(\d+),<2\.(\d+)"', (ROOT / "pyproject.toml").read_text())
    assert int(pinned[1]) <= int(version.split(".")[1]) < int(pinned[2])


def test_bash_can_read_the_script_for_slurm():
    script = FILES / "slurm.sh"
    assert script.stat().st_mode & stat.S_IXUSR
    subprocess.run(["bash", "-n", str(script)], check=True)


@pytest.mark.ray
@pytest.mark.soak
def test_the_script_for_slurm_searches_on_all_nodes(tmp_path):
    # What Slurm does is to start a command on a node; here, all nodes are this machine.
    command(tmp_path / "srun", 'while [[ $1 == --* ]]; do shift; done; exec "$@"')
    command(tmp_path / "scontrol", "echo here; echo beside")
    number = 100_000 + os.getpid()
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
        "HPO_PYTHON": sys.executable,
        "SLURM_JOB_NODELIST": "node[1-2]",
        "SLURM_JOB_ID": str(number),
        "SLURM_CPUS_PER_TASK": "1",
    }
    run = ["search_space=quadratic", "num_trials=4", "training.iterations=2", "hydra.run.dir=run"]
    done = subprocess.run(
        ["bash", str(FILES / "slurm.sh"), *run],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ": 2 nodes, 2 CPUs, 0 GPUs" in done.stdout
    assert "4 of 4 trials" in done.stdout
    mark = f"/tmp/ray-{number}".encode()
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if mark in text_of(path)]


def command(path, text):
    path.write_text(f"#!/bin/bash\n{text}\n")
    path.chmod(0o755)


def text_of(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""
