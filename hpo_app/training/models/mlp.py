"""From settings to a multilayer perceptron for tables: one report per epoch.

Every epoch starts from generators that are seeded by the trial's seed and the number of the epoch,
and between two of them nothing lives on but weights and optimiser. So a trial that goes on from a
checkpoint is bitwise equal to one that never stopped.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from hpo_app.errors import listed, near_miss
from hpo_app.training.checkpoint import unreadable_state
from hpo_app.training.contract import refusal
from hpo_app.training.encoding import encoded, finite, scores
from hpo_app.training.models.torch_state import read_tensors
from hpo_app.training.reports import OF_THE_RUN, checked_count, checked_number, checked_settings
from hpo_app.training.seeds import derive_seed
from hpo_app.training.tables import load_table


if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpo_app.training.contract import Trial
    from hpo_app.training.encoding import Encoded
    from hpo_app.training.tables import Table

_STATE_FILE = "mlp.pt"
_ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "gelu": nn.GELU, "silu": nn.SiLU}
_KEYS = (
    "hidden", "activation", "dropout", "learning_rate", "weight_decay", "batch_size",
)  # fmt: skip


def train(
    model: dict[str, Any], data: dict[str, Any], training: dict[str, Any], trial: Trial
) -> None:
    """Train one network by AdamW; report the scores of the validation rows after each epoch.

    Args:
        model: `hidden`, widths of the hidden layers; `activation`; `dropout`; `learning_rate`;
            `weight_decay`; `batch_size`.
        data: Settings as `tables.load_table` takes them.
        training: `iterations`: epochs.
        trial: Where to report and what to continue from.

    Raises:
        ConfigurationError: If the settings do not describe a training run.
        RunFolderError: If the checkpoint is of another network, or damaged.
        FloatingPointError: If the weights ran away; the trial then fails.
    """
    settings = _checked(model)
    epochs = checked_count(training.get("iterations"), "training.iterations")
    torch.set_num_threads(trial.num_cpus)
    table = load_table(data)
    rows = encoded(table)
    torch.manual_seed(derive_seed(trial.seed, "weights"))
    network = _network(settings, rows.x_train.shape[1], max(1, len(table.classes)))
    scale = _scale(table, rows)
    optimizer = torch.optim.AdamW(
        network.parameters(), settings["learning_rate"], weight_decay=settings["weight_decay"]
    )
    if trial.checkpoint is not None:
        _load(network, optimizer, trial.checkpoint / _STATE_FILE, settings)
    for epoch in range(trial.iteration + 1, epochs + 1):
        torch.manual_seed(derive_seed(trial.seed, "epoch", epoch))
        loss = _epoch(network, optimizer, rows, scale, settings["batch_size"])
        predicted = _predicted(network, rows.x_validation, scale, is_classified=bool(table.classes))
        if not finite(predicted):
            raise FloatingPointError(
                f"The network's output is not finite after epoch {epoch}: the learning rate "
                f"{settings['learning_rate']:g} is too large for it."
            )
        # In the unit of val_loss, which is that of the target.
        metrics = {
            "train_loss": loss * scale[1] ** 2,
            **scores(table, rows.y_validation, predicted),
        }
        _report(trial, metrics, network, optimizer)


def _checked(model: Mapping[str, Any]) -> dict[str, Any]:
    settings = checked_settings(model, "model", _KEYS, OF_THE_RUN)
    if settings["activation"] not in _ACTIVATIONS:
        near = near_miss(str(settings["activation"]), _ACTIVATIONS) or "relu"
        raise refusal(
            "model.activation",
            repr(settings["activation"]),
            f"one of {listed(_ACTIVATIONS)}",
            f"model.activation={near}",
        )
    for key in ("dropout", "learning_rate", "weight_decay"):
        checked_number(settings[key], f"model.{key}")
    if not 0 <= settings["dropout"] < 1:
        raise refusal(
            "model.dropout",
            str(settings["dropout"]),
            "a share from 0 to below 1",
            "model.dropout=0.1",
        )
    for key in ("learning_rate", "weight_decay"):
        if settings[key] < 0:
            raise refusal(
                f"model.{key}", str(settings[key]), "no negative number", f"model.{key}=0.001"
            )
    checked_count(settings["batch_size"], "model.batch_size")
    hidden = settings["hidden"]
    if not isinstance(hidden, list):
        raise refusal("model.hidden", repr(hidden), "a list of widths", "model.hidden=[64,64]")
    for width in hidden:
        checked_count(width, "model.hidden")
    return settings


def _network(settings: Mapping[str, Any], places: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for width in settings["hidden"]:
        layers += [nn.Linear(places, width), _ACTIVATIONS[settings["activation"]]()]
        if settings["dropout"]:
            layers.append(nn.Dropout(settings["dropout"]))
        places = width
    return nn.Sequential(*layers, nn.Linear(places, outputs))


def _scale(table: Table, rows: Encoded) -> tuple[float, float]:
    """Return mean and deviation of a target of numbers: a network learns it in these units."""
    if table.classes:
        return 0.0, 1.0
    return float(rows.y_train.mean()), float(rows.y_train.std()) or 1.0


def _epoch(
    network: nn.Sequential,
    optimizer: torch.optim.Optimizer,
    rows: Encoded,
    scale: tuple[float, float],
    batch_size: int,
) -> float:
    network.train()
    x = torch.tensor(rows.x_train)
    is_classified = rows.y_train.dtype == np.int64
    y = torch.tensor(rows.y_train) if is_classified else _scaled(rows.y_train, scale)
    loss_of = nn.CrossEntropyLoss() if is_classified else nn.MSELoss()
    total = 0.0
    for batch in torch.split(torch.randperm(len(x)), batch_size):
        optimizer.zero_grad()
        output = network(x[batch])
        loss = loss_of(output if is_classified else output.squeeze(1), y[batch])
        loss.backward()
        optimizer.step()
        total += float(loss.detach()) * len(batch)
    return total / len(x)


def _scaled(target: np.ndarray, scale: tuple[float, float]) -> torch.Tensor:
    return torch.tensor((target - scale[0]) / scale[1], dtype=torch.float32)


def _predicted(
    network: nn.Sequential, x: np.ndarray, scale: tuple[float, float], *, is_classified: bool
) -> np.ndarray:
    network.eval()
    with torch.no_grad():
        output = network(torch.tensor(x)).double()
        found = output.softmax(dim=1) if is_classified else output.squeeze(1) * scale[1] + scale[0]
    return np.asarray(found)


def _report(
    trial: Trial,
    metrics: dict[str, float],
    network: nn.Sequential,
    optimizer: torch.optim.Optimizer,
) -> None:
    if not trial.is_checkpoint_due:
        trial.report(metrics)
        return
    with tempfile.TemporaryDirectory() as folder:
        state = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
        torch.save(state, Path(folder) / _STATE_FILE)
        trial.report(metrics, checkpoint=Path(folder))


def _load(
    network: nn.Sequential,
    optimizer: torch.optim.Optimizer,
    path: Path,
    settings: Mapping[str, Any],
) -> None:
    state = read_tensors(path, {"network": dict, "optimizer": dict})
    try:
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise unreadable_state(path, f"another network: {error!r}") from error
    # The optimiser's state brings its former settings along.
    for group in optimizer.param_groups:
        group["lr"], group["weight_decay"] = settings["learning_rate"], settings["weight_decay"]
