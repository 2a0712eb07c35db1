"""What a run came to, for whoever compares it with others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpo_app.analysis.claim import claim_of
from hpo_app.analysis.summary import summarize


if TYPE_CHECKING:
    from hpo_app.study.records import Study


@dataclass(frozen=True)
class Verdict:
    """What a run came to, by the best that is known of it.

    Attributes:
        value: Of the winner; None if no trial has a value.
        default: Of the default configuration; None if that is not known.
        gain: By how much the winner is better; None if that is not known.
        is_confirmed: Whether these are means on fresh seeds, and no single values.
    """

    value: float | None
    default: float | None
    gain: float | None
    is_confirmed: bool


def verdict_of(study: Study) -> Verdict:
    """Return what a run came to, on fresh seeds where its winner was confirmed.

    The best of many single values is too good by chance, and the more so the more trials there
    were: where more is known, it is not shown.
    """
    claim = claim_of(study)
    if claim is None or claim.winner.mean is None:
        seen = summarize(study)
        # Where every training with a fresh seed failed, nothing is claimed of a gain.
        gain = seen.gain if claim is None else None
        return Verdict(seen.best_value, seen.default_value, gain, is_confirmed=False)
    value = claim.winner.mean
    if claim.is_default:
        return Verdict(value, value, 0.0, is_confirmed=True)
    default = claim.default.mean if claim.default is not None else None
    return Verdict(value, default, claim.gain, is_confirmed=True)
