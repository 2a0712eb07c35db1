"""A LightningModule trains, goes on exactly, and says what is wrong with its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest


pytest.importorskip("lightning")

from stopping import StopsAfter

from hpo_app.errors import RunFolderError
from hpo_app.training.contract import ConfigurationError, TrialOver
from hpo_app.training.models.lightning_module import train


if TYPE_CHECKING:
    from pathlib import Path

MODEL: dict[str, Any] = {
    "module": "net:Net",
    "arguments": {"lr": 0.01},
    "trainer_arguments": {},
    "trusted_modules": ["net"],
}
DATA: dict[str, Any] = {"datamodule": "net:Data", "arguments": {}}


def fit(most: int = 0, model: Any = MODEL, data: Any = DATA, **options: Any) -> Any:
    trial = StopsAfter("val_loss", 3, 4, checkpoint_every=1, most=most, **options)
    try:
        train(model, data, {"iterations": 4}, trial)
    except TrialOver:
        assert most
    return trial.reports


def test_continuing_equals_never_stopping(tmp_path: Path) -> None:
    whole = fit(folder=tmp_path / "whole")
    first = fit(2, folder=tmp_path / "parts")
    rest = fit(folder=tmp_path / "parts", checkpoint=tmp_path / "parts")

    assert len(whole) == 4
    assert set(whole[0]) == {"train_loss", "val_loss"}
    assert first + rest == whole
    assert whole[-1]["val_loss"] < whole[0]["val_loss"]


def test_another_module_or_a_damaged_file_is_a_message(tmp_path: Path) -> None:
    fit(1, folder=tmp_path)
    wider = {**MODEL, "arguments": {"lr": 0.01, "width": 9}}
    with pytest.raises(RunFolderError, match="another module"):
        fit(model=wider, checkpoint=tmp_path)
    (tmp_path / "lightning.ckpt").write_bytes(b"nothing")
    with pytest.raises(RunFolderError, match="training state that this trainer wrote"):
        fit(checkpoint=tmp_path)


@pytest.mark.parametrize(
    ("model", "data", "text"),
    [
        ({"module": None}, {}, r"model\.module=my_code\.net:Net"),
        ({"module": "os:system"}, {}, r"trusted_modules=\[os\]"),
        ({"module": "net:Nett"}, {}, r"has no attribute"),
        ({"module": "net:Data"}, {}, r"LightningModule"),
        ({"arguments": {"lr": 1, "lrr": 1}}, {}, r"lrr"),
        ({"arguments": {}}, {}, r"missing a required argument: 'lr'"),
        ({"trainer_arguments": {"max_epoch": 1}}, {}, r"max_epoch"),
        ({"trainer_arguments": {"gradient_clip": 1}}, {}, r"gradient_clip"),
        ({}, {"datamodule": None}, r"data\.datamodule"),
    ],
)
def test_what_is_wrong_is_said(model: Any, data: Any, text: str) -> None:
    with pytest.raises(ConfigurationError, match=text):
        fit(model={**MODEL, **model}, data={**DATA, **data})
