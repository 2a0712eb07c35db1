"""Search algorithms of a person's own, for tests."""

import optuna
from ray.tune.search import Searcher


class MiddleSampler(optuna.samplers.RandomSampler):
    """Draw at random, but keep x near the middle of its range."""

    def sample_independent(self, study, trial, name, distribution):
        if name == "x":
            low, high = distribution.low, distribution.high
            return (low + high) / 2 + 0.01 * (high - low) * (trial.number % 3)
        return super().sample_independent(study, trial, name, distribution)


class Strange(Searcher):
    """Propose what is asked for in `way`: nothing, too little, or what lies outside."""

    def __init__(self, way="outside"):
        super().__init__()
        self.way = way

    def set_search_properties(self, metric, mode, config, **_):
        self._metric, self._mode, self.space = metric, mode, config
        return True

    def suggest(self, _):
        if self.way == "nothing":
            return None
        if self.way == "short":
            return {}
        return dict.fromkeys(self.space, 7.5 if self.way == "outside" else 0)

    def on_trial_complete(self, *_, **__):
        if self.way == "raises":
            raise RuntimeError("boom")


class FivePoints(Searcher):
    """Propose five points along the diagonal of the space, and no more."""

    def __init__(self, step=0.2):
        super().__init__()
        self.step, self.left, self.told = step, 5, {}

    def set_search_properties(self, metric, mode, config, **_):
        self._metric, self._mode, self.space = metric, mode, config
        return True

    def suggest(self, _):
        if not self.left:
            return Searcher.FINISHED
        self.left -= 1
        place = self.step * (5 - self.left) - self.step / 2
        numbers = {name: place for name in self.space if name != "kind"}
        return {**numbers, "kind": 0}

    def on_trial_complete(self, trial_id, result=None, error=False):
        self.told[trial_id] = None if error else result[self.metric]
