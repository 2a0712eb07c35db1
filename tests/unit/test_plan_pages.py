"""What `action=plan` says of machines and of time."""

from types import SimpleNamespace

import pytest

from hpo_app.actions.plan_rows import node_rows
from hpo_app.actions.plan_time import time_rows
from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError
from hpo_app.plan.capacity import Capacity


NODES = Capacity.of_nodes([(4, 1, 16.0), (4, 1, 15.04), (8, 0, 32.0), (1, 0, 1.0)])
PROBE = {"ray_s": 3.0, "worker_s": 1.0, "iteration_s": 1.993, "memory_gb": 0.5}


def plan_of(*overrides):
    return parse_plan(*compose_config(["search_space=quadratic", *overrides]))


def probe(**fields):
    return SimpleNamespace(**{**PROBE, "checkpoint_bytes": 0, **fields})


def test_nodes_that_are_alike_are_one_row_with_their_slots():
    rows = node_rows(plan_of("resources.cpu=2", "resources.memory_gb=4"), NODES, "the cluster")
    assert rows == [
        ("nodes", "the cluster: 1 with 8 CPUs, 0 GPUs, 32.0 GB of memory: 4 slots"),
        ("", "2 with 4 CPUs, 1 GPUs, 15.0 GB of memory: 2 slots each"),
        ("", "1 with 1 CPUs, 0 GPUs, 1.0 GB of memory: 0 slots"),
        ("memory", "4 GB each, 32 GB at once"),
    ]


def test_one_node_and_memory_that_nobody_counts():
    rows = node_rows(plan_of(), Capacity(2, 0), "this machine")
    assert rows == [
        ("nodes", "this machine: 2 CPUs, 0 GPUs: 2 slots"),
        ("memory", "not counted: resources.memory_gb says what one trial takes"),
    ]


def test_a_cluster_that_nobody_could_ask_is_not_known():
    ((name, text),) = node_rows(plan_of(), None, "10.0.0.1:6379, where nobody listens")
    assert name == "nodes"
    assert text == "not known: 10.0.0.1:6379, where nobody listens"


def test_the_time_of_a_search_that_stops_no_trial():
    rows = time_rows(plan_of("num_trials=4", "training.iterations=30"), 2, probe())
    assert rows == [
        (
            "probe",
            "Ray took 3 s to start, a worker with its imports 1 s, the first iteration 2 s; "
            "0.50 GB of memory",
        ),
        ("search", "at most 2 min 00 s: 2 waves of 30 iterations, none stopped early"),
        ("in all", "at most 2 min 04 s, of it 4 s until the first trial trains"),
        ("", "by a trial alone: beside others, each may take longer"),
    ]


def test_early_stopping_and_confirmation_have_their_own_times():
    plan = plan_of("preset=standard", "time_budget_s=60", "stop.plateau=9")
    rows = time_rows(plan, 1, probe())
    texts = [text for _, text in rows]
    assert texts[1].startswith("at most 45 min 00 s: 50 waves of 27 iterations")
    assert "asha trains" in texts[2]
    assert "simulated over its rungs, 200 times" in texts[2]
    # 33 trainings and a replay of 54 s each.
    assert texts[3].startswith("at most 30 min 36 s: 33 trainings; about ")
    assert texts[4].startswith("at most 1 h 15 min, about ")
    assert texts[5:] == ["time_budget_s ends it after 1 min 00 s", "stop may end it earlier"]


def test_many_slots_wait_for_the_one_driver():
    rows = dict(time_rows(plan_of("num_trials=10000"), 10_000, probe(iteration_s=0.001)))
    # 270 000 reports at 7 ms.
    assert rows["search"].startswith("at most 31 min 30 s: 1 wave")


def test_more_memory_than_the_hint_is_said():
    rows = time_rows(plan_of("resources.memory_gb=0.2"), 1, probe(checkpoint_bytes=2_000_000))
    assert rows[0][1].endswith(
        "0.50 GB of memory, which is more than resources.memory_gb=0.2, a checkpoint of 2.0 MB"
    )


def test_a_probe_that_nobody_reads_is_refused():
    with pytest.raises(PlanError) as refused:
        plan_of("plan.probe=true")
    (problem,) = refused.value.problems
    assert (problem.key, problem.fix) == ("plan.probe", "leave it out, or set action=plan")
    assert plan_of("plan.probe=true", "action=plan").probes
