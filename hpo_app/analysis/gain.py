"""From the ends of two curves to an interval of the gain over the default configuration."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpo_app.analysis.noise import FEWEST_REPORTS, noise_at_end
from hpo_app.analysis.once import once_per_study
from hpo_app.analysis.robust import LEVEL, student_quantile
from hpo_app.analysis.summary import summarize
from hpo_app.analysis.wording import counted, number


if TYPE_CHECKING:
    from hpo_app.analysis.summary import StudySummary
    from hpo_app.study.records import Study, TrialRecord

_MOST_REPORTS = 10


@dataclass(frozen=True)
class GainInterval:
    """What is known of the gain of the best trial over the default configuration.

    Attributes:
        gain: The difference of the last values, positive where the best trial is better; None if
            it is not known.
        low: Lower end of the interval; None if there is no interval.
        high: Upper end of the interval.
        sentence: The interval with what it covers, or why there is none.
    """

    gain: float | None
    low: float | None
    high: float | None
    sentence: str


@once_per_study
def gain_interval(study: Study) -> GainInterval:
    """Return the gain over the default with the interval that the noise of both curves gives.

    Each configuration was trained once, with one seed. So the interval covers how much a value
    moves from one report to the next at the end of its training, and nothing else: not another
    seed, and not that the best of many trials looks better than it is.

    The noise of each curve is estimated from its last 4 to 10 reports; the quantile is Student's,
    with the degrees of freedom of the shorter of both.
    """
    summary = summarize(study)
    gain, best, default = summary.gain, summary.best, summary.default
    if gain is None or best is None or default is None:
        return _unknown(summary)
    if best.number == default.number:
        return GainInterval(gain, None, None, "The default configuration itself is the best trial.")
    curves = [_values(trial, study.objective.metric) for trial in (best, default)]
    noises = [noise_at_end(curve, _MOST_REPORTS) for curve in curves]
    if any(noise is None for noise in noises):
        return GainInterval(gain, None, None, _why_no_interval(curves))
    spread = math.hypot(*(noise for noise in noises if noise is not None))
    if spread == 0.0:
        return GainInterval(gain, None, None, _on_no_noise())
    degrees = min(min(len(curve), _MOST_REPORTS) for curve in curves) - 2
    half = student_quantile(degrees) * spread
    return GainInterval(gain, gain - half, gain + half, _on_interval(gain, half))


def _values(trial: TrialRecord, metric: str) -> list[float]:
    return [value for _, value in trial.curve(metric)]


def _unknown(summary: StudySummary) -> GainInterval:
    text = f"{summary.gain_sentence}."
    return GainInterval(None, None, None, f"{text[0].upper()}{text[1:]}")


_ONCE = "How much another seed would change it is not known: each was trained once."


def _why_no_interval(curves: list[list[float]]) -> str:
    fewest = min(len(curve) for curve in curves)
    if fewest < FEWEST_REPORTS:
        return (
            f"How sure the gain is, is not known: {counted(fewest, 'report')} of a training tell "
            f"nothing of its noise, for which {FEWEST_REPORTS} are needed. Each was trained once."
        )
    return "How sure the gain is, is not known: the values are too far apart to compute with."


def _on_no_noise() -> str:
    return f"Both trainings end without noise, so there is no interval. {_ONCE}"


def _on_interval(gain: float, half: float) -> str:
    text = f"from {number(gain - half)} to {number(gain + half)}"
    doubt = "" if abs(gain) > half else ", so that it may be noise"
    return (
        f"By the noise at the end of both trainings, the gain is {text} ({LEVEL:.0%} interval)"
        f"{doubt}. {_ONCE}"
    )
