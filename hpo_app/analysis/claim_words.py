"""From a claim to sentences: what is sure of the winner, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.analysis.robust import LEVEL
from hpo_app.analysis.wording import counted, number, plain


if TYPE_CHECKING:
    from hpo_app.analysis.claim import Claim, Replay, Worth
    from hpo_app.analysis.robust import Interval

NO_GAIN = "No significant gain over the default"


def claim_sentences(claim: Claim, metric: str) -> tuple[str, ...]:
    """Return what is claimed, as sentences: who won, the gain, the luck of the search, the replay.

    Args:
        claim: The claim; its own sentences are not looked at.
        metric: Name of the objective.
    """
    said = [f"{_on_winner(claim)} {_on_value(claim.winner, metric)}", _on_gain(claim)]
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
    text = f"{number(worth.mean)} (interquartile mean{_between(worth.interval)})"
    return text + failed


def _between(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f", {LEVEL:.0%} interval {number(interval.low)} to {number(interval.high)}"


def _on_gain(claim: Claim) -> str:
    if claim.is_default:
        return f"{NO_GAIN}: the default configuration itself won."
    if claim.default is None:
        return "There is no default configuration to compare with."
    if claim.gain is None:
        return f"{NO_GAIN} is known: of one of both every training failed."
    beside = f"which comes to {_told(claim.default)}"
    interval = claim.gain_interval
    reach = "" if interval is None else f" ({number(interval.low)} to {number(interval.high)})"
    better = f"one training of it beats one of the default in {claim.probability:.0%}"
    if claim.is_significant:
        return f"The gain over the default is {number(claim.gain)}{reach}, {beside}; {better}."
    worse = interval is not None and interval.high < 0.0
    note = " The default is the better one: take it." if worse else ""
    return f"{NO_GAIN}, {beside}: the difference is {number(claim.gain)}{reach}; {better}.{note}"


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
