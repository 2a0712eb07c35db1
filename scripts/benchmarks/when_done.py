"""Does a search know when it is done: what it expects to gain, beside what there was to gain.

    python scripts/benchmarks/when_done.py [--data FOLDER] [--seeds 4] [--trials 150]

Searches with stop.when_done=true, simulated. `bowl` falls evenly to its best place, `ripples` has
many small wells, `needle` a better well in a hundredth of the space and less. With `--data` (a
folder with `arlbench/`), PPO with the luck of its seeds besides. A search ends where the rule says
so; its regret there, in units of the noise, is what it missed.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna


sys.path.insert(0, str(Path(__file__).parent))

from hpo_app.plan.criteria import Criteria
from hpo_app.plan.read_space import read_space
from hpo_app.plan.run_plan import Mode, Objective, Stop
from hpo_app.search.engine import Outcome
from hpo_app.search.optuna_engine import OptunaEngine
from hpo_app.search.searcher import Searcher
from hpo_app.study.records import Report, TrialRecord, TrialState
from hpo_app.tuning.stopping import StopRules


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hpo_app.plan.search_space import Params, SearchSpace

_LOSS = Criteria((Objective("loss", Mode.MIN),))
_NOISE, _REPORTS = 0.03, 6


@dataclass(frozen=True)
class Case:
    """Something to search.

    Attributes:
        name: What it is called.
        space: Where.
        curve: What a trial reports, given params and the trial's seed.
        true: What a configuration is worth.
        best: The least that is known of that.
        noise: By how much one value is off by chance.
    """

    name: str
    space: SearchSpace
    curve: Callable[[Params, int], Sequence[float]]
    true: Callable[[Params], float]
    best: float
    noise: float


def main() -> None:
    """Print a row per case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with arlbench/")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--trials", type=int, default=150)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(
        f"| search | ended by itself | after trials (of {arguments.trials}) | missed, in noises |"
    )
    print("|---|---:|---:|---:|")
    for case in cases(arguments.data):
        for name, sampler in (("TPE", optuna.samplers.TPESampler), ("random", _random)):
            found = [
                run(case, sampler(seed=seed), arguments.trials, seed)
                for seed in range(arguments.seeds)
            ]
            ended = [count for count, _ in found if count < arguments.trials]
            after = statistics.median(count for count, _ in found)
            missed = [regret for count, regret in found if count < arguments.trials]
            text = f"{statistics.median(missed):.2f} (worst {max(missed):.2f})" if missed else ""
            share = f"{len(ended)} of {len(found)}"
            print(f"| {case.name}, {name} | {share} | {after:g} | {text} |", flush=True)


_random = optuna.samplers.RandomSampler


def cases(data: Path | None) -> Iterator[Case]:
    """Yield what is searched."""
    for dimensions in (2, 4, 6):
        for name, function in (("bowl", _bowl), ("ripples", _ripples), ("needle", _needle)):
            yield _synthetic(f"{name}, {dimensions}-D", dimensions, function)
    if data is None:
        return
    from quality.fresh_seeds import load_noisy_tasks  # noqa: PLC0415 - needs scikit-learn

    for noisy in load_noisy_tasks(data):
        task, source = noisy.task, random.Random(20261129)
        sample = [task.draw(source) for _ in range(1000)]
        finals = sorted((task.final(params), at) for at, params in enumerate(sample))
        # Of good configurations: those that learn nothing hardly vary.
        good = [sample[at] for _, at in finals[:50]]
        noise = math.sqrt(statistics.mean(np.var(noisy.population(params)) for params in good))
        yield Case(task.name, task.space, task.curve, task.final, finals[0][0], float(noise))


def _synthetic(name: str, dimensions: int, function: Callable[[Params], float]) -> Case:
    entry = {"type": "uniform", "low": 0.0, "high": 1.0}
    space, _ = read_space({f"x{at}": entry for at in range(dimensions)})

    def curve(params: Params, seed: int) -> list[float]:
        source = random.Random(f"{seed} {params}")
        return [function(params) + source.gauss(0.0, _NOISE) for _ in range(_REPORTS)]

    grid = ({"x": at / 5000} for at in range(5001))
    best = 0.0 if function is _needle else dimensions * min(map(function, grid))  # type: ignore[arg-type]
    return Case(name, space, curve, function, best, _NOISE)


def _bowl(params: Params) -> float:
    return sum((float(value) - 0.3) ** 2 for value in params.values())  # type: ignore[arg-type]


def _ripples(params: Params) -> float:
    waves = (0.05 * math.sin(15.0 * float(value)) ** 2 for value in params.values())  # type: ignore[arg-type]
    return _bowl(params) + sum(waves)


def _needle(params: Params) -> float:
    away = sum((float(value) - 0.8) ** 2 for value in params.values())  # type: ignore[arg-type]
    return min(_bowl(params) + 0.2, 20.0 * away)


def run(case: Case, sampler: Any, trials: int, seed: int) -> tuple[int, float]:
    """Search a case; return after how many trials it ended, and what it missed then."""
    plan: Any = SimpleNamespace(
        stop=Stop(when_done=True),
        criteria=_LOSS,
        space=case.space,
        iterations=len(case.curve(case.space.defaults, 0)),
        max_same_failures=3,
        scheduler=SimpleNamespace(is_population=False),
    )
    rules = StopRules(plan)
    searcher = Searcher(case.space, OptunaEngine(case.space, _LOSS, sampler), seed=seed)
    seen: list[tuple[float, float]] = []
    for _ in range(trials):
        asked = searcher.ask()
        if asked is None:
            break
        number, params, _ = asked
        curve = case.curve(params, seed * 1009 + number)
        reports = tuple(Report(at + 1, {"loss": loss}, 0.0) for at, loss in enumerate(curve))
        trial = TrialRecord(number, params, state=TrialState.FINISHED, reports=reports)
        searcher.tell(number, Outcome(TrialState.FINISHED, reports))
        seen.append((curve[-1], case.true(params)))
        if rules.ended(trial, TrialState.FINISHED) or rules.look():
            break
    # The best that was tried: which of the good ones that is, a confirmation finds out.
    return len(seen), (min(true for _, true in seen) - case.best) / case.noise


if __name__ == "__main__":
    main()
