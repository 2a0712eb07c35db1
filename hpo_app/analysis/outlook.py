"""From the trials of a search to what further ones can be expected to gain.

A Gaussian process is laid through what is known, with the noise that was measured and no more. What
it cannot explain as noise it has to take for a shape of the objective that is not known yet, of
which something can be expected. The expected gain is that of knowing the objective everywhere: the
mean of the best value of functions drawn from it, less the best value that it is sure of.

Sources:
    Makarova et al. (2022), "Automatic Termination for Hyperparameter Optimization": a search is
    over once its regret is below the noise of one evaluation.
    Ishibashi et al. (2023), "A stopping criterion for Bayesian optimization by the gap of expected
    minimum simple regrets".
    Rasmussen and Williams (2006), "Gaussian Processes for Machine Learning", chapter 5.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hpo_app.plan.search_space import Choice


if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from hpo_app.plan.search_space import Params, ParamValue, SearchSpace

# With fewer trials, what looks like a shape is mostly chance.
FEWEST_TRIALS = 20
# A look at more would take seconds. The best ones count, and as many of the others.
_MOST_TRIALS = 200
_NUM_ANYWHERE, _NUM_NEAR, _NUM_DRAWS = 300, 200, 200
_NUM_ROUNDS, _NUM_BASES, _HOPE = 4, 20, 2.0
_NUM_STARTS, _NUM_SWEEPS = 30, 3
_JITTER = 1e-8


@dataclass(frozen=True)
class Outlook:
    """What can be expected of further trials.

    Attributes:
        gain: Expected gain of knowing the best configuration of the space, over the best known.
        noise: By how much one value is off by chance, as a standard deviation.
    """

    gain: float
    noise: float

    @property
    def is_done(self) -> bool:
        """Whether a further gain could not be told from chance by one more training."""
        return self.gain < self.noise


def outlook(
    space: SearchSpace, known: Sequence[tuple[Params, float]], noise: float, seed: int = 0
) -> Outlook | None:
    """Return what can be expected of further trials.

    Args:
        space: What may be sampled.
        known: Configurations and what they came to, more is better.
        noise: Standard deviation of one value, as it was measured.
        seed: Of the draws.

    Returns:
        None where there are too few trials, all values are equal, or nothing can be sampled.
    """
    kept = _kept(known)
    values = np.array([value for _, value in kept])
    if len(known) < FEWEST_TRIALS or not len(space) or noise <= 0.0 or not np.ptp(values):
        return None
    centre, unit = float(values.mean()), float(values.std())
    tried = [params for params, _ in kept]
    scaled, variance = (values - centre) / unit, (noise / unit) ** 2
    process = _Process.fitted(_encoded(space, tried), scaled, variance, seed)
    others = _promising(space, process, tried, random.Random(seed))
    mean, covariance = process.at(_encoded(space, [*tried, *others]))
    squares, vectors = np.linalg.eigh(covariance)
    spread = vectors * np.sqrt(np.maximum(squares, 0.0))
    draws = mean + np.random.default_rng(seed).normal(size=(_NUM_DRAWS, len(mean))) @ spread.T
    gain = draws.max(axis=1).mean() - mean[: len(tried)].max()
    return Outlook(float(gain) * unit, noise)


def _kept(known: Sequence[tuple[Params, float]]) -> list[tuple[Params, float]]:
    """Return the trials to look at; how bad the bad ones are would only stretch the scale."""
    values = np.array([value for _, value in known])
    middle, high = np.quantile(values, [0.5, 0.9])
    least = middle - 2.0 * (high - middle)
    ordered = sorted(range(len(known)), key=lambda at: -values[at])
    half = _MOST_TRIALS // 2
    chosen = ordered if len(ordered) <= _MOST_TRIALS else _thinned(ordered, half)
    return [(known[at][0], max(known[at][1], float(least))) for at in sorted(chosen)]


def _thinned(ordered: list[int], half: int) -> list[int]:
    rest = ordered[half:]
    return [*ordered[:half], *rest[:: -(-len(rest) // half)]]


def _anywhere(space: SearchSpace, source: random.Random) -> Iterator[Params]:
    for _ in range(_NUM_ANYWHERE):
        params = space.draw(source)
        if space.keeps(params):
            yield params


def _promising(
    space: SearchSpace, process: _Process, tried: list[Params], source: random.Random
) -> list[Params]:
    """Return configurations where the process expects most, or knows least, from all of the space.

    In many dimensions none of a few hundred random ones is near the best.
    """
    found = list(_anywhere(space, source))
    bases, width = tried, 0.2
    for _ in range(_NUM_ROUNDS):
        found += _near(space, bases, width, source)
        mean, covariance = process.at(_encoded(space, found))
        hopes = mean + _HOPE * np.sqrt(np.maximum(np.diag(covariance), 0.0))
        order = np.argsort(-hopes)
        found = [found[at] for at in order[:_NUM_ANYWHERE]]
        bases, width = found[:_NUM_BASES], width / 2
    return found


def _near(
    space: SearchSpace, bases: list[Params], width: float, source: random.Random
) -> Iterator[Params]:
    for _ in range(_NUM_NEAR):
        base = source.choice(bases)
        whole = {name: _moved(space, name, base, width, source) for name in space}
        params = space.active(whole)
        if space.keeps(params):
            yield params


def _moved(
    space: SearchSpace, name: str, base: Params, width: float, source: random.Random
) -> ParamValue:
    parameter = space[name]
    if name not in base or (isinstance(parameter, Choice) and not parameter.is_ordered):
        stays = name in base and source.random() < 0.8
        return base[name] if stays else parameter.at(source.random())
    here = parameter.position(base[name])  # type: ignore[arg-type]
    return parameter.at(min(max(here + source.gauss(0.0, width), 0.0), 1.0))


def _encoded(space: SearchSpace, configurations: Sequence[Params]) -> NDArray[np.float64]:
    """Return positions from 0 to 1: a column per number, one per value of an unordered choice."""
    rows = [[each for name in space for each in _place(space, name, p)] for p in configurations]
    return np.array(rows, dtype=float)


def _place(space: SearchSpace, name: str, params: Params) -> list[float]:
    parameter = space[name]
    if isinstance(parameter, Choice) and not parameter.is_ordered:
        index = parameter.index(params[name]) if name in params else -1
        # So that two values are one apart.
        return [0.5**0.5 * (place == index) for place in range(len(parameter.values))]
    return [parameter.position(params[name]) if name in params else 0.5]  # type: ignore[arg-type]


@dataclass(frozen=True)
class _Process:
    """A Gaussian process with Matern's kernel (5/2), conditioned on what is known.

    Attributes:
        points: Where something is known.
        values: What, in units of its spread.
        variance: Of the noise, in these units.
        lengths: Over which distance along each column values are alike.
        scale: Variance of the values without noise.
    """

    points: NDArray[np.float64]
    values: NDArray[np.float64]
    variance: float
    lengths: NDArray[np.float64]
    scale: float

    @classmethod
    def fitted(
        cls, points: NDArray[np.float64], values: NDArray[np.float64], variance: float, seed: int
    ) -> _Process:
        """Return the process of the most plausible lengths and scale, found by a local search."""
        generator, columns = np.random.default_rng(seed), points.shape[1]
        usual = 0.5 * columns**0.5
        starts = [
            (usual * np.exp(generator.normal(size=columns)), float(np.exp(generator.normal())))
            for _ in range(_NUM_STARTS)
        ]
        tried = [cls(points, values, variance, lengths, scale) for lengths, scale in starts]
        best = max(tried, key=lambda process: process.plausibility)
        for sweep in range(_NUM_SWEEPS):
            factor = (3.0, 2.0, 1.5)[sweep]
            for column in range(-1, columns):
                best = max(best.varied(column, factor), key=lambda process: process.plausibility)
        return best

    def varied(self, column: int, factor: float) -> list[_Process]:
        """Return this process, and those with a longer and a shorter length of one column."""
        found = [self]
        for by in (factor, 1.0 / factor):
            lengths, scale = self.lengths.copy(), self.scale
            if column < 0:
                scale *= by
            else:
                lengths[column] *= by
            found.append(_Process(self.points, self.values, self.variance, lengths, scale))
        return found

    @property
    def plausibility(self) -> float:
        """How well it explains the values, with priors that keep it from what no data speak for."""
        known = self._among(self.points, self.points) + self._noise(len(self.points))
        try:
            lower = np.linalg.cholesky(known)
        except np.linalg.LinAlgError:
            return -np.inf
        half = np.linalg.solve(lower, self.values)
        fit = -0.5 * half @ half - np.log(np.diag(lower)).sum()
        usual = np.log(0.5 * self.points.shape[1] ** 0.5)
        prior = -0.5 * ((np.log(self.lengths) - usual) ** 2).sum() - 0.5 * np.log(self.scale) ** 2
        return float(fit + prior)

    def at(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean and covariance at some points."""
        known = self._among(self.points, self.points) + self._noise(len(self.points))
        lower = np.linalg.cholesky(known)
        half = np.linalg.solve(lower, self._among(self.points, points))
        mean = half.T @ np.linalg.solve(lower, self.values)
        covariance = self._among(points, points) - half.T @ half
        return mean, (covariance + covariance.T) / 2

    def _noise(self, count: int) -> NDArray[np.float64]:
        return np.eye(count) * (self.variance + _JITTER)

    def _among(
        self, points: NDArray[np.float64], others: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        left, right = points / self.lengths, others / self.lengths
        squares = (left**2).sum(1)[:, None] + (right**2).sum(1)[None, :] - 2.0 * left @ right.T
        away = np.sqrt(5.0 * np.maximum(squares, 0.0))
        kernel = self.scale * (1.0 + away + away**2 / 3.0) * np.exp(-away)
        return np.asarray(kernel, dtype=float)
