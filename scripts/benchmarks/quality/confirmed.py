"""Simulated searches, what each would confirm, and how near its claim is to the truth."""

from __future__ import annotations

import itertools
import random
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna

from hpo_app.analysis.best import rank
from hpo_app.analysis.race import gains_of, standing
from hpo_app.analysis.robust import interquartile_mean, interval_of, interval_of_difference
from hpo_app.study.fresh import Kind, Race
from hpo_app.study.records import Study, TrialRecord, TrialState
from quality.methods import LOSS, OptunaHyperband, Ours, RayTune, reports_of
from quality.simulator import simulate


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from hpo_app.plan.search_space import Params
    from hpo_app.study.records import Report
    from quality.fresh_seeds import NoisyTask
    from quality.simulator import SimulatedTrial
    from quality.tasks import Task

# Full trainings that search and confirmation take together.
TOTALS = (20.0, 40.0)
SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
_WORKERS = 4
_MOST_KEPT = 12
_MOST_CLAIM_SEEDS = 10
_NUM_RESAMPLES = 1000

# What is handed back at one moment: params and the value that the search saw, the best first.
Found = "list[tuple[Params, float]]"


def _moments() -> list[float]:
    return sorted({round(total * (1.0 - share), 6) for total in TOTALS for share in SHARES})


class OurRanking(Ours):
    """hpo_app's search, asked for the best trials and not for the best one."""

    def incumbent(self) -> Any:
        """Return the best trials, each with what it is ranked by."""
        records = [
            TrialRecord(
                trial.number, trial.params, state=_state(trial), reports=self.reports(trial)
            )
            for trial in self.trials
        ]
        study = Study("", Path(), LOSS, {}, tuple(records), len(records), iterations=0, seed=0)
        return [(each.params, each.last["loss"]) for each in rank(study)[:_MOST_KEPT]]

    def reports(self, trial: SimulatedTrial) -> tuple[Report, ...]:
        """Return what a trial is ranked by."""
        return reports_of(trial)


def _state(trial: SimulatedTrial) -> TrialState:
    return TrialState.STOPPED if trial.is_over else TrialState.RUNNING


class _BestOfRay(RayTune):
    def incumbent(self) -> Any:
        return _best_last(self.trials)


class _BestOfOptuna(OptunaHyperband):
    def incumbent(self) -> Any:
        whole = [each for each in self.trials if len(each.reports) >= self._task.iterations]
        return _best_last(whole or self.trials)


def _best_last(trials: Sequence[SimulatedTrial]) -> list[tuple[Params, float]]:
    reported = [trial for trial in trials if trial.reports]
    best = min(reported, key=lambda trial: trial.reports[-1], default=None)
    return [(best.params, best.reports[-1])] if best else []


METHODS: dict[str, Any] = {
    "hpo_app": lambda task, seed: OurRanking(task, seed, ["preset=standard"]),
    "ray-tune": _BestOfRay,
    "optuna": _BestOfOptuna,
}


def search(
    task: Task, method: str, seed: int, methods: Mapping[str, Any] = METHODS
) -> dict[str, Any]:
    """Return what a search would hand back at each moment, by full trainings until then."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    moments = _moments()
    made = methods[method](task, seed)
    budgets = [moment / _WORKERS for moment in moments]
    outcome = simulate(made, task, workers=_WORKERS, budgets=budgets, seed=seed)
    return {str(moment): found for moment, found in zip(moments, outcome.incumbents, strict=True)}


def bootstrap_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % percentile interval of an interquartile mean, for comparison."""
    source = random.Random(20261128)
    drawn = sorted(
        interquartile_mean(source.choices(values, k=len(values))) for _ in range(_NUM_RESAMPLES)
    )
    outside = round(0.025 * _NUM_RESAMPLES)
    return drawn[outside], drawn[-1 - outside]


class Score:
    """What came of one search, in units of median random minus best, more is better.

    Attributes:
        regret: Of the configuration that is handed back.
        bias: The claimed value minus the true one.
        holds: Whether the interval of the value holds the true one; None without an interval.
        boot_holds: Likewise, with a percentile bootstrap.
        gain_holds: Likewise of the gain over the default configuration.
        width: Of the interval of the gain.
        is_gain: Whether a significant gain is claimed.
        is_false: Whether one is claimed where there is none.
    """

    holds: bool | None = None
    boot_holds: bool | None = None
    gain_holds: bool | None = None
    width: float | None = None
    is_gain: bool | None = None
    is_false: bool | None = None

    def __init__(self, regret: float, bias: float) -> None:
        self.regret, self.bias = regret, bias


class Judge:
    """Scores what searches of one task came to."""

    def __init__(self, noisy: NoisyTask) -> None:
        self._noisy, task = noisy, noisy.task
        source = random.Random(20261128)
        losses = [task.final(task.draw(source)) for _ in range(500)]
        self._best, self._unit = min(losses), float(np.median(losses)) - min(losses)
        self._default = dict(task.space.defaults)

    def naive(self, found: list[Any]) -> Score:
        """Score the best value that a search saw."""
        params, seen = found[0]
        truth = self._noisy.task.final(params)
        return Score((truth - self._best) / self._unit, (truth - seen) / self._unit)

    def confirmed(
        self, found: list[Any], trainings: int, key: str, settings: Mapping[str, int]
    ) -> Score:
        """Score what a race and its claim make of the best trials of a search."""
        first, claim = settings["first_seeds"], settings["claim_seeds"]
        for_race = max(trainings - 2 * claim, 0)
        count = max(min(settings["contenders"], len(found), for_race // first), 1)
        params = [*(each for each, _ in found[:count]), self._default]
        room = for_race // first
        racing = tuple(range(count))
        if settings["default_races"] and room > 1:
            racing = (*racing[: room - 1], count)
        most = max(claim, _MOST_CLAIM_SEEDS)
        race = Race(racing, count, trainings, first, claim, most, narrows=True)
        gains: dict[Any, float | None] = {}
        while (stands := standing(race, gains, {})).wanted:
            for fresh in stands.wanted:
                seed = zlib.crc32(f"{key} {fresh.kind.value} {fresh.place}".encode())
                gains[fresh] = -self._noisy.fresh(params[fresh.of], seed)
        winner = stands.winner or 0
        truth, of_default = (-self._noisy.task.final(params[who]) for who in (winner, count))
        ours, theirs = (
            gains_of(who, Kind.CLAIM, stands.claim_seeds, gains) for who in (winner, count)
        )
        score = Score(
            (-truth - self._best) / self._unit, (interquartile_mean(ours) - truth) / self._unit
        )
        around, difference = interval_of(ours), interval_of_difference(ours, theirs)
        if around is not None and difference is not None:
            tiny = 1e-9 * self._unit
            score.holds = around.low - tiny <= truth <= around.high + tiny
            low, high = bootstrap_interval(ours)
            score.boot_holds = low - tiny <= truth <= high + tiny
            gain = truth - of_default
            score.gain_holds = difference.low - tiny <= gain <= difference.high + tiny
            score.width = (difference.high - difference.low) / self._unit
            score.is_gain = difference.low > 0.0
            score.is_false = score.is_gain and gain <= tiny
        return score


def rows(
    lines: Sequence[dict[str, Any]],
    judges: Mapping[str, Judge],
    total: float,
    share: float,
    settings: Mapping[str, int],
    method: str = "hpo_app",
) -> Iterator[Score]:
    """Yield the score of each of our searches, if this share of it goes to the confirmation."""
    for line in lines:
        found = line["found"][str(round(total * (1.0 - share), 6))]
        if line["method"] != method or not found:
            continue
        judge = judges[line["task"]]
        if share:
            key = f"{line['task']} {line['seed']}"
            yield judge.confirmed(found, int(total * share + 1e-9), key, settings)
        else:
            yield judge.naive(found)


_HEAD = (
    "full trainings",
    "who, and the share for confirmation",
    "regret",
    "claimed minus true",
    "interval holds the value",
    "a bootstrap would",
    "interval holds the gain",
    "gains claimed",
    "false gains",
)


def tables(
    lines: Sequence[dict[str, Any]],
    tasks: Mapping[str, NoisyTask],
    totals: Sequence[float],
    shares: Sequence[float],
    settings: Mapping[str, int] | None = None,
    ours: Sequence[str] = ("hpo_app",),
) -> str:
    """Return a table in Markdown: each method and share at each total budget."""
    settings = settings or {
        "contenders": 6,
        "first_seeds": 1,
        "claim_seeds": 3,
        "default_races": 1,
    }
    judges = {name: Judge(noisy) for name, noisy in tasks.items()}
    texts = ["| " + " | ".join(_HEAD) + " |", "|---:|---|" + "---:|" * (len(_HEAD) - 2)]
    for total in totals:
        for method in ("ray-tune", "optuna"):
            scores = [
                judges[line["task"]].naive(line["found"][str(total)])
                for line in lines
                if line["method"] == method and line["found"][str(total)]
            ]
            if scores:
                texts.append(_row(total, method, scores))
        for share, method in itertools.product(shares, ours):
            scores = list(rows(lines, judges, total, share, settings, method))
            if scores:
                texts.append(_row(total, f"{method}, {share:.0%}", scores))
    return "\n".join(texts)


def _row(total: float, name: str, scores: Sequence[Score]) -> str:
    regrets = np.array([score.regret for score in scores])
    error = 1.96 * regrets.std() / len(regrets) ** 0.5
    bias = float(np.mean([score.bias for score in scores]))
    known = [score for score in scores if score.holds is not None]
    cells = [
        f"{total:g}",
        f"{name} ({len(scores)} searches)",
        f"{regrets.mean():.3f} ± {error:.3f}",
        f"{bias:+.3f}",
        *(
            f"{np.mean([getattr(score, field) for score in known]):.1%}" if known else ""
            for field in ("holds", "boot_holds", "gain_holds", "is_gain", "is_false")
        ),
    ]
    return "| " + " | ".join(cells) + " |"
