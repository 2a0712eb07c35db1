"""From a study to the numbers that the page draws by itself, as JSON."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hpo_app.analysis.axes import LARGEST, parameter_axes
from hpo_app.analysis.pareto import pareto_front
from hpo_app.analysis.progress import best_so_far
from hpo_app.analysis.wording import number, plain, value_text
from hpo_app.report.shown_trials import shown_trials


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hpo_app.analysis.axes import ParameterAxis
    from hpo_app.plan.run_plan import Objective
    from hpo_app.study.records import Study, TrialRecord

# More would make the page slow to draw on a phone; a study of so many is a cloud anyway.
MAX_DRAWN = 1000
# No screen has room for more points of a curve; several objectives share them.
_MOST_OF_A_CURVE = 120
_MOST_WORDS = 12


def page_data(study: Study, ranked: Sequence[TrialRecord]) -> dict[str, Any]:
    """Return plain values for the page's script.

    Args:
        study: The run.
        ranked: Its trials, the best first, those without a value at the end.

    Returns:
        `objectives`, each with `metric`, `sign` (1 if more is better) and the `steps` of the best
        so far; `axes` of the parameters; and `trials`, each with a value and a curve per objective
        and its place on every axis as a share from 0 to 1.
    """
    objectives = study.criteria.objectives
    axes = list(parameter_axes(study).values())
    best = ranked[0].number if ranked else None
    front = {trial.number for trial in pareto_front(study)} if len(objectives) > 1 else set()
    drawn = [trial for _, trial in shown_trials(ranked, MAX_DRAWN)]
    return {
        "objectives": [_objective(study, objective) for objective in objectives],
        "axes": [_axis(axis) for axis in axes],
        "trials": [
            {**_trial(trial, study, axes, best), "front": trial.number in front}
            for trial in sorted(drawn, key=lambda trial: trial.number)
        ],
    }


def _objective(study: Study, objective: Objective) -> dict[str, Any]:
    alone = replace(study, criteria=replace(study.criteria, objectives=(objective,)))
    return {
        "metric": plain(objective.metric),
        "sign": objective.sign,
        "steps": [[trial, _short(value)] for trial, value in best_so_far(alone).steps],
    }


def _axis(axis: ParameterAxis) -> dict[str, Any]:
    if axis.words:
        last = max(len(axis.words) - 1, 1)
        every = -(-len(axis.words) // _MOST_WORDS)
        ticks = [[place / last, plain(word)] for place, word in enumerate(axis.words)][::every]
        if len(axis.words) == 1:
            ticks = [[0.5, plain(axis.words[0])]]
    else:
        shares = (0.5,) if axis.low == axis.high else (0.0, 0.5, 1.0)
        ticks = [[share, number(axis.at(share))] for share in shares]
    return {"name": plain(axis.name), "ticks": ticks}


def _trial(
    trial: TrialRecord, study: Study, axes: Sequence[ParameterAxis], best: int | None
) -> dict[str, Any]:
    metrics = [objective.metric for objective in study.criteria.objectives]
    values = [trial.value(metric) for metric in metrics]
    points = _MOST_OF_A_CURVE // len(metrics)
    return {
        "n": trial.number,
        "state": trial.state.value,
        "values": [None if value is None else _short(value) for value in values],
        "best": trial.number == best and values[0] is not None,
        "default": trial.is_default,
        "beyond": bool(trial.unmet(study.criteria)),
        "at": [_position(axis, trial.params) for axis in axes],
        "params": [
            value_text(trial.params[axis.name]) if axis.name in trial.params else None
            for axis in axes
        ],
        "curves": [
            _thinned([[at, _short(value)] for at, value in trial.curve(metric)], points)
            for metric in metrics
        ],
    }


def _position(axis: ParameterAxis, params: Mapping[str, Any]) -> float | None:
    if axis.name not in params:
        return None
    return round(axis.position(axis.place(params[axis.name])), 4)


def _thinned(points: list[list[float]], most: int) -> list[list[float]]:
    every = -(-len(points) // max(most, 2))
    if every <= 1:
        return points
    return [*points[:-1:every], points[-1]]


def _short(value: float) -> float:
    """Return a number that a chart can place, with as many digits as it can show."""
    value = min(max(value, -LARGEST), LARGEST)
    return value if not math.isfinite(value) or value == 0 else float(f"{value:.6g}")
