"""How many trials fit: by CPU, by card, by memory, by limit."""

import math
import os
from pathlib import Path

import pytest

from hpo_app.plan.capacity import Capacity, Node, this_machine
from hpo_app.plan.memory import free_memory_gb
from hpo_app.plan.run_plan import Cluster, Resources


TWO_NODES = Capacity.of_nodes([(1, 0), (1, 0)])
UNLIKE = Capacity.of_nodes([(16, 0), (4, 2)])
TWO_CARDS_APART = Capacity.of_nodes([(64, 1), (64, 1)])
BY_MEMORY = Capacity.of_nodes([(64, 0, 10.0), (64, 0, 3.9)])


@pytest.mark.parametrize(
    ("capacity", "resources", "slots"),
    [
        pytest.param(Capacity(8, 0), Resources(1, 0, None), 8, id="one per CPU"),
        pytest.param(Capacity(8, 0), Resources(3, 0, None), 2, id="a rest is left over"),
        pytest.param(Capacity(2, 0), Resources(0.5, 0, None), 4, id="two on a CPU"),
        pytest.param(Capacity(8, 0), Resources(1, 0, 3), 3, id="limited"),
        pytest.param(Capacity(8, 0, share=2), Resources(1, 0, 3), 2, id="shared with others"),
        pytest.param(Capacity(1, 0), Resources(2, 0, None), 0, id="does not fit"),
        pytest.param(Capacity(64, 2), Resources(1, 0.4, None), 4, id="two on each card, not five"),
        pytest.param(Capacity(64, 1), Resources(1, 0.4, None), 2, id="the third on a card waits"),
        pytest.param(TWO_CARDS_APART, Resources(1, 0.4, None), 4, id="two on the card of each"),
        pytest.param(Capacity(64, 1), Resources(1, 0.3333, None), 3, id="a third of a card"),
        pytest.param(Capacity(64, 4), Resources(1, 2, None), 2, id="two cards each"),
        pytest.param(Capacity(64, 4), Resources(1, 1.5, None), 0, id="no card and a half"),
        pytest.param(TWO_NODES, Resources(2, 0, None), 0, id="no trial spans two nodes"),
        pytest.param(TWO_NODES, Resources(0.5, 0, None), 4, id="two on each node"),
        pytest.param(UNLIKE, Resources(8, 1, None), 0, id="the cards are on the small node"),
        pytest.param(UNLIKE, Resources(3, 0, None), 6, id="five on one node, one on the other"),
        pytest.param(BY_MEMORY, Resources(1, 0, None, 2.0), 6, id="memory of two nodes"),
        pytest.param(BY_MEMORY, Resources(1, 0, None, 4.0), 2, id="none spans their memory"),
        pytest.param(BY_MEMORY, Resources(40, 0, None, 2.0), 2, id="memory is left over"),
        pytest.param(BY_MEMORY, Resources(1, 0, None), 128, id="memory is not counted"),
        pytest.param(Capacity(8, 0), Resources(1, 0, None, 9.0), 8, id="nobody knows its memory"),
    ],
)
def test_slots(capacity, resources, slots):
    assert capacity.slots(resources) == slots


def test_the_largest_of_each_is_named_though_no_node_has_both():
    assert (UNLIKE.cpus, UNLIKE.gpus) == (16, 2)
    assert UNLIKE.nodes == (Node(16, 0), Node(4, 2))
    assert BY_MEMORY.memory_gb == 10
    assert Capacity.of_nodes([]).slots(Resources(1, 0, None)) == 0


def test_a_limited_local_ray_offers_what_it_was_limited_to():
    cluster = Cluster("local", num_cpus=3, num_gpus=1, dashboard=False)
    offered = this_machine(cluster)
    assert (offered.cpus, offered.gpus) == (3, 1)


def test_hidden_cards_do_not_count(monkeypatch):
    cluster = Cluster("local", num_cpus=1, num_gpus=None, dashboard=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,3")
    assert this_machine(cluster).gpus == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert this_machine(cluster).gpus == 0


@pytest.mark.skipif(not Path("/proc/meminfo").exists(), reason="memory is read from Linux")
def test_the_memory_that_is_free_is_some_and_not_more_than_there_is():
    total_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    assert 0 < free_memory_gb() < total_gb
    cluster = Cluster("local", num_cpus=1, num_gpus=None, dashboard=False)
    assert math.isclose(this_machine(cluster).memory_gb, free_memory_gb(), rel_tol=0.3)
