"""From settings to any estimator of scikit-learn, judged by cross-validation: one report per fold.

What is reported after a fold is the mean over the folds so far, so that a scheduler may stop an
estimator that is bad on the first ones. Folds are the same for all trials.
"""

from __future__ import annotations

import importlib
import inspect
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClusterMixin,
    is_classifier,
    is_outlier_detector,
    is_regressor,
)
from sklearn.metrics import f1_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import Pipeline

from hpo_app.errors import near_miss
from hpo_app.study.files import read_small
from hpo_app.training.checkpoint import unreadable_state
from hpo_app.training.contract import refusal
from hpo_app.training.encoding import encoder, scores
from hpo_app.training.reports import OF_THE_RUN, checked_count, checked_settings
from hpo_app.training.seeds import derive_seed
from hpo_app.training.tables import load_table


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hpo_app.training.contract import Trial
    from hpo_app.training.tables import Table

_STATE_FILE = "folds.json"


def train(
    model: dict[str, Any], data: dict[str, Any], training: dict[str, Any], trial: Trial
) -> None:
    """Fit an estimator to each fold's other rows; report the mean scores of the folds so far.

    Reported are `val_loss` where the estimator gives probabilities or numbers, `accuracy` and `f1`,
    or `rmse` and `r2`, as `encoding.scores` has them.

    Args:
        model: `estimator`, the path of a class, as `sklearn.svm.SVC`; `arguments`, its own;
            `steps`, transformers before it, each with `estimator` and `arguments`;
            `trusted_modules`, packages besides scikit-learn that a path may be from. Columns become
            numbers before the first step.
        data: Settings as `tables.load_table` takes them; all rows are used.
        training: `iterations`: folds.
        trial: Where to report and what to continue from.

    Raises:
        ConfigurationError: If the settings do not describe an estimator that fits the data.
        RunFolderError: If the checkpoint is damaged.
    """
    required = ("estimator", "arguments", "steps")
    settings = checked_settings(model, "model", required, (*OF_THE_RUN, "trusted_modules"))
    folds = checked_count(training.get("iterations"), "training.iterations")
    table = load_table(data)
    path = None if trial.checkpoint is None else trial.checkpoint / _STATE_FILE
    done = [] if path is None else _read(path, trial.iteration)
    for fold, (fitted, judged) in enumerate(_rows(table, folds, data["split_seed"]), start=1):
        if fold <= trial.iteration:
            continue
        pipeline = _pipeline(settings, table, derive_seed(trial.seed, "fold", fold), trial.num_cpus)
        done.append(_fold(pipeline, table, fitted, judged))
        means = {name: float(np.mean([each[name] for each in done])) for name in done[-1]}
        _report(trial, means, done)


def _rows(table: Table, folds: int, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    if folds < 2:
        raise refusal(
            "training.iterations", str(folds), "two folds or more", "training.iterations=5"
        )
    kind = StratifiedKFold if table.classes else KFold
    splitter = kind(folds, shuffle=True, random_state=seed)
    try:
        return list(splitter.split(table.features, table.target))
    except ValueError as error:
        fix = "fewer folds: training.iterations=2"
        raise refusal("training.iterations", str(error), "folds of rows enough", fix) from error


def _fold(
    pipeline: Pipeline, table: Table, fitted: np.ndarray, judged: np.ndarray
) -> dict[str, float]:
    try:
        pipeline.fit(table.features.iloc[fitted], table.target[fitted])
    except (ValueError, TypeError) as error:
        got = " ".join(str(error).split())[:300]
        expected = "arguments with which the estimator can be fitted to this data"
        raise refusal("model.arguments", got, expected, "change what the message names") from error
    features, truth = table.features.iloc[judged], table.target[judged]
    if not table.classes:
        return scores(table, truth, np.asarray(pipeline.predict(features), dtype=float))
    if hasattr(pipeline, "predict_proba"):
        return scores(table, truth, np.asarray(pipeline.predict_proba(features)))
    chosen = pipeline.predict(features)
    f1 = f1_score(truth, chosen, average="macro", zero_division=0)
    return {"accuracy": float(np.mean(chosen == truth)), "f1": float(f1)}


def _pipeline(settings: Mapping[str, Any], table: Table, seed: int, num_cpus: int) -> Pipeline:
    trusted = settings.get("trusted_modules") or ()
    steps = [("columns", encoder(table))]
    for place, step in enumerate(settings["steps"] or []):
        key = f"model.steps[{place}]"
        found = checked_settings(step, key, ("estimator",), ("arguments",))
        made = _made(found["estimator"], found.get("arguments") or {}, key, trusted)
        steps.append((f"step_{place}", made))
    last = _made(settings["estimator"], settings["arguments"] or {}, "model", trusted)
    _refuse_other_kind(last, str(settings["estimator"]), table)
    pipeline = Pipeline([*steps, ("estimator", last)])
    for _, part in [*steps[1:], ("", last)]:
        known = part.get_params(deep=False)
        ours = {"random_state": seed, "n_jobs": num_cpus}
        part.set_params(**{k: v for k, v in ours.items() if k in known and known[k] is None})
    return pipeline


def _refuse_other_kind(estimator: BaseEstimator, path: str, table: Table) -> None:
    """Refuse what predicts nothing, or something else than the target is."""
    needed = "classifier" if table.classes else "regressor"
    kinds = {
        "classifier": is_classifier(estimator),
        "regressor": is_regressor(estimator),
        "clusterer": isinstance(estimator, ClusterMixin),
        "outlier detector": is_outlier_detector(estimator),
    }
    kind = next((name for name, is_it in kinds.items() if is_it), None)
    if kind in {needed, None} and hasattr(estimator, "predict"):
        return
    of = "classes" if table.classes else "numbers"
    got = f"{path}, of the kind {kind or 'transformer'}"
    expected = f"a {needed}, because the target is one of {of}"
    fix = f"name a {needed}, or set data.task for another target"
    raise refusal("model.estimator", got, expected, fix)


def _made(path: object, arguments: Mapping[str, Any], key: str, trusted: Sequence[str]) -> Any:
    build = _class(str(path), key, trusted)
    known = inspect.signature(build).parameters
    takes_any = any(each.kind is each.VAR_KEYWORD for each in known.values())
    for name, value in arguments.items():
        if name == "memory" and isinstance(value, str):
            # Of joblib's: whoever wrote the config may have written that folder, too.
            expected = "null: what a cache on disk holds is pickled, and runs code when it is read"
            fix = f"remove {key}.arguments.{name}"
            raise refusal(f"{key}.arguments.{name}", value, expected, fix)
        if name not in known and not takes_any:
            near = near_miss(str(name), known)
            fix = f"write {key}.arguments.{near}" if near else f"remove {key}.arguments.{name}"
            expected = f"an argument of {path}"
            raise refusal(f"{key}.arguments.{name}", "an unknown argument", expected, fix)
    return build(**arguments)


def _class(path: str, key: str, trusted: Sequence[str]) -> Any:
    module, _, name = path.rpartition(".")
    expected = "the class of an estimator of scikit-learn, or of a module in trusted_modules"
    if not any(f"{module}.".startswith(f"{known}.") for known in ("sklearn", *trusted)):
        package = module.partition(".")[0] or path
        fix = f"trusted_modules=[{package}] on the command line, if you trust it"
        raise refusal(f"{key}.estimator", path, expected, fix)
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        fix = "write it like sklearn.svm.SVC"
        raise refusal(f"{key}.estimator", f"{path} ({error})", expected, fix) from error
    if not (isinstance(found, type) and issubclass(found, BaseEstimator)):
        raise refusal(f"{key}.estimator", path, expected, "write it like sklearn.svm.SVC")
    return found


def _report(trial: Trial, metrics: dict[str, float], done: list[dict[str, float]]) -> None:
    if not trial.is_checkpoint_due:
        trial.report(metrics)
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / _STATE_FILE).write_text(json.dumps(done), encoding="utf-8")
        trial.report(metrics, checkpoint=Path(folder))


def _read(path: Path, folds: int) -> list[dict[str, float]]:
    try:
        done = json.loads(read_small(path))
        found = [{str(name): float(value) for name, value in fold.items()} for fold in done]
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise unreadable_state(path, repr(error)) from error
    if len(found) != folds or len({frozenset(fold) for fold in found}) > 1:
        raise unreadable_state(path, f"{len(found)} folds, or other scores in some")
    return found
