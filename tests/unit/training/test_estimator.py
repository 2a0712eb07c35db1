"""What a config may hand to an estimator."""

from pathlib import Path
from typing import Any

import pytest

from hpo_app.training.contract import ConfigurationError
from hpo_app.training.fit_one import fit_one
from hpo_app.training.models.estimator import train


DATA = {"source": "diabetes", "validation_share": 0.25, "split_seed": 0}
MODEL: dict[str, Any] = {
    "estimator": "sklearn.linear_model.Ridge",
    "arguments": {},
    "steps": [],
}
# As the estimators of LightGBM and XGBoost, whose classes take most of their arguments so.
OPEN = """
from sklearn.linear_model import Ridge

class Open(Ridge):
    def __init__(self, *, alpha=1.0, **others):
        super().__init__(alpha=alpha)
        self.others = others
        self.solver = others.get("solver", "auto")

    def get_params(self, deep=True):
        return {"alpha": self.alpha, **self.others}

    def set_params(self, **params):
        return self
"""


def fit(**changes: Any) -> Any:
    model = {**MODEL, **changes}
    return fit_one(train, model, DATA, {"iterations": 2}, metric="val_loss", seed=0)


def test_no_cache_on_disk_is_read(tmp_path: Path) -> None:
    step = {
        "estimator": "sklearn.cluster.FeatureAgglomeration",
        "arguments": {"n_clusters": 3, "memory": str(tmp_path)},
    }
    with pytest.raises(ConfigurationError, match=r"remove model\.steps\[0\]\.arguments\.memory"):
        fit(steps=[step])
    assert not list(tmp_path.iterdir())
    step["arguments"] = {"n_clusters": 3, "memory": None}
    assert len(fit(steps=[step])) == 2


def test_arguments_of_an_open_signature_are_the_estimators_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "open_estimator.py").write_text(OPEN)
    monkeypatch.syspath_prepend(str(tmp_path))
    own = {"estimator": "open_estimator.Open", "trusted_modules": ["open_estimator"]}
    found = fit(**own, arguments={"alpha": 0.5, "solver": "svd"})
    plain = fit(arguments={"alpha": 0.5, "solver": "svd"})
    assert found == plain


@pytest.mark.parametrize(
    ("source", "path", "said"),
    [
        ("breast_cancer", "sklearn.linear_model.Ridge", "of the kind regressor"),
        ("breast_cancer", "sklearn.cluster.KMeans", "of the kind clusterer"),
        ("breast_cancer", "sklearn.ensemble.IsolationForest", "of the kind outlier detector"),
        ("breast_cancer", "sklearn.decomposition.PCA", "of the kind transformer"),
        ("diabetes", "sklearn.tree.DecisionTreeClassifier", "of the kind classifier"),
    ],
)
def test_an_estimator_of_another_kind_than_the_target_is_refused(
    source: str, path: str, said: str
) -> None:
    model = {**MODEL, "estimator": path}
    with pytest.raises(ConfigurationError, match=f"{path}, {said}"):
        fit_one(train, model, {**DATA, "source": source}, {"iterations": 2}, metric="f1", seed=0)
