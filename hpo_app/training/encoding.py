"""From a table's columns to numbers, and from predictions to scores."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import f1_score, log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from hpo_app.errors import Problem, listed
from hpo_app.training.contract import ConfigurationError


if TYPE_CHECKING:
    from hpo_app.training.tables import Table

# Rarer values of a categorical column share one place.
_MOST_CATEGORIES = 50


class Encoded(NamedTuple):
    """Numbers of a table, standardised: `float32[rows, places]` and the target of the same rows."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_validation: np.ndarray
    y_validation: np.ndarray


def encoder(table: Table) -> ColumnTransformer:
    """Return what makes numbers of a table: standardised ones, and one place for each category.

    Missing numbers become the median of the rows that it is fitted to; a column without any is left
    out. A missing category is one of its own, and one that those rows do not have has no place.
    """
    categorical = list(table.features.select_dtypes("category").columns)
    numeric = [column for column in table.features.columns if column not in categorical]
    one_hot = OneHotEncoder(
        handle_unknown="ignore", max_categories=_MOST_CATEGORIES, sparse_output=False
    )
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numeric),
            ("categories", one_hot, categorical),
        ],
        verbose_feature_names_out=False,
    )


@lru_cache(maxsize=4)
def encoded(table: Table) -> Encoded:
    """Return a table as numbers, fitted to its training rows; once per process and table."""
    _refuse_infinities(table)
    fitted = encoder(table)
    x_train = fitted.fit_transform(table.features.iloc[table.train]).astype(np.float32)
    x_validation = fitted.transform(table.features.iloc[table.validation]).astype(np.float32)
    arrays = Encoded(
        x_train, table.target[table.train], x_validation, table.target[table.validation]
    )
    for array in arrays:
        array.setflags(write=False)
    return arrays


def _refuse_infinities(table: Table) -> None:
    numbers = table.features.select_dtypes("number")
    names = [str(name) for name in numbers.columns if np.isinf(numbers[name]).any()]
    if names:
        expected = "finite numbers, or empty where nothing is known"
        fix = f"mend the table, or data.drop=[{','.join(names)}]"
        problem = Problem(f"column {listed(names)}", "infinite values", expected, fix)
        raise ConfigurationError([problem])


def scores(table: Table, truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return how good predictions are.

    Args:
        table: The table that the rows are of.
        truth: Targets of the rows.
        predicted: `float[rows, classes]` probabilities, or `float[rows]` values of a regression.

    Returns:
        `val_loss` (the cross entropy in nats), `accuracy` and `f1` (the mean over the classes); of
        a regression `val_loss` (the mean squared error), `rmse` in the target's unit, and `r2`.
    """
    if not table.classes:
        squared = float(np.mean((truth - predicted) ** 2))
        spread = float(np.var(truth))
        r2 = 1.0 - squared / spread if spread else 0.0
        return {"val_loss": squared, "rmse": squared**0.5, "r2": r2}
    names = range(len(table.classes))
    chosen = predicted.argmax(axis=1)
    return {
        "val_loss": float(log_loss(truth, predicted, labels=list(names))),
        "accuracy": float(np.mean(chosen == truth)),
        "f1": float(f1_score(truth, chosen, labels=list(names), average="macro", zero_division=0)),
    }


def finite(value: Any) -> bool:
    """Return whether all numbers of an array are finite."""
    return bool(np.isfinite(value).all())
