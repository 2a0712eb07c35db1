#!/bin/bash
# A search on the nodes of a Slurm allocation: Ray starts on each, and the search on the first. See
# CLUSTERS.md. Run with a stand-in for srun, not on a real Slurm.
#
#   sbatch scripts/cluster/slurm.sh search_space=ppo preset=production hydra.run.dir=/shared/runs/one
#   sbatch scripts/cluster/slurm.sh action=resume run=/shared/runs/one      after the time was up
#
# Submit it from the checkout of hpo_app, on a file system that all nodes share.
#SBATCH --job-name=hpo_app
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=32G
#SBATCH --time=08:00:00
# Two minutes before the time is up: the search ends in order, and can be resumed.
#SBATCH --signal=B:USR1@120
# For cards add: #SBATCH --gpus-per-node=4
set -euo pipefail

python=${HPO_PYTHON:-$PWD/.venv/bin/python}
ray=$(dirname "$python")/ray
cpus=${SLURM_CPUS_PER_TASK:-1}
mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes[0]}
# Several jobs may share a node; a job's number gives each a port of its own.
port=$((20000 + SLURM_JOB_ID % 10000))

# Who does not know the token of this job does not get into its Ray, whatever else runs on the nodes.
export RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$("$python" -c 'import secrets; print(secrets.token_hex(32))')
export RAY_AUTH_TOKEN
# Sockets need short names, and the folders of two jobs must not meet.
temp=/tmp/ray-$SLURM_JOB_ID

on_node() { # node command…: the process itself is to be srun, so that `kill` ends it on the node
  local node=$1
  shift
  # --overlap, because the search runs beside Ray on the first node.
  exec srun --nodes=1 --ntasks=1 --overlap --nodelist="$node" --cpus-per-task="$cpus" "$@"
}
address=$(on_node "$head" hostname --ip-address | awk '{ print $1 }'):$port

started=()
# At the end, however it comes, Ray ends on all nodes.
trap 'kill "${started[@]}" 2>/dev/null || true; wait "${started[@]}" 2>/dev/null || true' EXIT
on_node "$head" "$ray" start --head --block --port="$port" --node-ip-address="${address%:*}" \
  --num-cpus="$cpus" --temp-dir="$temp" --include-dashboard=false &
started+=($!)
for _ in $(seq 60); do
  "$ray" health-check --address "$address" >/dev/null 2>&1 && break
  sleep 1
done
for node in "${nodes[@]:1}"; do
  on_node "$node" "$ray" start --block --address="$address" --num-cpus="$cpus" &
  started+=($!)
done

# Each node is asked before the first trial whether it reaches the run folder: all are to be there.
"$python" - "$address" "${#nodes[@]}" <<'EOF'
import sys, time
import ray

ray.init(address=sys.argv[1], log_to_driver=False, logging_level="CRITICAL")
for _ in range(300):
    if sum(node["Alive"] for node in ray.nodes()) >= int(sys.argv[2]):
        break
    time.sleep(1)
else:
    print("Ray has not started on all nodes; the search takes those that are there", file=sys.stderr)
EOF

"$python" -m hpo_app ray.address="$address" "$@" &
search=$!
# Slurm tells this script only, and a shell hands nothing on by itself.
trap 'kill -USR1 "$search"' USR1
trap 'kill -TERM "$search"' TERM
code=0
wait "$search" || code=$?
while kill -0 "$search" 2>/dev/null; do # a signal ends `wait`, and not the search
  code=0
  wait "$search" || code=$?
done
exit "$code"
