"""From a study to a storage of Optuna's, which optuna-dashboard and Optuna's own tools open."""

from __future__ import annotations

import tempfile
import warnings
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.study import StudyDirection
from optuna.trial import TrialState as OptunaState

from hpo_app.analysis.axes import parameter_axes
from hpo_app.analysis.failures import error_line
from hpo_app.plan.run_plan import Mode
from hpo_app.study.files import replace_file
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Mapping

    from optuna.distributions import BaseDistribution
    from optuna.trial import FrozenTrial

    from hpo_app.analysis.axes import ParameterAxis
    from hpo_app.plan.search_space import ParamValue
    from hpo_app.study.records import Study, TrialRecord

_DIRECTIONS = {Mode.MIN: StudyDirection.MINIMIZE, Mode.MAX: StudyDirection.MAXIMIZE}
_STATES = {
    TrialState.RUNNING: OptunaState.RUNNING,
    TrialState.FINISHED: OptunaState.COMPLETE,
    TrialState.STOPPED: OptunaState.PRUNED,
    TrialState.INTERRUPTED: OptunaState.PRUNED,
    TrialState.FAILED: OptunaState.FAIL,
}


def write_optuna(study: Study, path: Path) -> None:
    """Write a study as an SQLite file that Optuna opens; one that is there is replaced.

    Trials stand there in their order, with their states, curves and metrics. A value that is no
    number is a category, in the words of the tables.

    Raises:
        OSError: If nothing can be written there.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # SQLAlchemy takes a path for a part of an address, in which ? and % mean something.
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch, "optuna.db")
        _write(study, f"sqlite:///{file}")
        replace_file(path, file.read_bytes())


def _write(study: Study, url: str) -> None:
    storage = optuna.storages.RDBStorage(url)
    try:
        directions = [_DIRECTIONS[objective.mode] for objective in study.criteria.objectives]
        made = optuna.create_study(
            storage=storage, study_name=study.run_id or "run", directions=directions
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            made.set_metric_names([objective.metric for objective in study.criteria.objectives])
        axes = parameter_axes(study)
        distributions = {name: _distribution(study, axis) for name, axis in axes.items()}
        made.add_trials(_trial(trial, study, axes, distributions) for trial in study.trials)
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _distribution(study: Study, axis: ParameterAxis) -> BaseDistribution:
    if axis.words:
        return CategoricalDistribution(axis.words)
    values = [trial.params[axis.name] for trial in study.trials if axis.name in trial.params]
    if values and all(isinstance(value, int) for value in values):
        return IntDistribution(int(axis.low), int(axis.high), log=axis.is_log)
    return FloatDistribution(axis.low, axis.high, log=axis.is_log)


def _value(axis: ParameterAxis, value: ParamValue) -> Any:
    return axis.words[int(axis.place(value))] if axis.words else value


def _trial(
    trial: TrialRecord,
    study: Study,
    axes: Mapping[str, ParameterAxis],
    distributions: Mapping[str, BaseDistribution],
) -> FrozenTrial:
    criteria, last = study.criteria, trial.last
    values = [last[each.metric] for each in criteria.objectives if each.metric in last]
    is_whole = len(values) == len(criteria.objectives)
    state = _STATES[trial.state]
    if state is OptunaState.COMPLETE and not is_whole:
        state = OptunaState.FAIL
    # Optuna takes curves of one objective only, and no values of trials that are not over.
    is_valued = is_whole and state in {OptunaState.COMPLETE, OptunaState.PRUNED}
    is_valued &= not (criteria.has_several and state is OptunaState.PRUNED)
    made = optuna.trial.create_trial(
        state=state,
        values=values if is_valued else None,
        params={name: _value(axes[name], value) for name, value in trial.params.items()},
        distributions={name: distributions[name] for name in trial.params},
        intermediate_values={}
        if criteria.has_several
        else dict(trial.curve(criteria.objective.metric)),
        user_attrs=_remarks(trial),
        constraints=criteria.excesses(last) if criteria.are_in(last) else None,
    )
    began, ended = _moment(study, trial.started_s), _moment(study, trial.ended_s)
    made.datetime_start = began or made.datetime_start
    made.datetime_complete = (ended or made.datetime_start) if state.is_finished() else None
    return made


def _remarks(trial: TrialRecord) -> dict[str, Any]:
    remarks: dict[str, Any] = {"trial": trial.number, "seed": trial.seed}
    remarks |= {f"metrics.{name}": value for name, value in trial.last.items()}
    if trial.is_default:
        remarks["default"] = True
    if trial.error:
        remarks["error"] = error_line(trial.error)
    return remarks


def _moment(study: Study, seconds: float | None) -> datetime | None:
    """Return a moment of the run in the local time that Optuna writes; None if it is not known."""
    with suppress(ValueError, OverflowError):
        started = datetime.fromisoformat(str(study.facts.get("started_at")))
        started = started if started.tzinfo else started.replace(tzinfo=timezone.utc)
        if seconds is not None:
            return (started + timedelta(seconds=seconds)).astimezone().replace(tzinfo=None)
    return None
