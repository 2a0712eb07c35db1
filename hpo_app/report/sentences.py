"""From a study to the sentences that every form of the report shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.analysis.best import settled_value
from hpo_app.analysis.prospect import DONE, prospect_of, prospect_sentence
from hpo_app.analysis.summary import summarize
from hpo_app.analysis.verdict import verdict_of
from hpo_app.errors import listed
from hpo_app.report.format import bounds_text, counted, duration, number, objectives_text, plain
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpo_app.analysis.summary import StudySummary
    from hpo_app.plan.criteria import Criteria
    from hpo_app.study.earlier import EarlierRun
    from hpo_app.study.records import Study, TrialRecord

_MOST_NUMBERS = 12


def winner_sentence(summary: StudySummary) -> str:
    """Return who won with what, and what was gained by it."""
    gain = summary.gain_sentence
    if summary.best is None:
        return f"{gain[0].upper()}{gain[1:]}."
    best = summary.best
    after = counted(best.iterations, "iteration")
    value = f"{objectives_text(best.last, summary.criteria)} after {after}"
    if summary.unmet:
        beyond = bounds_text(summary.unmet, best.last)
        keeps = "the constraint" if len(summary.criteria.constraints) == 1 else "all constraints"
        nearest = f"the nearest, trial {best.number}, has {value} and does not keep {beyond}"
        return f"No trial keeps {keeps}: {nearest}."
    if summary.criteria.has_several:
        return f"{_on_the_front(summary)} {value}. {gain[0].upper()}{gain[1:]}."
    if summary.is_confirmed:
        # The gain of one lucky seed would stand beside what fresh ones say.
        what = "won on" if summary.has_won_race else "was trained anew with"
        return f"Trial {best.number} {what} fresh seeds; the search saw {value}."
    who = f"Trial {best.number} is best{_by_mean(summary, best)}"
    return f"{who} with {value}: {gain}.{_on_the_rest(summary)}"


def _by_mean(summary: StudySummary, best: TrialRecord) -> str:
    criteria = summary.criteria
    if criteria.averaged == 1:
        return ""
    mean = number(settled_value(best, criteria))
    return f" by the mean of its last {criteria.averaged} reports, {mean},"


def result_text(study: Study) -> str:
    """Return what a run came to, as `loss 0.2`; empty if no trial has a value."""
    summary, verdict = summarize(study), verdict_of(study)
    if summary.best is None:
        return ""
    if not verdict.is_confirmed or summary.criteria.has_several:
        return objectives_text(summary.best.last, summary.criteria)
    return f"{plain(summary.objective.metric)} {number(verdict.value)} on fresh seeds"


def unconfirmed_sentences(study: Study) -> list[str]:
    """Return that a confirmation was cut off, and how far it is; nothing where it was not."""
    if study.race is None or study.winner is not None or not study.is_to_confirm:
        return []
    ended = sum(not trial.state.is_open for trial in study.fresh)
    trained = (
        f"{counted(ended, 'training')} with fresh seeds {'has' if ended == 1 else 'have'} ended"
    )
    return [f"Not confirmed yet: {trained}, and action=resume goes on with them."]


def baseline_sentences(study: Study, best: TrialRecord | None) -> list[str]:
    """Return how the best trial of a search stands to each configuration that a person brought.

    Each was trained once. What fresh seeds say, `claim_of` tells.
    """
    metric, sign = study.objective.metric, study.objective.sign
    said = []
    for baseline in study.baselines:
        trial = study.trial_of(baseline)
        value = None if trial is None else trial.value(metric)
        name = f"Baseline {plain(baseline.source)}"
        if trial is None or value is None or best is None:
            said.append(f"{name} has no value yet.")
            continue
        head = f"{name}, trial {trial.number}, has {plain(metric)} {number(value)}"
        gain = sign * (best.last[metric] - value)
        if best.number == trial.number:
            said.append(f"{head}: it is the best one itself.")
        elif gain > 0.0:
            said.append(f"{head}: the best one is better by {number(gain)}, with one seed each.")
        else:
            said.append(f"{head}: the best one is no better, with one seed each.")
    return said


def prospect_sentences(study: Study) -> list[str]:
    """Return that further trials are not worth it, where that is so and was not the end itself."""
    prospect = prospect_of(study)
    if prospect is None or not prospect.is_done or DONE in study.stop_reason:
        return []
    text = prospect_sentence(prospect)
    return [f"{text[0].upper()}{text[1:]}."]


def _on_the_front(summary: StudySummary) -> str:
    best, front = summary.best, summary.front
    if best is None or not front:
        return "No trial was trained to its end: the most balanced one so far has"
    on_it = "1 trial is" if len(front) == 1 else f"{len(front)} trials are"
    return (
        f"{on_it} on the Pareto front, {ranges_text(front, summary.criteria)}. "
        f"Trial {best.number} is the most balanced one, with"
    )


def ranges_text(front: Sequence[TrialRecord], criteria: Criteria) -> str:
    """Return from where to where a Pareto front reaches: `loss 0.1 to 0.5 and cost 2 to 9`."""
    texts = []
    for objective in criteria.objectives:
        values = [trial.last[objective.metric] for trial in front]
        texts.append(f"{plain(objective.metric)} {number(min(values))} to {number(max(values))}")
    return listed(texts)


def _on_the_rest(summary: StudySummary) -> str:
    """Warn that the best trial was not trained to where the constraints count."""
    best = summary.best
    if best is None or not summary.criteria.constraints or best.state is TrialState.FINISHED:
        return ""
    if best.iterations >= summary.iterations:
        return ""
    return (
        f" It was trained for {best.iterations} of {summary.iterations} iterations: whether it "
        "keeps the constraints at its end is not known."
    )


def ending_sentence(study: Study, summary: StudySummary) -> str:
    """Return how many trials stand how, and why the run ended."""
    reason = plain(study.stop_reason).strip() or "The run has not ended"
    states = listed(f"{count} {state.value}" for state, count in summary.counts.items() if count)
    of = f"{summary.num_trials} of {counted(study.num_trials, 'trial')}"
    stand = f"{of} in {duration(study.duration_s)}{f': {states}' if states else ''}"
    return f"{reason[0].upper()}{reason[1:].rstrip('.')}. {stand}."


def changed_sentence(summary: StudySummary) -> str:
    """Return a warning if the winner's parameters changed while it trained; empty if not."""
    best = summary.best
    if best is None or not best.clones:
        return ""
    return (
        f"Trial {best.number} went on from other trials' states "
        f"{counted(len(best.clones), 'time')} and changed its parameters on the way: trained from "
        "the start with the last ones alone, it can give another result. action=train goes through "
        "all of them where schedule.yaml stands beside best.yaml."
    )


def earlier_sentence(run: EarlierRun) -> str:
    """Return how many trials of an earlier run are taken over, and why the others are not."""
    text = f"{len(run.taken)} of {counted(run.num_trials, 'trial')} of {plain(run.folder)} taken"
    if run.left_out:
        left = (f"{trial_numbers(numbers)} {reason}" for reason, numbers in run.left_out.items())
        text += f"; left out: {'; '.join(left)}"
    if run.differing:
        text += f"; it had other values of {listed(run.differing)}"
    return text


def failure_sentence(summary: StudySummary) -> str:
    """Return how many trials failed and the most frequent reason; empty if none failed."""
    if not summary.failures:
        return ""
    line, numbers = next(iter(summary.failures.items()))
    total = counted(summary.counts[TrialState.FAILED], "trial")
    others = len(summary.failures) - 1
    more = f" (and {counted(others, 'other reason')})" if others else ""
    return f"{total} failed; {trial_numbers(numbers)}: {line}{more}"


def trial_numbers(numbers: Sequence[int]) -> str:
    """Return `trial 3`, `trials 3 and 5`, or the first dozen and how many more."""
    noun = "trial" if len(numbers) == 1 else "trials"
    if len(numbers) <= _MOST_NUMBERS:
        return f"{noun} {listed(numbers)}"
    first = ", ".join(str(number) for number in numbers[:_MOST_NUMBERS])
    return f"{noun} {first} and {len(numbers) - _MOST_NUMBERS} more"
