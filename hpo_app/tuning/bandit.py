"""Population-based training whose changes are chosen by a model of what they brought so far."""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hpo_app.plan.search_space import Choice
from hpo_app.tuning.pbt import PopulationTraining


if TYPE_CHECKING:
    from collections.abc import Iterable

    from hpo_app.plan.search_space import Params, SearchSpace
    from hpo_app.study.journal import Event
    from hpo_app.study.records import Study

# Ray's own limit, so that the model stays quick.
_MOST_ROWS = 1000


class _Seen(NamedTuple):
    """A member at one look: how far it was, with which values, and how good."""

    time: int
    position: tuple[float, ...]
    score: float


class PopulationBandit(PopulationTraining):
    """PB2 over our search space: a Gaussian process proposes what a copying member goes on with.

    The model and its search are Ray's. Ray feeds them raw values, so that a logarithmic parameter
    is searched on a linear scale; here they see positions, each in its own scale, and so stay
    inside the bounds too. Parameters without an order stay as they were copied.

    Source:
        Parker-Holder et al. (2020), "Provably Efficient Online Hyperparameter Optimization with
        Population-Based Bandits".
    """

    def __init__(self, space: SearchSpace, *, seed: int = 0, **arguments: Any) -> None:
        super().__init__(space, seed=seed, **arguments)
        self._names = [name for name in space.mutable if _has_order(space[name])]
        self._source = -1
        self._seen: dict[int, list[_Seen]] = {}
        self._chosen: list[tuple[float, ...]] = []
        self._chosen_at = 0

    def remember(self, study: Study, events: Iterable[Event]) -> None:
        """Take over what the members of an earlier start reported with which values."""
        super().remember(study, events)
        params: dict[int, Params] = {}
        for event in events:
            number = event.fields.get("trial", -1)
            if event.name in {"asked", "cloned"}:
                params[number] = event.fields["params"]
            elif event.name == "reported" and number in params:
                iteration = event.fields["iteration"]
                if iteration % self._perturbation_interval == 0:
                    judged = study.criteria.judged(event.fields["metrics"])
                    self._note(number, iteration, params[number], judged)

    def _save_trial_state(self, state: Any, time: int, result: dict[str, Any], trial: Any) -> Any:
        score = super()._save_trial_state(state, time, result, trial)
        value = self._metric_op * score
        self._note(trial.config["number"], time, trial.config["params"], value)
        return score

    def _note(self, number: int, time: int, params: Params, value: float) -> None:
        whole = self._space.complete(params)  # An inactive parameter stands at its default.
        position = tuple(self._space[name].position(whole[name]) for name in self._names)  # type: ignore[arg-type]
        rows = self._seen.setdefault(number, [])
        rows.append(_Seen(time, position, self._metric_op * value))

    def _get_new_config(self, trial: Any, trial_to_clone: Any) -> tuple[dict[str, Any], Any]:
        self._source = trial_to_clone.config["number"]
        return super()._get_new_config(trial, trial_to_clone)

    def mutate(self, params: Params) -> Params:
        """Return `params` with every ordered, mutable value where the model expects most of it.

        As in `PopulationTraining` while there is too little to learn from.
        """
        rows = self._changes()
        newest = [row for number, row in rows if number == self._source]
        if len(rows) < 2 or not newest or not self._names:
            return super().mutate(params)
        position = self._select(np.array([row for _, row in rows]), newest[-1])
        moved = {
            name: self._space[name].at(min(max(float(place), 0.0), 1.0))
            for name, place in zip(self._names, position, strict=True)
        }
        chosen = self._space.active({**self._space.complete(params), **moved})
        # Its model knows nothing of the rules.
        return chosen if self._space.keeps(chosen) else super().mutate(params)

    def _changes(self) -> list[tuple[int, tuple[float, ...]]]:
        """Return `(member, (time, score before, position…, gain per iteration))`, by time."""
        rows = []
        for number, seen in self._seen.items():
            for before, after in itertools.pairwise(seen):
                # What a change of values brought is not known: the score is of other weights.
                if after.position == before.position and after.time > before.time:
                    gain = (after.score - before.score) / (after.time - before.time)
                    rows.append((number, (after.time, before.score, *after.position, gain)))
        return sorted(rows, key=lambda row: row[1][0])[-_MOST_ROWS:]

    def _select(self, rows: np.ndarray, newest: tuple[float, ...]) -> np.ndarray:
        # Not above: it needs scikit-learn, which no other scheduler does.
        from ray.tune.schedulers.pb2 import _select_config  # noqa: PLC0415

        latest = int(rows[:, 0].max())
        if latest > self._chosen_at:
            self._chosen, self._chosen_at = [], latest
        current = np.array(self._chosen) if self._chosen else None
        bounds = dict.fromkeys(self._names, (0.0, 1.0))
        now = np.array(newest[:2])
        # It draws its starting points from NumPy's global generator, which a step of the
        # population has seeded (`_checkpoint_or_exploit`).
        np.random.seed(self._random.randrange(2**32))  # noqa: NPY002
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # That a fit ended at a bound helps nobody.
            chosen = _select_config(rows[:, :-1], rows[:, -1], current, now, bounds, 2)
        self._chosen.append(tuple(float(place) for place in chosen))
        return np.asarray(chosen)


def _has_order(parameter: Any) -> bool:
    return not isinstance(parameter, Choice) or parameter.is_ordered
