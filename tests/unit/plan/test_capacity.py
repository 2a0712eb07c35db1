"""How many trials fit: by CPU, by card, by limit."""

import pytest

from hpo_app.plan.capacity import Capacity, this_machine
from hpo_app.plan.run_plan import Cluster, Resources


TWO_NODES = Capacity.of_nodes([(1, 0), (1, 0)])
UNLIKE = Capacity.of_nodes([(16, 0), (4, 2)])


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
        pytest.param(Capacity(64, 1), Resources(1, 0.3333, None), 3, id="a third of a card"),
        pytest.param(Capacity(64, 4), Resources(1, 2, None), 2, id="two cards each"),
        pytest.param(Capacity(64, 4), Resources(1, 1.5, None), 0, id="no card and a half"),
        pytest.param(TWO_NODES, Resources(2, 0, None), 0, id="no trial spans two nodes"),
        pytest.param(TWO_NODES, Resources(0.5, 0, None), 4, id="two on each node"),
        pytest.param(UNLIKE, Resources(8, 1, None), 0, id="the cards are on the small node"),
        pytest.param(UNLIKE, Resources(3, 0, None), 6, id="five on one node, one on the other"),
    ],
)
def test_slots(capacity, resources, slots):
    assert capacity.slots(resources) == slots


def test_the_largest_of_each_is_named_though_no_node_has_both():
    assert (UNLIKE.cpus, UNLIKE.gpus) == (16, 2)
    assert UNLIKE.nodes == ((16, 0), (4, 2))
    assert Capacity.of_nodes([]).slots(Resources(1, 0, None)) == 0


def test_a_limited_local_ray_offers_what_it_was_limited_to():
    cluster = Cluster("local", num_cpus=3, num_gpus=1, dashboard=False)
    assert this_machine(cluster) == Capacity(3, 1)


def test_hidden_cards_do_not_count(monkeypatch):
    cluster = Cluster("local", num_cpus=1, num_gpus=None, dashboard=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,3")
    assert this_machine(cluster).gpus == 2
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert this_machine(cluster).gpus == 0
