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
# A mean of equal values may differ from them in the last digit.
_ROUNDING = 1e-9


def claim_sentences(claim: Claim, metric: str) -> tuple[str, ...]:
    """Return what is claimed, as sentences: who won, the gains, the luck of the search, the replay.

    Args:
        claim: The claim; its own sentences are not looked at.
        metric: Name of the objective.
    """
    said = [f"{_on_winner(claim)} {_on_value(claim.winner, metric)}"]
    said += [*_on_worst(claim.winner), _on_default(claim)]
    said += [_on_baseline(claim, beside) for beside in claim.baselines]
    said += _on_earlier(claim)
    if claim.search_value is not None and claim.winner.mean is not None:
        said.append(_on_luck(claim, claim.search_value))
    if claim.replay is not None:
        said.append(_on_replay(claim.replay))
    # A baseline may have been named twice.
    return tuple(dict.fromkeys(said))


def _on_winner(claim: Claim) -> str:
    who = f"trial {claim.winner.trial}"
    # In commas, before what it did.
    who += ", the default configuration," if claim.is_default else ""
    head, count = "Confirmed" if claim.is_confirmed else "Not confirmed", claim.num_contenders
    if not claim.has_survivor:
        none = f"none of {count} contenders came through a race on fresh seeds"
        return f"Not confirmed: {none}. Until the last of them failed, {who} was the best."
    few = (
        ""
        if claim.is_confirmed
        else f" Of fewer than {FEWEST} values nobody knows how sure they are."
    )
    if count == 1:
        return f"{head}: {who} was trained anew.{few}"
    return f"{head}: {who} won. {count} contenders raced on fresh seeds.{few}"


def _on_value(worth: Worth, metric: str) -> str:
    seeds = counted(_num_trainings(worth), "seed")
    return f"On {seeds} that chose nobody, {plain(metric)} is {_told(worth)}."


def _on_worst(worth: Worth) -> list[str]:
    """Return how bad a further seed may be: a mean hides the one seed in ten that does not learn.

    Where trainings failed, that is said beside the mean, and is the worst there is.
    """
    if worth.worst is None or worth.most_worse is None:
        return []
    count = len(worth.values)
    return [
        f"The worst of {counted(count, 'seed')} came to {number(worth.worst)}: with "
        f"{LEVEL:.0%} confidence, at most {worth.most_worse:.0%} of other seeds do worse."
    ]


def _num_trainings(worth: Worth) -> int:
    return len(worth.values) + worth.num_failed


def _on_luck(claim: Claim, seen: float) -> str:
    optimism = claim.optimism
    if optimism is None:
        after = counted(claim.search_iterations, "iteration")
        return f"The search saw {number(seen)} with one seed, and trained it for {after} only."
    if abs(optimism) <= _ROUNDING * abs(seen):
        return f"The search saw {number(seen)} with one seed."
    far = number(abs(optimism))
    how = f", which was too {'good' if optimism > 0 else 'bad'} by {far}"
    return f"The search saw {number(seen)} with one seed{how}."


def _told(worth: Worth) -> str:
    if worth.mean is None:
        return "not known, because every training failed"
    failed = f"; {counted(worth.num_failed, 'training')} failed" if worth.num_failed else ""
    unmet = counted(worth.num_unmet, "training")
    failed += f"; {unmet} did not keep the constraints" if worth.num_unmet else ""
    between = _between(worth.interval)
    if worth.interval is None and len(worth.values) >= FEWEST:
        are_equal = min(worth.values) == max(worth.values)
        between = f" of {len(worth.values)} {'equal values' if are_equal else 'values'}"
    return f"{number(worth.mean)} (interquartile mean{between}){failed}"


def _between(interval: Interval | None) -> str:
    if interval is None:
        return ""
    return f", {LEVEL:.0%} interval {number(interval.low)} to {number(interval.high)}"


def _on_default(claim: Claim) -> str:
    if claim.is_default and claim.num_contenders == 1:
        return f"{NO_GAIN}: the search saw nothing better than the default configuration itself."
    if claim.is_default:
        return f"{NO_GAIN}: the default configuration itself won."
    if claim.over_default is None:
        return "There is no default configuration to compare with."
    return _on_gain(claim, claim.over_default, _THE_DEFAULT, _THE_DEFAULT)


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
    return _on_gain(claim, beside.difference, f"{name} ({which})", "that baseline")


def _on_earlier(claim: Claim) -> list[str]:
    """Return what is gained over whoever won before, unless it is spoken of under another name."""
    over = claim.over_earlier
    if over is None or any(over.to.trial == each.trial for each in claim.baselines):
        return []
    if claim.default is not None and over.to.trial == claim.default.trial:
        return []
    it = "the earlier winner"
    return [_on_gain(claim, over, f"{it} (trial {over.to.trial})", it)]


def _on_gain(claim: Claim, difference: Difference, other: str, it: str) -> str:
    """Return what is gained over another configuration, or that nothing is.

    Args:
        claim: The claim.
        difference: To the other one.
        other: What it is called at first.
        it: What it is called after that.
    """
    no_gain = f"No significant gain over {other}"
    if not claim.has_survivor:
        return f"{no_gain} is claimed, because no contender came through the race."
    if difference.gain is None:
        whose = it if difference.to.mean is None else "the winner"
        return f"{no_gain} is known: every training of {whose} failed."
    interval, gain = difference.interval, number(difference.gain)
    reach = "" if interval is None else f" ({number(interval.low)} to {number(interval.high)})"
    beside = f"which comes to {_told(difference.to)}"
    pairs = _num_trainings(claim.winner) * _num_trainings(difference.to)
    better = (
        f"one training of it beats one of {it} in {difference.probability:.0%} of {pairs} pairs"
    )
    if difference.is_significant:
        return f"The gain over {other} is {gain}{reach}, {beside}; {better}."
    worse = interval is not None and interval.high < 0.0
    # What breaks the constraints, or fails more often, is none to take for its better values.
    is_sound = (
        difference.is_sound
        and not difference.to.num_unmet
        and difference.to.num_failed <= claim.winner.num_failed
    )
    note = f" {it.capitalize()} is the better one: take it." if worse and is_sound else ""
    if interval is not None and interval.low > 0.0:
        what = "failed" if difference.fails_more else "did not keep the constraints"
        note = f" But it {what} with more seeds than {it}."
    if difference.has_no_spread and difference.gain > 0.0:
        same = "without the outer quarters, every seed came to the same, on both sides"
        doubt = f"{same}, so that nothing tells how sure that is"
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
