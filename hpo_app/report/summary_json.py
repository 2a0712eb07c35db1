"""From a study to `summary.json`: the result for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hpo_app.analysis.claim import claim_of
from hpo_app.analysis.gain import gain_interval
from hpo_app.analysis.summary import summarize
from hpo_app.analysis.verdict import verdict_of
from hpo_app.analysis.wording import finite
from hpo_app.study.files import replace_file
from hpo_app.study.judging import constraint_fields, objective_fields


if TYPE_CHECKING:
    from pathlib import Path

    from hpo_app.analysis.claim import BesideBaseline, Claim, Difference, Worth
    from hpo_app.analysis.robust import Interval
    from hpo_app.analysis.summary import StudySummary
    from hpo_app.plan.run_plan import Baseline
    from hpo_app.study.records import Study

SCHEMA_VERSION = 1


def write_summary(study: Study, path: Path) -> None:
    """Write the result as JSON, whole or not at all; a number that JSON lacks becomes text."""
    summary, gain, claim = summarize(study), gain_interval(study), claim_of(study)
    # As in every other place: the gain of one lucky seed would stand beside what fresh ones say.
    ends = (gain.low, gain.high) if claim is None else claim.gain_interval or (None, None)
    content = {
        "schema_version": SCHEMA_VERSION,
        "run_id": study.run_id,
        "objective": {"metric": study.objective.metric, "mode": study.objective.mode.value},
        "objectives": objective_fields(study.criteria.objectives),
        "constraints": constraint_fields(study.criteria.constraints),
        "counts": {state.value: count for state, count in summary.counts.items()},
        "best": _best(summary),
        "front": [
            {"number": trial.number, "metrics": dict(trial.last), "params": trial.params}
            for trial in summary.front
        ],
        "default_value": summary.default_value,
        "gain": verdict_of(study).gain,
        "gain_interval": None if ends[0] is None else list(ends),
        "confirmed": claim_fields(claim) if claim is not None else None,
        "stop_reason": study.stop_reason,
        "duration_s": study.duration_s,
        "seed": study.seed,
        "baselines": [_baseline(study, each) for each in study.baselines],
        "warm_start": study.facts.get("warm_start", {}),
    }
    replace_file(path, json.dumps(finite(content), indent=2, allow_nan=False) + "\n")


def _baseline(study: Study, baseline: Baseline) -> dict[str, Any]:
    trial = study.trial_of(baseline)
    return {
        "source": baseline.source,
        "params": baseline.params,
        "number": None if trial is None else trial.number,
        "value": None if trial is None else trial.value(study.objective.metric),
    }


def claim_fields(claim: Claim) -> dict[str, Any]:
    """Return a claim as plain values."""
    replay = claim.replay
    return {
        "is_confirmed": claim.is_confirmed,
        "winner": _worth(claim.winner),
        "default": _worth(claim.default) if claim.default is not None else None,
        "is_default": claim.is_default,
        "gain": claim.gain,
        "gain_interval": _ends(claim.gain_interval),
        "is_significant": claim.is_significant,
        "probability_of_improvement": claim.probability,
        "search_value": claim.search_value,
        "optimism": claim.optimism,
        "baselines": [_beside(each) for each in claim.baselines],
        "earlier": None if claim.over_earlier is None else _over(claim.over_earlier),
        "num_contenders": claim.num_contenders,
        "num_trainings": claim.num_trainings,
        "replay": None
        if replay is None
        else {
            "seed": replay.seed,
            "recorded": replay.recorded,
            "value": replay.value,
            "is_exact": replay.is_exact,
        },
    }


def _beside(beside: BesideBaseline) -> dict[str, Any]:
    difference = beside.difference
    return {
        "source": beside.source,
        "number": beside.trial,
        "is_winner": beside.is_winner,
        "is_default": beside.is_default,
        **(_over(difference) if difference is not None else _NOTHING_OVER),
    }


_NOTHING_OVER = {
    "worth": None,
    "gain": None,
    "gain_interval": None,
    "is_significant": False,
    "probability_of_improvement": None,
}


def _over(difference: Difference) -> dict[str, Any]:
    return {
        "worth": _worth(difference.to),
        "gain": difference.gain,
        "gain_interval": _ends(difference.interval),
        "is_significant": difference.is_significant,
        "probability_of_improvement": difference.probability,
    }


def _worth(worth: Worth) -> dict[str, Any]:
    return {
        "number": worth.trial,
        "interquartile_mean": worth.mean,
        "interval": _ends(worth.interval),
        "values": list(worth.values),
        "num_failed": worth.num_failed,
        "num_unmet": worth.num_unmet,
        "worst": worth.worst,
        "most_worse": worth.most_worse,
    }


def _ends(interval: Interval | None) -> list[float] | None:
    return None if interval is None else list(interval)


def _best(summary: StudySummary) -> dict[str, object] | None:
    best = summary.best
    if best is None:
        return None
    return {
        "number": best.number,
        "value": summary.best_value,
        "params": best.params,
        "iterations": best.iterations,
        "metrics": dict(best.last),
        "keeps_constraints": not summary.unmet,
    }
