"""From settings to boosted trees for tables by LightGBM: one report per some rounds of boosting.

Each iteration goes on from the text of the model so far, whether it stands in memory or in a
checkpoint, with generators seeded by the trial's seed and the number of the iteration. So a trial
that goes on is equal to one that never stopped, and no round is boosted twice.

Source:
    Ke et al. (2017), "LightGBM: a highly efficient gradient boosting decision tree", NeurIPS 30.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightgbm
import numpy as np

from hpo_app.errors import Problem
from hpo_app.study.files import open_to_read
from hpo_app.training.checkpoint import unreadable_state
from hpo_app.training.contract import ConfigurationError
from hpo_app.training.encoding import scores
from hpo_app.training.reports import OF_THE_RUN, checked_count, checked_number, checked_settings
from hpo_app.training.seeds import derive_seed
from hpo_app.training.tables import load_table


if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from hpo_app.training.contract import Trial
    from hpo_app.training.tables import Table

_STATE_FILE = "trees.txt"
_COUNTS = ("num_leaves", "min_child_samples", "max_bin")
_NUMBERS = ("learning_rate", "feature_fraction", "bagging_fraction", "lambda_l1", "lambda_l2")


def train(
    model: dict[str, Any], data: dict[str, Any], training: dict[str, Any], trial: Trial
) -> None:
    """Boost trees; report the scores of the validation rows after each iteration.

    Args:
        model: Parameters of LightGBM by its names: `num_leaves`, `min_child_samples`, `max_bin`,
            `learning_rate`, `feature_fraction`, `bagging_fraction`, `lambda_l1`, `lambda_l2`.
        data: Settings as `tables.load_table` takes them.
        training: `iterations`, and `rounds_per_iteration`.
        trial: Where to report and what to continue from.

    Raises:
        ConfigurationError: If the settings do not describe a training run.
        RunFolderError: If the checkpoint is damaged.
    """
    settings = checked_settings(model, "model", (*_COUNTS, *_NUMBERS), OF_THE_RUN)
    for key in _COUNTS:
        checked_count(settings[key], f"model.{key}")
    for key in _NUMBERS:
        checked_number(settings[key], f"model.{key}")
    iterations = checked_count(training.get("iterations"), "training.iterations")
    rounds = checked_count(training.get("rounds_per_iteration"), "training.rounds_per_iteration")
    table = load_table(data)
    text = None if trial.checkpoint is None else _read(trial.checkpoint / _STATE_FILE)
    for iteration in range(trial.iteration + 1, iterations + 1):
        seed = derive_seed(trial.seed, "iteration", iteration)
        parameters = _parameters(settings, table, seed=seed, num_cpus=trial.num_cpus)
        booster = _boosted(table, parameters, rounds, text)
        text = booster.model_to_string()
        truth = table.target[table.validation]
        predicted = np.asarray(booster.predict(_numbered(table.features.iloc[table.validation])))
        if len(table.classes) == 2:
            predicted = np.column_stack([1.0 - predicted, predicted])
        _report(trial, scores(table, truth, predicted), text)


def _parameters(
    settings: Mapping[str, Any], table: Table, *, seed: int, num_cpus: int
) -> dict[str, Any]:
    several = {"objective": "multiclass", "num_class": len(table.classes)}
    objective = {0: {"objective": "regression"}, 2: {"objective": "binary"}}
    return {
        **{key: settings[key] for key in (*_COUNTS, *_NUMBERS)},
        **objective.get(len(table.classes), several),
        "bagging_freq": 1,
        "seed": seed,
        # Otherwise LightGBM picks a layout by timing it, and sums depend on the layout.
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": num_cpus,
        "verbosity": -1,
    }


def _boosted(
    table: Table, parameters: dict[str, Any], rounds: int, text: str | None
) -> lightgbm.Booster:
    rows = lightgbm.Dataset(
        _numbered(table.features.iloc[table.train]), table.target[table.train], params=parameters
    )
    former = None if text is None else lightgbm.Booster(model_str=text)
    try:
        return lightgbm.train(parameters, rows, num_boost_round=rounds, init_model=former)
    except lightgbm.basic.LightGBMError as error:
        expected, fix = "parameters that LightGBM takes", "change what the message names"
        raise ConfigurationError([Problem("model", str(error), expected, fix)]) from error


def _numbered(features: pd.DataFrame) -> pd.DataFrame:
    # LightGBM refuses names with characters that JSON would have to escape.
    return features.set_axis([f"feature_{place}" for place in range(features.shape[1])], axis=1)


def _report(trial: Trial, metrics: dict[str, float], text: str) -> None:
    if not trial.is_checkpoint_due:
        trial.report(metrics)
        return
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / _STATE_FILE).write_text(f"{_digest(text)}\n{text}", encoding="utf-8")
        trial.report(metrics, checkpoint=Path(folder))


def _read(path: Path) -> str:
    try:
        with open_to_read(path) as file:
            digest, _, text = file.read().decode("utf-8").partition("\n")
    except (OSError, ValueError) as error:
        raise unreadable_state(path, repr(error)) from error
    # LightGBM believes what it reads: a damaged model would end the process.
    if digest != _digest(text):
        raise unreadable_state(path, "another content than was written")
    return text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
