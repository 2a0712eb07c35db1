"""What a cluster offers, and what it can never hold."""

from types import SimpleNamespace

import pytest

from hpo_app.errors import ResourceError
from hpo_app.plan.capacity import Capacity, Node
from hpo_app.plan.run_plan import Resources
from hpo_app.tuning.session import capacity_of, refuse_misfit


NODES = [
    {"Alive": True, "Resources": {"CPU": 16.0, "memory": 1e9}},
    {"Alive": True, "Resources": {"CPU": 4.0, "GPU": 2.0}},
    {"Alive": False, "Resources": {"CPU": 64.0}},
    {"Alive": True, "Resources": {}},
]


def test_nodes_that_left_offer_nothing():
    nodes = ((16.0, 0.0, 1.0), (4.0, 2.0, 0.0), (0.0, 0.0, 0.0))
    assert capacity_of(NODES).nodes == tuple(Node(*node) for node in nodes)


def test_what_fits_on_no_single_node_is_refused():
    plan = SimpleNamespace(resources=Resources(8, 1, None))
    with pytest.raises(ResourceError, match=r"cpu=8, gpu=1\n.*cpu=16, gpu=0 or|cpu=4, gpu=2"):
        refuse_misfit(plan, capacity_of(NODES))
    refuse_misfit(SimpleNamespace(resources=Resources(4, 1, None)), capacity_of(NODES))


def test_more_memory_than_any_node_has_is_refused():
    plan = SimpleNamespace(resources=Resources(1, 0, None, 2.5))
    with pytest.raises(
        ResourceError, match=r"at most 1, the gigabytes of memory .*\n  fix  .* to 1,"
    ):
        refuse_misfit(plan, capacity_of(NODES))
    apart = SimpleNamespace(resources=Resources(1, 1, None, 0.5))
    with pytest.raises(ResourceError, match=r"cpu=1, gpu=1, memory_gb=0.5\n.*memory_gb=1 or .*"):
        refuse_misfit(apart, capacity_of(NODES))
    assert capacity_of(NODES).slots(Resources(1, 0, None, 0.5)) == 2


def test_two_small_nodes_do_not_hold_a_large_trial():
    plan = SimpleNamespace(resources=Resources(2, 0, None))
    with pytest.raises(ResourceError, match=r"resources\.cpu"):
        refuse_misfit(plan, Capacity.of_nodes([(1, 0), (1, 0)]))
