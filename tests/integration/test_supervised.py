"""Models for tables train on real data, go on exactly, and say what is wrong with a table."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest


pytest.importorskip("sklearn")
pytest.importorskip("torch")
pytest.importorskip("lightgbm")

from stopping import StopsAfter

from hpo_app.config.build import load_function
from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import render
from hpo_app.errors import RunFolderError
from hpo_app.training.contract import ConfigurationError, TrialOver
from hpo_app.training.tables import load_table


if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODELS = ("mlp", "gradient_boosting", "sklearn")
# What the default configuration reaches within five iterations, and must not fall behind.
REACHED = {
    "mlp": ("accuracy", 0.9),
    "gradient_boosting": ("accuracy", 0.9),
    "sklearn": ("accuracy", 0.95),
}


def settings_of(name: str, *overrides: str) -> tuple[Any, tuple[dict[str, Any], ...], str]:
    plan = parse_plan(*compose_config([f"search_space={name}", *overrides]))
    rendered = render(plan.template, plan.space.defaults)
    return load_function(plan.trainer), rendered, plan.objective.metric


def fit(name: str, *overrides: str, most: int = 0, **options: Any) -> list[dict[str, float]]:
    train, settings, metric = settings_of(name, *overrides)
    iterations = settings[2]["iterations"]
    trial = StopsAfter(metric, 3, iterations, checkpoint_every=1, most=most, **options)
    try:
        train(*settings, trial)
    except TrialOver:
        assert most
    return trial.reports


@pytest.mark.parametrize("name", MODELS)
def test_continuing_equals_never_stopping(name: str, tmp_path: Path) -> None:
    short = ["training.iterations=5"]
    whole = fit(name, *short, folder=tmp_path / "whole")
    first = fit(name, *short, folder=tmp_path / "parts", most=2)
    rest = fit(name, *short, folder=tmp_path / "parts", checkpoint=tmp_path / "parts")

    assert len(whole) == 5
    assert first + rest == whole
    metric, least = REACHED[name]
    assert whole[-1][metric] >= least


@pytest.mark.parametrize("name", MODELS)
def test_a_damaged_checkpoint_is_a_message(name: str, tmp_path: Path) -> None:
    fit(name, "training.iterations=3", folder=tmp_path, most=1)
    for path in tmp_path.iterdir():
        if path.name != "trial.json":
            path.write_bytes(b"{]" + path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(RunFolderError, match="training state that this trainer wrote"):
        fit(name, "training.iterations=3", checkpoint=tmp_path)


def test_a_changed_learning_rate_wins_over_that_of_the_checkpoint(tmp_path: Path) -> None:
    fit("mlp", "training.iterations=3", folder=tmp_path, most=2)
    same = fit("mlp", "training.iterations=3", checkpoint=tmp_path)
    faster = fit(
        "mlp", "training.iterations=3", "search_space.learning_rate.default=0.1",
        checkpoint=tmp_path,
    )  # fmt: skip
    assert same != faster


@pytest.mark.parametrize("name", ["mlp", "gradient_boosting"])
def test_a_regression_reports_its_own_scores(name: str) -> None:
    reports = fit(name, "data=diabetes", "objective=rmse", "training.iterations=3")
    assert set(reports[-1]) >= {"val_loss", "rmse", "r2"}
    assert reports[-1]["rmse"] == pytest.approx(reports[-1]["val_loss"] ** 0.5)
    # The target's own deviation is 77.
    assert reports[-1]["rmse"] < 90
    if name == "mlp":
        # Both are squared errors in the target's unit.
        assert reports[-1]["train_loss"] == pytest.approx(reports[-1]["val_loss"], rel=0.5)


def test_a_pipeline_of_ones_own_estimators(tmp_path: Path) -> None:
    steps = "[{estimator: sklearn.decomposition.PCA, arguments: {n_components: 5}}]"
    reports = fit(
        "sklearn", "data=diabetes", "objective=rmse", f"model.steps={steps}",
        "model.estimator=sklearn.linear_model.Ridge", "~model.arguments",
        "+model.arguments={alpha: '${params.C}'}", "~search_space.gamma",
    )  # fmt: skip
    assert len(reports) == 5
    assert 40 < reports[-1]["rmse"] < 80


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    colour = rng.choice(["red", "green", "blue"], 300)
    size = rng.normal(size=300)
    frame = pd.DataFrame(
        {
            "colour": colour,
            "size": np.where(rng.random(300) < 0.1, np.nan, size),
            "code": rng.integers(0, 5, 300),
            "is_bought": np.where((colour == "red") | (size > 1), "yes", "no"),
            "constant": 1,
            "holes": np.where(rng.random(300) < 0.5, np.nan, 1.0),
        }
    )
    frame.to_csv("shop.csv", index=False)
    frame.to_parquet("shop.parquet")
    yield tmp_path
    os.chdir("/")


SHOP = ["data.path=shop.csv", "data.target=is_bought", "data.drop=[holes]"]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_table_of_ones_own(name: str, kind: str, folder: Path) -> None:
    del folder
    overrides = [f"data={kind}", *SHOP, f"data.path=shop.{kind}", "training.iterations=5"]
    reports = fit(name, *overrides, "data.categorical=[colour,code]", "objective=accuracy")
    # Guessing the more frequent answer gives 0.56.
    assert reports[-1]["accuracy"] > 0.8


def test_a_worker_reads_a_table_once_and_nobody_can_change_it(folder: Path) -> None:
    data = dict(settings_of("mlp", "data=csv", *SHOP)[1][1])
    table = load_table(data)
    assert load_table(dict(data)) is table
    with pytest.raises(ValueError, match="read-only"):
        table.target[0] = 1
    assert not set(table.train) & set(table.validation)
    assert (len(table.train), len(table.validation)) == (225, 75)

    shop = pd.read_csv(folder / "shop.csv")
    shop.head(100).to_csv(folder / "shop.csv", index=False)
    assert len(load_table(data).target) == 100


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        (["data.path=shopp.csv"], r"data\.path\n  got .*shopp\.csv: No such file"),
        (["data.path=null"], r"data\.path=my_data\.csv"),
        (["data.target=is_bougt"], r"data\.target=is_bought"),
        (["data.target=null"], r"data\.target\n  got       nothing\n.*colour, size"),
        (["data.target=constant"], r"constant is .*1.* in every row"),
        (["data.drop=[]", "data.target=holes"], r"rows of holes are empty"),
        (["data.task=regression"], r"data\.task=classification"),
        (["data.task=regresion"], r"data\.task=regression"),
        (["data.drop=[holes,sise]"], r"data\.drop=size"),
        (["data.categorical=[]"], r"data\.categorical=\[colour\]"),
        (["data.validation_share=1.5"], r"between 0 and 1"),
        (["data.validation_share=0.999"], r"rows enough of every class"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(overrides: list[str], text: str, folder: Path) -> None:
    del folder
    with pytest.raises(ConfigurationError, match=text):
        fit("mlp", "data=csv", *SHOP, *overrides)


def test_an_infinite_feature_is_named(folder: Path) -> None:
    shop = pd.read_csv(folder / "shop.csv")
    shop.loc[3, "size"] = np.inf
    shop.to_csv(folder / "shop.csv", index=False)
    with pytest.raises(ConfigurationError, match=r"column size\n(.|\n)*data\.drop=\[size\]"):
        fit("mlp", "data=csv", *SHOP)


def test_a_file_that_is_no_table_is_a_message(folder: Path) -> None:
    for name, content in (("empty.csv", b""), ("broken.csv", b'a,b\n"1,2\n3'), ("x.csv", b"a\n1")):
        (folder / name).write_bytes(content)
        with pytest.raises(ConfigurationError, match=r"data\."):
            fit("mlp", "data=csv", f"data.path={name}", "data.target=a")
    (folder / "bad.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(ConfigurationError, match=r"in the format parquet"):
        fit("mlp", "data=parquet", "data.path=bad.parquet", "data.target=a")


@pytest.mark.parametrize(
    ("overrides", "text"),
    [
        (["model.estimator=os.system"], r"trusted_modules=\[os\]"),
        (["model.estimator=sklearn.utils.shuffle"], r"class of an estimator"),
        (["model.estimator=sklearn.svm.SCV"], r"has no attribute"),
        (["+model.arguments.gama=1"], r"model\.arguments\.gamma"),
        (["+model.arguments.kernel=rbff"], r"rbff"),
        (["training.iterations=1"], r"training\.iterations=5"),
        (["training.iterations=900"], r"fewer folds"),
        (["model.steps=[{estimatr: x}]"], r"estimator"),
    ],
)
def test_what_is_wrong_with_an_estimator_is_said(overrides: list[str], text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        fit("sklearn", *overrides)


@pytest.mark.parametrize(
    ("name", "override", "text"),
    [
        ("mlp", "+model.hiden=[3]", r"model\.hidden"),
        ("mlp", "search_space.dropout.default=0.5", ""),
        ("gradient_boosting", "model.max_bin=0", r"model\.max_bin"),
        ("gradient_boosting", "model.max_bin=1", r"parameters that LightGBM takes"),
    ],
)
def test_what_is_wrong_with_a_model_is_said(name: str, override: str, text: str) -> None:
    if not text:
        assert fit(name, override, "training.iterations=1")
        return
    with pytest.raises(ConfigurationError, match=text):
        fit(name, override, "training.iterations=1")
