"""A search in front of a view of one's own."""

import pytest


@pytest.fixture
def viewed_search(local_ray, tmp_path):
    """Run a search that tells a given view, in `tmp_path`."""
    from hpo_app.config.compose import compose_config
    from hpo_app.config.parse import parse_plan
    from hpo_app.tuning.runner import run_search

    def run(view, *overrides):
        plan = parse_plan(*compose_config(["search_space=quadratic", *overrides]))
        return run_search(plan, tmp_path, view, {})

    return run


@pytest.fixture
def silent_view():
    """A view that shows nothing."""

    class SilentView:
        def changed(self, event, trial):
            pass

        def refresh(self, elapsed_s):
            pass

        def notice(self, text):
            pass

    return SilentView()
