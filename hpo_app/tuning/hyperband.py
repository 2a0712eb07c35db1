"""HyperBand that fills its brackets, and leaves no trial waiting in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import (
    HyperBandForBOHB,
    HyperBandScheduler,
    TrialScheduler,
    hyperband as of_ray,
)

from hpo_app.tuning.turns import ACTIVE, TakesTurns


if TYPE_CHECKING:
    from collections.abc import Iterator


class Bracket(of_ray._Bracket):
    """A bracket that is filled once, and trains its last trials to the end.

    Ray's takes new trials whenever fewer are left than its stage has room for, and multiplies a
    first milestone that was cut to a whole number: of 16 iterations, the best of a bracket train
    1, 3 and 9, and never 16 (Ray 2.60).
    """

    def filled(self) -> bool:
        """Return whether it takes no more trials; one that left it is not replaced."""
        return bool(len(self._all_trials) >= self._n0)

    @property
    def is_last(self) -> bool:
        """Whether its milestone is the end of training."""
        return bool(self._halves == 0)

    @property
    def num_ready(self) -> int:
        """How many of its trials were let through, and are still paused."""
        return sum(trial.status == Trial.PAUSED for trial in self.trials_to_unpause)

    @property
    def all_wait(self) -> bool:
        """Whether it has trials, and all of them are paused at its milestone."""
        trials = self.current_trials()
        is_paused = all(trial.status == Trial.PAUSED for trial in trials)
        return bool(trials) and is_paused and bool(self.cur_iter_done())

    def successive_halving(self, metric: str, metric_op: float) -> tuple[list[Any], list[Any]]:
        """Return who goes on to the next milestone, and who does not."""
        good, bad = super().successive_halving(metric, metric_op)
        # The slack keeps whole numbers whole.
        self._r = self._cumul_r = int(self._max_t_attr * self._eta**-self._halves + 1e-9)
        return good, bad


class _WithBrackets(TakesTurns, HyperBandScheduler):
    """HyperBand with brackets of ours."""

    def _create_bracket(self, s: int) -> Bracket:
        return Bracket(
            time_attr=self._time_attr,
            max_trials=self._get_n0(s),
            init_t_attr=self._get_r0(s),
            max_t_attr=self._max_t_attr,
            eta=self._eta,
            s=s,
            stop_last_trials=self._stop_last_trials,
        )

    @property
    def num_ready(self) -> int:
        """How many trials were let through, and are still paused.

        Were new ones made first, no trial would end, and no search algorithm learn, before all are.
        """
        return sum(bracket.num_ready for bracket in self._brackets)

    def forget_ended(self) -> None:
        """Let go of trials that Tune ended untold, for want of a worker that can be reused."""
        for bracket in self._brackets:
            for trial in bracket.current_trials():
                if trial.is_finished():
                    bracket.cleanup_trial(trial)

    @property
    def _brackets(self) -> Iterator[Bracket]:
        return (bracket for band in self._hyperbands for bracket in band if bracket is not None)

    @property
    def _trials(self) -> Iterator[Any]:
        """All trials that have not ended."""
        return (trial for bracket in self._brackets for trial in bracket.current_trials())


class HyperBand(_WithBrackets):
    """HyperBand whose brackets are halved once they are full and all of their trials wait.

    Ray's expects all trials from the start. Here one is made when a slot is free, and Ray's would
    halve a bracket among the first that happen to come to its milestone: on one or two slots it
    stops next to nobody. It also looks at a bracket at a report and at an end only, and not at
    every one of these, so that the others wait for ever where the last to come fails, returns
    early, or was trained beyond the next milestone by an earlier start (Ray 2.60).

    Source:
        Li et al. (2018), "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization".
    """

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:  # noqa: ARG002
        """Pause a trial at a milestone, and stop it at the last one."""
        bracket, _ = self._trial_info[trial]
        bracket.update_trial_stats(trial, result)
        if bracket.continue_trial(trial):
            return str(TrialScheduler.CONTINUE)
        return str(TrialScheduler.STOP if bracket.is_last else TrialScheduler.PAUSE)

    def on_trial_remove(self, tune_controller: Any, trial: Any) -> None:  # noqa: ARG002
        """Forget a trial that ended; the others of its bracket are looked at next."""
        bracket, _ = self._trial_info[trial]
        bracket.cleanup_trial(trial)

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """Halve the brackets that it is time for; then choose as Ray does, while there is room."""
        # Tune made what new trials there is room for right before: without any, none will come.
        is_idle = not self.num_ready and all(trial.status not in ACTIVE for trial in self._trials)
        self.forget_ended()
        for bracket in list(self._brackets):
            if bracket.filled() or is_idle or tune_controller.search_alg.asks_no_more:
                self._halve(tune_controller, bracket)
        return self.in_turn(super().choose_trial_to_run(tune_controller), self._trials)

    def _halve(self, tune_controller: Any, bracket: Bracket) -> None:
        if not bracket.all_wait:
            return
        # More than once where all are ahead of the next milestone, too.
        while bracket.all_wait and not bracket.is_last:
            _, bad = bracket.successive_halving(self._metric, self._metric_op)
            self._num_stopped += len(bad)
            for trial in bad:
                tune_controller.stop_trial(trial)
        for trial in bracket.current_trials():
            if bracket.continue_trial(trial):
                bracket.trials_to_unpause.add(trial)
            elif bracket.is_last:
                tune_controller.stop_trial(trial)


class BohbHyperBand(_WithBrackets, HyperBandForBOHB):
    """BOHB's HyperBand, as Ray has it but for the brackets and for how many train at once.

    Source:
        Falkner et al. (2018), "BOHB: Robust and Efficient Hyperparameter Optimization at Scale".
    """

    def choose_trial_to_run(self, tune_controller: Any, allow_recurse: bool = True) -> Any:  # noqa: FBT001, FBT002
        """Choose as Ray does, while there is room."""
        self.forget_ended()
        chosen = super().choose_trial_to_run(tune_controller, allow_recurse)
        return self.in_turn(chosen, self._trials)
