"""A cluster that is not there is said at once."""

import pytest


@pytest.mark.ray
def test_a_cluster_where_nobody_listens_is_a_message_within_seconds(hpo):
    done = hpo("search_space=quadratic", "num_trials=2", "ray.address=127.0.0.1:1", timeout_s=60)
    assert done.returncode == 5
    assert "ray.address" in done.stderr
    assert "Traceback" not in done.stderr
