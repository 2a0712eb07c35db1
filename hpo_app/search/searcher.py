"""From past trials to the next parameters: what holds for every search algorithm."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hpo_app.errors import PlanError, Problem, RunFolderError
from hpo_app.search.engine import Exhausted, Outcome
from hpo_app.search.prior import first_draws
from hpo_app.search.tried import Tried
from hpo_app.study.earlier import EarlierTrial
from hpo_app.study.records import TrialState
from hpo_app.training.seeds import derive_seed


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hpo_app.plan.search_space import Params, SearchSpace
    from hpo_app.search.engine import Engine
    from hpo_app.study.journal import Event
    from hpo_app.study.records import Study


_MOST_REPEATS = 20


class Searcher:
    """Proposes the parameters of the next trial, and learns from what became of the others.

    Attributes:
        num_asked: How many trials were asked for; the next one gets this number.
        note: What a person should know of what was proposed last; empty if all is well.

    Args:
        space: What may be sampled.
        engine: The search algorithm.
        seed: Of the run, for draws of its own.
        repeats: Whether a configuration that was tried may be trained again.
        baselines: Configurations that are tried right after the default one.
        prior_trials: How many trials after these are drawn around the default one, at most.
    """

    def __init__(
        self,
        space: SearchSpace,
        engine: Engine,
        *,
        seed: int = 0,
        repeats: bool = True,
        baselines: Sequence[Params] = (),
        prior_trials: int = 0,
    ) -> None:
        self._space = space
        self._engine = engine
        self._seed = seed
        self._repeats = repeats
        self._tried = Tried(space)
        first = first_draws(space, seed, baselines, prior_trials)
        self._first = dict(enumerate(first, start=int(space.has_defaults)))
        self._open: set[int] = set()
        self.num_asked = 0
        self.note = ""

    def ask(self) -> tuple[int, Params, bool] | None:
        """Return number, parameters and whether this is the default configuration.

        None if the engine first wants to hear of trials that are still open.

        Raises:
            Exhausted: If there is nothing more to try.
            PlanError: If the engine proposes what is outside of the search space.
        """
        number = self.num_asked
        params = self._draw(number)
        if params is None:
            return None
        self._start(number, params)
        return number, params, self._is_default(number)

    def _is_default(self, number: int) -> bool:
        return number == 0 and self._space.has_defaults

    def _draw(self, number: int) -> Params | None:
        """Return the values of a trial that has not started; None if there are none now."""
        first = self._first.get(number)
        if first is not None and first not in self._tried:
            self._engine.impose(number, first)
            return first
        if not self._is_default(number):
            return self._propose(number)
        # Handed over as it was written: a rank or a share loses nothing on its way through an
        # engine, but a default between two steps of a range would move.
        params = self._space.defaults
        self._engine.impose(number, params)
        return params

    def _propose(self, number: int) -> Params | None:
        """Return what the engine proposes and may be trained.

        What was tried before is answered from memory; what breaks a rule is taken back, and says
        nothing of how good it is.
        """
        self._tried.refuse_end()
        self.note = ""
        for _ in range(_MOST_REPEATS):
            params = self._engine.propose(number)
            if params is None:
                if self._open:
                    return None
                # It waits for results, and no trial is left that could bring one.
                self.note = (
                    "the search algorithm proposes nothing, though no result is missing; random "
                    "draws stand in for it"
                )
                break
            self._refuse_outside(number, params)
            if self._tried.allows(params):
                return params
            outcome = self._tried.outcome(params)
            if outcome is None:
                self._engine.withdraw(number)
            else:
                self._engine.tell(number, outcome)
        # It insists on what is known or cannot be, or stands still: somebody else has to look.
        params = self._tried.another(derive_seed(self._seed, "another", number))
        self._engine.impose(number, params)
        return params

    def _refuse_outside(self, number: int, params: Params) -> None:
        """Refuse what only a search algorithm of a person's own proposes; Optuna does not look.

        In the journal it would keep the run from going on.
        """
        outside = [f"{name}={value}" for name, value in self._outside(params)]
        if outside:
            expected = "proposals inside of the search space"
            fix = "correct the search algorithm that search_alg._target_ names"
            got = f"{', '.join(outside)} for trial {number}"
            raise PlanError([Problem("search_alg", got, expected, fix)])

    def _start(self, number: int, params: Params) -> None:
        self._open.add(number)
        self.num_asked = number + 1
        if not self._repeats:
            self._tried.start(number, params)

    def tell(self, number: int, outcome: Outcome) -> str:
        """Say what became of a trial.

        Args:
            number: Number of the trial.
            outcome: How it ended, and what it reported.

        Returns:
            The word for how the engine took it.
        """
        self._open.discard(number)
        if not self._repeats:
            self._tried.end(number, outcome)
        return self._engine.tell(number, outcome)

    def learn(self, earlier: Iterable[EarlierTrial]) -> None:
        """Tell the engine of trials of other runs; they get no number in this one."""
        for trial in earlier:
            self._engine.learn(trial)

    def replay(self, events: Iterable[Event], study: Study) -> int:
        """Bring the engine to where it stood after `events`, by asking and telling all again.

        An engine that is asked and told in the same order draws the same, so that its random
        numbers go on where they stopped. Where it draws otherwise (another release of its
        library), what the journal says is put in its place. Trials that were cut off stay open.

        Args:
            events: The journal, in order.
            study: What it tells of.

        Returns:
            How many trials the engine drew otherwise.

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
                state = TrialState(event.fields["state"])
                self.tell(number, Outcome(state, records[number].reports))
        return num_otherwise

    def _refuse_strangers(self, events: Iterable[Event]) -> None:
        problems = []
        for whose, params in _params_in(events):
            strange = [f"{name}={str(value)[:60]}" for name, value in self._outside(params)]
            active = self._space.active(self._space.complete(params))
            missing = [f"no {name}" for name in active if name not in params]
            broken = [rule.text for rule in self._space.rules.values() if not rule.holds(params)]
            for got in (*strange, *missing, *(f"not {text}" for text in broken)):
                expected = "active parameters of the search space that keep its bounds and rules"
                fix = "restore the run folder from a copy, or start a new run"
                problems.append(Problem(f"{whose} in the journal", got, expected, fix))
        if problems:
            raise RunFolderError(problems[:5])

    def _outside(self, params: Params) -> Iterator[tuple[str, object]]:
        for name, value in params.items():
            is_known = name in self._space.parameters and self._space[name].contains(value)
            if not is_known or not self._space.is_active(name, params):
                yield name, value

    def _counts(self, event: Event) -> bool:
        is_open = event.fields["trial"] in self._open
        return is_open and event.fields["state"] != TrialState.INTERRUPTED

    def _ask_again(self, params: Params) -> bool:
        number, drawn = self.num_asked, None
        # A searcher whose proposals are refused today may have been let pass when this was written.
        with contextlib.suppress(Exhausted, PlanError):
            drawn = self._draw(number)
        self._start(number, params)
        if drawn == params:
            return True
        if drawn is not None:
            self._engine.withdraw(number)
        self._engine.impose(number, params)
        return False


def _params_in(events: Iterable[Event]) -> Iterator[tuple[str, Params]]:
    """Yield whose they are, and the parameters that a sampler is told again."""
    for event in events:
        if event.name == "opened":
            for number, trial in enumerate(event.fields.get("learned", ())):
                yield f"learned trial {number}", trial["params"]
        elif event.name == "asked":
            yield f"trial {event.fields['trial']}", event.fields["params"]
