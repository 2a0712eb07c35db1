"""From past trials to the next parameters: ask and tell over any Optuna sampler.

Optuna is told the truth. A trial that trained to its end is COMPLETE. One that the scheduler
stopped is PRUNED with its curve, so that a model never takes its early value for a final one. One
that crashed or reported nothing usable is FAIL. Ray's own wrapper reports a stopped trial as
complete, and leaves one that reported NaN running for ever (measured with Ray 2.60).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import optuna
from optuna.study import StudyDirection
from optuna.trial import TrialState as OptunaState

from hpo_app.errors import Problem, RunFolderError
from hpo_app.plan.run_plan import Mode
from hpo_app.search.distributions import to_distributions, to_drawn, to_params
from hpo_app.study.earlier import EarlierTrial
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hpo_app.plan.run_plan import Objective
    from hpo_app.plan.search_space import Params, SearchSpace
    from hpo_app.study.journal import Event
    from hpo_app.study.records import Study

_TOLD_AS = {
    TrialState.FINISHED: OptunaState.COMPLETE,
    TrialState.STOPPED: OptunaState.PRUNED,
    TrialState.INTERRUPTED: OptunaState.PRUNED,
    TrialState.FAILED: OptunaState.FAIL,
}


class Searcher:
    """Proposes the parameters of the next trial, and learns from what became of the others.

    Attributes:
        num_asked: How many trials were asked for; the next one gets this number.

    Source:
        Optuna's ask-and-tell interface, https://optuna.readthedocs.io.
    """

    def __init__(self, space: SearchSpace, objective: Objective, sampler: Any) -> None:
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = space
        self._objective = objective
        self._distributions = to_distributions(space)
        is_max = objective.mode is Mode.MAX
        direction = StudyDirection.MAXIMIZE if is_max else StudyDirection.MINIMIZE
        self._study = optuna.create_study(sampler=sampler, direction=direction)
        self._open: dict[int, optuna.trial.Trial] = {}
        self.num_asked = 0

    def ask(self) -> tuple[int, Params, bool]:
        """Return number, parameters and whether this is the default configuration."""
        number = self.num_asked
        is_default = number == 0 and self._space.has_defaults
        if is_default:
            self._study.enqueue_trial(to_drawn(self._space, self._space.defaults))
        trial = self._study.ask(self._distributions)
        self._open[number] = trial
        self.num_asked += 1
        # The default is handed over as it was written: a rank or a share loses nothing, but a
        # default between two steps of a range would move.
        params = self._space.defaults if is_default else to_params(self._space, trial.params)
        return number, params, is_default

    def learn(self, earlier: Iterable[EarlierTrial]) -> None:
        """Tell the sampler of trials of other runs; they get no number in this one."""
        for trial in earlier:
            known = optuna.trial.create_trial(
                state=_TOLD_AS[trial.state],
                value=trial.curve[-1][1],
                params=to_drawn(self._space, trial.params),
                distributions=self._distributions,
                intermediate_values=dict(trial.curve),
            )
            self._study.add_trial(known)

    def replay(self, events: Iterable[Event], study: Study) -> int:
        """Bring the sampler to where it stood after `events`, by asking and telling all again.

        A sampler that is asked and told in the same order draws the same, so that its random
        numbers go on where they stopped. Where it draws otherwise (another release of Optuna),
        what the journal says is put in its place. Trials that were cut off stay open.

        Args:
            events: The journal, in order.
            study: What it tells of.

        Returns:
            How many trials the sampler drew otherwise.

        Raises:
            RunFolderError: If a trial has other parameters than the search space.
        """
        self._refuse_strangers(events)
        records = {trial.number: trial for trial in study.trials}
        num_otherwise = 0
        for event in events:
            number = event.fields.get("trial", -1)
            if event.name == "opened":
                self.learn(map(EarlierTrial.from_fields, event.fields.get("learned", ())))
            elif event.name == "asked":
                num_otherwise += not self._ask_again(event.fields["params"])
            elif event.name == "ended" and self._counts(event):
                curve = records[number].curve(self._objective.metric)
                self.tell(number, TrialState(event.fields["state"]), curve)
        return num_otherwise

    def _refuse_strangers(self, events: Iterable[Event]) -> None:
        problems = []
        for whose, params in _params_in(events):
            strange = [f"{name}={str(value)[:60]}" for name, value in self._outside(params)]
            missing = [f"no {name}" for name in self._space if name not in params]
            for got in (*strange, *missing):
                expected = "each parameter of the search space, with a value inside it"
                fix = "restore the run folder from a copy, or start a new run"
                problems.append(Problem(f"{whose} in the journal", got, expected, fix))
        if problems:
            raise RunFolderError(problems[:5])

    def _outside(self, params: Params) -> Iterator[tuple[str, object]]:
        for name, value in params.items():
            if name not in self._space.parameters or not self._space[name].contains(value):
                yield name, value

    def _counts(self, event: Event) -> bool:
        is_open = event.fields["trial"] in self._open
        return is_open and event.fields["state"] != TrialState.INTERRUPTED

    def _ask_again(self, params: Params) -> bool:
        number, drawn, _ = self.ask()
        if drawn == params:
            return True
        self._study.tell(self._open.pop(number), state=OptunaState.FAIL)
        self._study.enqueue_trial(to_drawn(self._space, params))
        self._open[number] = self._study.ask(self._distributions)
        return False

    def tell(self, number: int, state: TrialState, curve: Sequence[tuple[int, float]]) -> str:
        """Say what became of a trial.

        Args:
            number: Number of the trial.
            state: How it ended.
            curve: `(iteration, value)` of all its reports.

        Returns:
            The state that the sampler was told.
        """
        trial = self._open.pop(number)
        told = _TOLD_AS[state] if curve else OptunaState.FAIL
        for iteration, value in curve:
            trial.report(value, iteration)
        last = curve[-1][1] if told is OptunaState.COMPLETE else None
        self._study.tell(trial, last, told)
        return told.name


def _params_in(events: Iterable[Event]) -> Iterator[tuple[str, Params]]:
    """Yield whose they are, and the parameters that a sampler is told again."""
    for event in events:
        if event.name == "opened":
            for number, trial in enumerate(event.fields.get("learned", ())):
                yield f"learned trial {number}", trial["params"]
        elif event.name == "asked":
            yield f"trial {event.fields['trial']}", event.fields["params"]
