"""From our searcher to Tune: trials are made when a slot is free, and numbered by us.

Tune has an adapter for searchers of its own kind, but it refuses to work under population-based
training, asks for one trial more than there are slots (so that a model proposes it without the
result it waits for), and names trials at random.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ray.tune.search.search_algorithm import SearchAlgorithm

from hpo_app.study.fresh import Kind, is_fresh, place_of
from hpo_app.tuning.attempts import AttemptedTrial
from hpo_app.tuning.trainable import JUDGED


if TYPE_CHECKING:
    from pathlib import Path

    from hpo_app.plan.search_space import Params
    from hpo_app.study.records import TrialRecord
    from hpo_app.tuning.past import Restart
    from hpo_app.tuning.recorder import Recorder
    from hpo_app.tuning.turns import TakesTurns


class TuneSearch(SearchAlgorithm):
    """Hands Tune the trials that the recorder asks the searcher for.

    Attributes:
        num_trials: How many trials to make.
        slots: How many may be there at once; where a scheduler pauses, how many unpaused.
        does_pause: Whether the scheduler pauses trials until others have come as far.
        turns: The scheduler, if it says which of those are to go on before a new one is made.
        searcher: Ray's searcher behind ours, if there is one: schedulers that are made for one
            talk to it.
        store: Where the states of trials are kept.
    """

    def __init__(
        self,
        recorder: Recorder,
        num_trials: int,
        slots: int,
        *,
        does_pause: bool = False,
        turns: TakesTurns | None = None,
        searcher: Any = None,
    ) -> None:
        self._recorder = recorder
        self.num_trials = num_trials
        self.slots = slots
        self.does_pause = does_pause
        self.turns = turns
        self.searcher = searcher
        self.store = recorder.storage.store
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
        taken = recorder.alive.num_active if self.does_pause else len(recorder.alive)
        taken += self.turns.num_ready if self.turns is not None else 0
        if taken >= self.slots:
            return None
        trial = self._next()
        if trial is not None:
            recorder.alive.hold(trial)
        return trial

    def _next(self) -> AttemptedTrial | None:
        recorder = self._recorder
        restart = recorder.next_restart()
        if restart:
            return self._restarted(restart)
        if self._is_searched:
            # Nobody knows who is worth a fresh seed while the search goes on.
            repeat = None if recorder.is_searching else recorder.repeat()
            return self._repeated(repeat) if repeat else None
        asked = recorder.ask()
        return self._trial(*asked) if asked else None

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Pass on what BOHB's scheduler says of a report to its searcher."""
        if self.searcher is not None and not is_fresh(int(trial_id)):
            told = {**result, self.searcher.metric: result[JUDGED]}
            self.searcher.on_trial_result(trial_id, told)

    def is_finished(self) -> bool:
        """Return whether no further trial will be made."""
        recorder = self._recorder
        if self._finished or recorder.stop_reason:
            return True
        return self._is_searched and not recorder.num_restarts and recorder.confirming.is_over

    @property
    def asks_no_more(self) -> bool:
        """Whether the search makes no further trial; a confirmation may follow."""
        return self.is_finished() or (self._is_searched and not self._recorder.num_restarts)

    @property
    def _is_searched(self) -> bool:
        """Whether the search asks for no further trial."""
        recorder = self._recorder
        return recorder.ending.is_searched or recorder.num_asked >= self.num_trials

    def _trial(
        self,
        number: int,
        params: Params,
        seed: int,
        *,
        is_replay: bool = False,
        checkpoint: Path | None = None,
    ) -> AttemptedTrial:
        kind: dict[str, Any] = {"is_replay": True} if is_replay else {}
        if is_replay and self.store.key:
            # The run folder may be out of the worker's sight.
            kind["best"] = (self.store.folder / "best.yaml").read_text(encoding="utf-8")
        trial = AttemptedTrial(
            self._spec["run"],
            config={"number": number, "params": params, "seed": seed, **kind},
            trial_id=f"{number:06d}",
            storage=self._spec["storage"],
            placement_group_factory=self._spec.get("resources_per_trial"),
            checkpoint_config=self._spec["checkpoint_config"],
            max_failures=self._spec["max_failures"],
            trial_dirname_creator=lambda _: place_of(number),
        )
        trial.place, trial.store = place_of(number), self.store
        if checkpoint is not None:
            trial.go_on_from(self.store.of_ray(checkpoint))
        return trial

    def _repeated(self, record: TrialRecord) -> AttemptedTrial:
        is_replay = record.fresh is not None and record.fresh.kind is Kind.REPLAY
        return self._trial(record.number, record.params, record.seed, is_replay=is_replay)

    def _restarted(self, restart: Restart) -> AttemptedTrial:
        record = restart.record
        trial = self._trial(
            record.number,
            record.params,
            record.seed,
            is_replay=record.fresh is not None and record.fresh.kind is Kind.REPLAY,
            checkpoint=restart.checkpoint,
        )
        # Further checkpoints get numbers of their own, not those of the earlier start.
        trial.storage.current_checkpoint_index = restart.last_index
        # Tune gives a folder that exists another name; this trial goes on in its own.
        trial.relative_logdir = place_of(record.number)
        trial.storage.trial_dir_name = trial.relative_logdir
        # What earlier attempts wrote tells nothing of this one.
        trial.log_start = _size_of(trial.log_path)
        return trial


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
