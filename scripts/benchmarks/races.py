"""How well a race on fresh seeds chooses, over synthetic rewards: as it is, and as it was.

    python scripts/benchmarks/races.py [--races 300] [--budgets 10,15]

The decisions are hpo_app's own (analysis/race.py). Each race has six contenders, the same rewards
for both rules, and so many trainings before the claim. Regret is the best true value less that of
the winner: of the mean, and of the mean without the outer quarters. Needs NumPy.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np

from hpo_app.analysis.race import standing
from hpo_app.study.fresh import Race


if TYPE_CHECKING:
    from hpo_app.study.fresh import Fresh

_CONTENDERS, _CLAIM = 6, 3
# Where trainings stay that do not learn, and what good ones come to.
_STUCK, _GOOD, _SPREAD = -500.0, -90.0, 8.0
_SHAPES = {
    "gaussian": (0.5, 1.0, 2.0),
    "heavy tail": (3.0, 2.0, 1.2),
    "two heaps": (0.1, 0.2, 0.4),
    "two heaps, same rate": (0.2, 0.4),
}


def main() -> None:
    """Run the races, and print how the regret changes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--races", type=int, default=300)
    parser.add_argument("--budgets", default="10,15")
    arguments = parser.parse_args()
    for budget in map(int, arguments.budgets.split(",")):
        for shape, figures in _SHAPES.items():
            for figure in figures:
                source = np.random.default_rng(20261129)
                pairs = [_regrets(source, shape, figure, budget) for _ in range(arguments.races)]
                print(f"{budget} trainings, {shape} {figure:g}: {_row(np.array(pairs))}")


def _regrets(
    source: np.random.Generator, shape: str, figure: float, budget: int
) -> list[tuple[float, float]]:
    """Return the regret of the mean, and without the outer quarters, of both rules."""
    rewards, truths = _drawn(source, shape, figure, budget)
    winners = [_winner(rewards, budget, narrows=narrows) for narrows in (False, True)]
    return [tuple(truth.max() - truth[winner] for truth in truths) for winner in winners]


def _winner(rewards: np.ndarray, budget: int, *, narrows: bool) -> int:
    trainings = budget + _CLAIM
    contenders = tuple(range(_CONTENDERS))
    race = Race(contenders, None, trainings, 1, _CLAIM, _CLAIM, narrows=narrows)
    gains: dict[Fresh, float | None] = {}
    while (stands := standing(race, gains, {})).winner is None:
        gains.update({fresh: float(rewards[fresh.of, fresh.place]) for fresh in stands.wanted})
    return stands.winner


def _drawn(
    source: np.random.Generator, shape: str, figure: float, count: int
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Return rewards: `(contenders, seeds)`, and the two true values of each contender."""
    size = (_CONTENDERS, count)
    level = source.normal(size=_CONTENDERS)
    if shape == "gaussian":
        return level[:, None] + figure * source.normal(size=size), (level, level)
    if shape == "heavy tail":
        return level[:, None] + 0.8 * source.standard_t(figure, size=size), (level, level)
    is_same = shape.endswith("same rate")
    rate = np.full(_CONTENDERS, figure) if is_same else source.uniform(0, figure, _CONTENDERS)
    good = _GOOD + _SPREAD * level
    values = good[:, None] + 5.0 * source.normal(size=size)
    rewards = np.where(source.random(size) < rate[:, None], _STUCK, values)
    # Of what lies between the quarters, so much is stuck.
    stuck = np.clip(rate - 0.25, 0.0, None) / 0.5
    truths = [share * _STUCK + (1.0 - share) * good for share in (rate, stuck)]
    return rewards, (truths[0], truths[1])


def _row(pairs: np.ndarray) -> str:
    """Return the regret as it was, and how it changed in percent: `(races, rules, measures)`."""
    texts = []
    for measure, name in enumerate(("mean", "interquartile")):
        before, now = pairs[:, 0, measure], pairs[:, 1, measure]
        unit, change = before.mean(), now - before
        error = 1.96 * change.std() / len(change) ** 0.5
        texts.append(
            f"{name} {unit:.3f}, {100 * change.mean() / unit:+.0f} ± {100 * error / unit:.0f} %"
        )
    return "; ".join(texts)


if __name__ == "__main__":
    main()
