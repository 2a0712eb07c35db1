"""From results to a mapping of what is worth knowing of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpo_app.analysis.gain import gain_interval
from hpo_app.analysis.importance import parameter_importance
from hpo_app.analysis.verdict import verdict_of
from hpo_app.report.sentences import ending_sentence, winner_sentence
from hpo_app.report.summary_json import claim_fields


if TYPE_CHECKING:
    from hpo_app.api.results import Results
    from hpo_app.study.records import TrialRecord

_TOP = 5


def analyze(results: Results, top: int = _TOP) -> dict[str, Any]:
    """Return what is worth knowing of a run, as plain values.

    Args:
        results: The run.
        top: How many of the best trials to tell of.

    Returns:
        `best_trial` (`number`, `score`, `params`, `iterations`, `state`; None while no trial has a
        value), `top_k_trials` (the same of the best ones, best first), `parameter_importance`
        (`{name: share}`, shares in `[0, 1]`, largest first; empty where it cannot be told) and
        `importance_notes` (what a reader of it has to know, as sentences) with
        `importance_method`, `importance_trials` and `importance_iteration` (how, from how many
        trials and at which iteration it was measured), `metric`, `mode`, `counts` by state,
        `num_trials`, `default_score`, `gain_over_default` (in the objective's direction; None where
        it is not known), `gain_interval` (`(low, high)` or None) and `gain_note` (what the interval
        covers, or why there is none), `confirmed` (what fresh seeds say, as in `summary.json`, and
        by `is_confirmed` whether that is enough; None where no race has ended; where one has, the
        gain, its interval and its note are from there, and no score is), `durations_s` in seconds
        (`run`, `all_trials`, `mean_trial`), `stop_reason`, `headline` and `ending`, two sentences.
    """
    summary, study, claim = results.summary, results.study, results.claim
    importance, gain = parameter_importance(study), gain_interval(study)
    ends = (gain.low, gain.high) if claim is None else claim.gain_interval or (None, None)
    seconds = [trial.duration_s for trial in study.trials if trial.duration_s is not None]
    return {
        "metric": results.metric,
        "mode": results.mode,
        "best_trial": _told(results, results.best_trial),
        "top_k_trials": [_told(results, trial) for trial in results.top(top)],
        "parameter_importance": {each.name: each.share for each in importance.parameters},
        "importance_method": importance.method.value,
        "importance_trials": importance.num_trials,
        "importance_iteration": importance.iteration,
        "importance_notes": list(importance.notes),
        "counts": {state.value: count for state, count in summary.counts.items()},
        "num_trials": summary.num_trials,
        "gain_over_default": verdict_of(study).gain,
        "gain_interval": None if ends[0] is None else tuple(ends),
        "gain_note": gain.sentence if claim is None else " ".join(claim.sentences),
        "confirmed": None if claim is None else claim_fields(claim),
        "default_score": summary.default_value,
        "durations_s": {
            "run": summary.duration_s,
            "all_trials": summary.trial_time_s,
            "mean_trial": sum(seconds) / len(seconds) if seconds else None,
        },
        "stop_reason": study.stop_reason,
        "headline": winner_sentence(summary),
        "ending": ending_sentence(study, summary),
    }


def _told(results: Results, trial: TrialRecord | None) -> dict[str, Any] | None:
    if trial is None:
        return None
    return {
        "number": trial.number,
        "score": trial.value(results.metric),
        "params": dict(trial.params),
        "iterations": trial.iterations,
        "state": trial.state.value,
    }
