"""From our searcher to Tune: trials are made when a slot is free, and numbered by us.

Tune has an adapter for searchers of its own kind, but it refuses to work under population-based
training, asks for one trial more than there are slots (so that a model proposes it without the
result it waits for), and names trials at random.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray.tune.search.search_algorithm import SearchAlgorithm

from hpo_app.tuning.attempts import AttemptedTrial


if TYPE_CHECKING:
    from hpo_app.plan.search_space import Params
    from hpo_app.tuning.past import Restart
    from hpo_app.tuning.recorder import Recorder


class TuneSearch(SearchAlgorithm):
    """Hands Tune the trials that the recorder asks the searcher for.

    Attributes:
        num_trials: How many trials to make.
        slots: How many may be there at once; in a population, how many may be there unpaused.
        is_population: Whether all members have to be there before one trains to its end.
    """

    def __init__(
        self, recorder: Recorder, num_trials: int, slots: int, *, is_population: bool = False
    ) -> None:
        self._recorder = recorder
        self.num_trials = num_trials
        self.slots = slots
        self.is_population = is_population
        self._spec: dict[str, Any] = {}

    @property
    def total_samples(self) -> int:
        """How many trials there will be."""
        return self.num_trials

    def add_configurations(self, experiments: Any) -> None:
        """Take Tune's own settings, which every trial gets."""
        (experiment,) = experiments
        self._spec = experiment.spec

    def next_trial(self) -> AttemptedTrial | None:
        """Return a new trial, or None while all slots are taken.

        Tune asks again and again, and does nothing else, if there is no trial left that it could
        train; so None is the answer only while there is one, or after the end.
        """
        if self.is_finished():
            return None
        recorder = self._recorder
        taken = recorder.num_active if self.is_population else recorder.num_alive
        if taken >= self.slots:
            return None
        restart = recorder.next_restart()
        trial = self._restarted(restart) if restart else self._trial(*recorder.ask())
        recorder.watch(trial)
        return trial

    def is_finished(self) -> bool:
        """Return whether no further trial will be made."""
        if self._finished or self._recorder.stop_reason:
            return True
        return not self._recorder.num_restarts and self._recorder.num_asked >= self.num_trials

    def _trial(
        self, number: int, params: Params, seed: int, checkpoint: Path | None = None
    ) -> AttemptedTrial:
        return AttemptedTrial(
            self._spec["run"],
            config={"number": number, "params": params, "seed": seed},
            trial_id=f"{number:06d}",
            storage=self._spec["storage"],
            placement_group_factory=self._spec.get("resources_per_trial"),
            checkpoint_config=self._spec["checkpoint_config"],
            max_failures=self._spec["max_failures"],
            restore_path=str(checkpoint) if checkpoint else None,
            trial_dirname_creator=lambda _: str(number),
        )

    def _restarted(self, restart: Restart) -> AttemptedTrial:
        record = restart.record
        trial = self._trial(record.number, record.params, record.seed, restart.checkpoint)
        # Further checkpoints get numbers of their own, not those of the earlier start.
        trial.storage.current_checkpoint_index = restart.last_index
        # Tune gives a folder that exists another name; this trial goes on in its own.
        trial.relative_logdir = str(record.number)
        trial.storage.trial_dir_name = trial.relative_logdir
        # What earlier attempts wrote tells nothing of this one.
        trial.log_start = _size_of(Path(trial.path, "log.txt"))
        return trial


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
