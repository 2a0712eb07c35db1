"""What Hydra has to know of us before it composes."""

from __future__ import annotations

from hydra.core.plugins import Plugins

from hpo_app.errors import Problem, TrainingError
from hpo_app.sweeps.on_ray import SearchesOnRay
from hpo_app.sweeps.one_by_one import OneByOne


# Named in conf/config.yaml.
CALLBACK = "hpo_app.sweeps.results.SweepResults"
# How Optuna says that there is nothing to choose the best of.
NO_RESULT = "No trials are completed"


def register_launchers() -> None:
    """Make our launchers known to Hydra, which looks for plugins in a package of its own only."""
    for launcher in (OneByOne, SearchesOnRay):
        Plugins.instance().register(launcher)


def without_results(error: ValueError) -> TrainingError:
    """Return the message for a sweeper that ended without a single result to choose from."""
    expected = "at least one search with a value of its objective"
    fix = "look at what the searches said above, and try one of them alone"
    return TrainingError([Problem("hydra/sweeper", " ".join(str(error).split()), expected, fix)])
