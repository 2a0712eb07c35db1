"""Builders of made-up trials and studies, as fixtures, because test modules import no others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hpo_app.plan.criteria import Constraint, Criteria
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.study.fresh import FIRST_FRESH, Fresh, Kind, Race
from hpo_app.study.records import Report, Study, TrialRecord, TrialState


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HOSTILE_NAME = "<script>alert(1)</script>$\\frac{x$ [red]\x1b[31m_^"


def trial_with(number: int, values: Sequence[float] = (), **fields: object) -> TrialRecord:
    """Return a trial that reported `loss` with these values, a second apart.

    Beside each stand the same `others`.
    """
    metric, others = str(fields.pop("metric", "loss")), fields.pop("others", {})
    reports = tuple(
        Report(iteration, {metric: value, **others}, at_s=float(iteration))
        for iteration, value in enumerate(values, start=1)
    )
    defaults = {
        "params": {"lr": 0.1 / (number + 1)},
        "is_default": number == 0,
        "seed": 100 + number,
        "state": TrialState.FINISHED,
        "started_s": float(number),
        "ended_s": number + 10.0,
    }
    return TrialRecord(number=number, reports=reports, **{**defaults, **fields})


def study_of(*trials: TrialRecord, **fields: object) -> Study:
    """Return a study of these trials that minimises `loss` over three iterations."""
    objective = fields.pop("objective", Objective("loss", Mode.MIN))
    objectives = fields.pop("objectives", (objective,))
    constraints = fields.pop("constraints", ())
    defaults = {
        "run_id": "run-1",
        "folder": Path("outputs/run-1"),
        "criteria": Criteria(objectives, constraints),
        "space": {"lr": {"type": "loguniform", "low": 1e-4, "high": 1.0}},
        "num_trials": len(trials),
        "iterations": 3,
        "seed": 7,
        "stop_reason": "All trials ended.",
        "duration_s": 60.0,
    }
    return Study(trials=trials, **{**defaults, **fields})


def failed(number: int, error: str | None = "Traceback\n  x\nValueError: bad lr") -> TrialRecord:
    """Return a trial that failed before its first report."""
    return trial_with(number, state=TrialState.FAILED, error=error)


def mixed_types() -> Study:
    """Return a study whose one parameter takes every type, and another is often missing."""
    values = [1, 1.0, True, None, "1", "=1+1", [1, "a"], {"b": float("inf")}, 10**400, float("nan")]
    trials = [
        trial_with(number, [1.0, float(number)], params={"p": value} | ({"q": 1} if number else {}))
        for number, value in enumerate(values)
    ]
    return study_of(*trials, space={"p": {"type": "choice", "values": values}})


def hostile_names() -> Study:
    """Return a study with markup, mathematics and escape codes wherever a name or text can be."""
    trials = [
        trial_with(0, [2.0], metric=HOSTILE_NAME, params={HOSTILE_NAME: HOSTILE_NAME}),
        trial_with(1, [1.0], metric=HOSTILE_NAME, params={HOSTILE_NAME: "\u4f60\u202e\ud800"}),
        trial_with(2, state=TrialState.FAILED, error=f"Traceback\n{HOSTILE_NAME}"),
    ]
    return study_of(
        *trials,
        run_id=HOSTILE_NAME,
        objective=Objective(HOSTILE_NAME, Mode.MIN),
        space={HOSTILE_NAME: {"type": "choice", "values": [HOSTILE_NAME]}},
        stop_reason=HOSTILE_NAME,
        facts={HOSTILE_NAME: {HOSTILE_NAME: HOSTILE_NAME}},
    )


def two_thousand() -> Study:
    """Return a study of two thousand trials in all states, with twenty parameters."""
    states = list(TrialState)
    trials = [
        trial_with(
            number,
            [1.0 + (number * 7919 % 1000) / step for step in range(1, 1 + number % 4)],
            state=states[number % len(states)],
            params={f"p{place}": number * place / 10 for place in range(20)},
            error="boom" if states[number % len(states)] is TrialState.FAILED else None,
        )
        for number in range(2000)
    ]
    return study_of(*trials, space={f"p{place}": {"type": "uniform"} for place in range(20)})


HOSTILE_STUDIES: dict[str, Callable[[], Study]] = {
    "no trial": study_of,
    "one trial": lambda: study_of(trial_with(0, [0.5])),
    "one running trial without a report": lambda: study_of(
        trial_with(0, state=TrialState.RUNNING, started_s=None, ended_s=None), stop_reason=""
    ),
    "all failed": lambda: study_of(*(failed(number) for number in range(4))),
    "default failed": lambda: study_of(failed(0), trial_with(1, [0.4, 0.3, 0.2])),
    "none keeps the constraint": lambda: study_of(
        failed(0),
        *(trial_with(n, [0.5 / n], others={HOSTILE_NAME: float(n)}) for n in range(1, 4)),
        constraints=(Constraint(HOSTILE_NAME, max=0.0),),
    ),
    "several objectives": lambda: study_of(
        failed(0),
        *(
            trial_with(n, [10.0**n], others={HOSTILE_NAME: (n % 3 - 1) * 1e308})
            for n in range(1, 9)
        ),
        objectives=(Objective("loss", Mode.MIN), Objective(HOSTILE_NAME, Mode.MAX)),
    ),
    "constant values": lambda: study_of(
        *(trial_with(n, [0.0, 0.0], params={"lr": 0.1}) for n in range(5))
    ),
    "values far apart": lambda: study_of(
        *(trial_with(n, [value]) for n, value in enumerate([-1e308, 1e308, 0.0, 1e-300]))
    ),
    "no parameter": lambda: study_of(trial_with(0, [1.0], params={}), space={}),
    "log parameter at zero": lambda: study_of(trial_with(0, [1.0], params={"lr": 0.0})),
    "mixed types": mixed_types,
    "hostile names": hostile_names,
}


@pytest.fixture(scope="session")
def make_trial() -> Callable[..., TrialRecord]:
    return trial_with


@pytest.fixture(scope="session")
def make_failed_trial() -> Callable[..., TrialRecord]:
    return failed


@pytest.fixture(scope="session")
def make_study() -> Callable[..., Study]:
    return study_of


@pytest.fixture(params=list(HOSTILE_STUDIES))
def hostile_study(request: pytest.FixtureRequest) -> Study:
    return HOSTILE_STUDIES[request.param]()


@pytest.fixture
def study_with_hostile_names() -> Study:
    return hostile_names()


@pytest.fixture
def study_with_mixed_types() -> Study:
    return mixed_types()


@pytest.fixture
def study_of_two_thousand() -> Study:
    return two_thousand()


@pytest.fixture
def confirmed_study(make_trial, make_study):
    """A study whose trials 0 (the default) and 2 came to these losses on seeds held back."""

    def make(default=(1.0, 1.1, 0.9), winner=(0.5, 0.6, 0.4), replay=None, **fields):
        trials = [
            make_trial(0, [9, 3, 2.0]),
            make_trial(1, [5, 1, 0.1]),
            make_trial(2, [8, 2, 0.3]),
        ]
        claimed = [
            (Fresh(of, Kind.CLAIM, place), value)
            for of, values in ((0, default), (2, winner))
            for place, value in enumerate(values)
        ]
        if replay is not None:
            claimed.append((Fresh(2, Kind.REPLAY, 0), replay))
        fresh = [
            make_trial(
                FIRST_FRESH + at,
                [] if value is None else [2, 2, value],
                state=TrialState.FAILED if value is None else TrialState.FINISHED,
                fresh=which,
                typed_seed=77,
            )
            for at, (which, value) in enumerate(claimed)
        ]
        race = Race((2,), 0, 6, 1, len(winner), len(winner), has_replay=replay is not None)
        settings = {"race": race, "winner": 2, "fresh": tuple(fresh), "is_to_confirm": True}
        return make_study(*trials, **{**settings, **fields})

    return make
