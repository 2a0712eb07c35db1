"""From a claim to sentences: what is sure of the winner, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.analysis.robust import FEWEST, LEVEL
from hpo_app.analysis.wording import counted, number, plain


if TYPE_CHECKING:
    from hpo_app.analysis.claim import BesideBaseline, Claim, Difference, Replay, Worth
    from hpo_app.analysis.robust import Interval

NO_GAIN = "No significant gain over the default"
_THE_DEFAULT = "the default"


def claim_sentences(claim: Claim, metric: str) -> tuple[str, ...]:
    """Return what is claimed, as sentences: who won, the gains, the luck of the search, the replay.

    Args:
        claim: The claim; its own sentences are not looked at.
        metric: Name of the objective.
    """
    said = [f"{_on_winner(claim)} {_on_value(claim.winner, metric)}", _on_default(claim)]
    said += [_on_baseline(claim, beside) for beside in claim.baselines]
    if claim.optimism is not None and claim.search_value is not None:
        said.append(_on_luck(claim.search_value, claim.optimism))
    if claim.replay is not None:
        said.append(_on_replay(claim.replay))
    return tuple(said)


def _on_winner(claim: Claim) -> str:
    who = f"trial {claim.winner.trial}"
    # In commas, before what it did.
    who += ", the default configuration," if claim.is_default else ""
    if claim.num_contenders == 1:
        return f"Confirmed: {who} was trained anew."
    return f"Confirmed: {who} won. {claim.num_contenders} contenders raced on fresh seeds."


def _on_value(worth: Worth, metric: str) -> str:
    seeds = counted(len(worth.values) + worth.num_failed, "seed")
    return f"On {seeds} that chose nobody, {plain(metric)} is {_told(worth)}."


def _on_luck(seen: float, optimism: float) -> str:
    far = number(abs(optimism))
    how = f", which was too good by {far}" if optimism > 0 else f", {far} less than that"
    return f"The search saw {number(seen)} with one seed{how if optimism else ''}."


def _told(worth: Worth) -> str:
    failed = f"; {counted(worth.num_failed, 'training')} failed" if worth.num_failed else ""
    if worth.mean is None:
        return "not known, because every training failed"
    between = _between(worth.interval)
    if worth.interval is None and len(worth.values) >= FEWEST:
        between = f" of {len(worth.values)} equal values"
    return f"{number(worth.mean)} (interquartile mean{between}){failed}"


def _between(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f", {LEVEL:.0%} interval {number(interval.low)} to {number(interval.high)}"


def _on_default(claim: Claim) -> str:
    if claim.is_default:
        return f"{NO_GAIN}: the default configuration itself won."
    if claim.over_default is None:
        return "There is no default configuration to compare with."
    return _on_gain(claim.over_default, _THE_DEFAULT)


def _on_baseline(claim: Claim, beside: BesideBaseline) -> str:
    source = plain(beside.source)
    name = f"baseline {source}"
    which = "the default configuration" if beside.is_default else f"trial {beside.trial}"
    if beside.is_winner and not claim.is_default:
        return f"No gain over {name}: it won itself."
    if beside.is_default:
        return f"Baseline {source} is {which}."
    if beside.difference is None:
        how = "was not tried" if beside.trial is None else f"({which}) came to nothing"
        return f"Nothing is known over {name}: it {how} in the search, and was not trained anew."
    return _on_gain(beside.difference, f"{name} ({which})")


def _on_gain(difference: Difference, other: str) -> str:
    """Return what is gained over another configuration, or that nothing is."""
    no_gain = f"No significant gain over {other}"
    if difference.gain is None:
        return f"{no_gain} is known: of one of both every training failed."
    it = "the default" if other == _THE_DEFAULT else "that baseline"
    interval, gain = difference.interval, number(difference.gain)
    reach = "" if interval is None else f" ({number(interval.low)} to {number(interval.high)})"
    beside = f"which comes to {_told(difference.to)}"
    better = f"one training of it beats one of {it} in {difference.probability:.0%}"
    if difference.is_significant:
        return f"The gain over {other} is {gain}{reach}, {beside}; {better}."
    worse = interval is not None and interval.high < 0.0
    note = f" {it.capitalize()} is the better one: take it." if worse else ""
    if difference.has_no_spread and difference.gain > 0.0:
        doubt = "every seed came to the same, on both sides, so that nothing tells how sure that is"
        return f"Over {other}, {beside}, the difference is {gain}: {doubt}; {better}."
    return f"{no_gain}, {beside}: the difference is {gain}{reach}; {better}.{note}"


def _on_replay(replay: Replay) -> str:
    head = f"best.yaml, trained once more with seed={replay.seed}, "
    if replay.value is None:
        return f"{head}failed, where {number(replay.recorded)} was recorded."
    if replay.is_exact:
        return f"{head}gave {number(replay.value)} again, to the last digit."
    return (
        f"{head}gave {number(replay.value)} instead of {number(replay.recorded)}: training is not "
        "deterministic here."
    )
