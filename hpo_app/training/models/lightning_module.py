"""From a LightningModule and its data to a trained one: one report per epoch.

Generators are seeded before each epoch, from the trial's seed and the number of the epoch, and a
checkpoint is Lightning's own, read with `weights_only=True`. So a trial that goes on equals one
that never stopped, as far as module and data draw from the global generators only.

An optimizer's state brings its settings along: values that a scheduler changes while a trial trains
take effect only where the module reads them anew in each epoch.
"""

from __future__ import annotations

import importlib
import inspect
import logging
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning
import torch
from lightning.pytorch.callbacks import Checkpoint

from hpo_app.errors import listed, near_miss
from hpo_app.training.checkpoint import unreadable_state
from hpo_app.training.contract import refusal
from hpo_app.training.models.torch_state import read_tensors
from hpo_app.training.reports import OF_THE_RUN, checked_count, checked_settings
from hpo_app.training.seeds import derive_seed


if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hpo_app.training.contract import Trial

_STATE_FILE = "lightning.ckpt"
# What a trial decides, and no argument of the Trainer may.
_OURS = ("callbacks", "max_epochs", "logger", "devices", "default_root_dir", "enable_checkpointing")


def train(
    model: dict[str, Any], data: dict[str, Any], training: dict[str, Any], trial: Trial
) -> None:
    """Train one module; report what it logged after each epoch.

    Args:
        model: `module`, the path of a LightningModule as `package.module:Class`; `arguments`, its
            own; `trainer_arguments`, of Lightning's Trainer; `trusted_modules`.
        data: `datamodule`, the path of a LightningDataModule; `arguments`, its own.
        training: `iterations`: epochs.
        trial: Where to report and what to continue from.

    Raises:
        ConfigurationError: If the settings do not describe a training run.
        RunFolderError: If the checkpoint is of another module, or damaged.
    """
    needed = ("module", "arguments", "trainer_arguments", "trusted_modules")
    settings = checked_settings(model, "model", needed, OF_THE_RUN)
    given = checked_settings(data, "data", ("datamodule", "arguments"))
    epochs = checked_count(training.get("iterations"), "training.iterations")
    trusted = settings["trusted_modules"] or ()
    torch.set_num_threads(trial.num_cpus)
    _seed(derive_seed(trial.seed, "weights"))
    arguments = settings["arguments"] or {}
    module = _made(
        settings["module"], arguments, "model.module", trusted, lightning.LightningModule
    )
    arguments = given["arguments"] or {}
    kind = lightning.LightningDataModule
    source = _made(given["datamodule"], arguments, "data.datamodule", trusted, kind)
    before = trial.iteration
    checkpoint = None if trial.checkpoint is None else trial.checkpoint / _STATE_FILE
    if checkpoint is not None:
        read_tensors(checkpoint, {"state_dict": dict, "loops": dict})
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # Advice on workers of data loaders and the like, once per trial.
        warnings.simplefilter("ignore")
        trainer = _trainer(settings["trainer_arguments"] or {}, epochs, trial, folder)
        try:
            trainer.fit(module, datamodule=source, ckpt_path=checkpoint, weights_only=True)
        except (KeyError, RuntimeError) as error:
            # Of the module's own after a report, or while it went on from another module's state.
            if checkpoint is None or trial.iteration > before:
                raise
            raise unreadable_state(checkpoint, f"another module: {error!r}") from error


class Reporter(Checkpoint):
    """Reports after each epoch, and seeds the next.

    As a kind of Checkpoint it is called after the module's own hooks, and takes the place of the
    one that Lightning would add.
    """

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Seed the first epoch of this start; data is shuffled before the epoch is announced."""
        del trainer, pl_module
        self._seed_next()

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Report what was logged, with a checkpoint where one is due."""
        del pl_module
        metrics = {
            name: float(value)
            for name, value in trainer.callback_metrics.items()
            if value.numel() == 1
        }
        if self._trial.is_checkpoint_due:
            with tempfile.TemporaryDirectory() as folder:
                trainer.save_checkpoint(Path(folder) / _STATE_FILE)
                self._trial.report(metrics, checkpoint=Path(folder))
        else:
            self._trial.report(metrics)
        self._seed_next()

    def _seed_next(self) -> None:
        _seed(derive_seed(self._trial.seed, "epoch", self._trial.iteration + 1))


def _trainer(
    arguments: Mapping[str, Any], epochs: int, trial: Trial, folder: str
) -> lightning.Trainer:
    known = [name for name in inspect.signature(lightning.Trainer).parameters if name not in _OURS]
    for name in arguments:
        if name not in known:
            near = near_miss(str(name), known)
            key = f"model.trainer_arguments.{name}"
            fix = f"write {near}" if near else f"remove {key}"
            expected = "an argument of Lightning's Trainer that the trial does not decide"
            raise refusal(key, f"not one ({listed(_OURS)} are the trial's)", expected, fix)
    # One line per trial on accelerators, and a tip.
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    ours = {"callbacks": [Reporter(trial)], "max_epochs": epochs, "devices": 1}
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    defaults = {"accelerator": "cpu", "num_sanity_val_steps": 0, "default_root_dir": folder}
    return lightning.Trainer(**{**defaults, **quiet, **arguments, **ours})


def _made(
    path: object, arguments: Mapping[str, Any], key: str, trusted: Sequence[str], kind: type
) -> Any:
    module, colon, name = str(path).partition(":")
    expected = f"package.module:Class of a {kind.__name__} of a package in trusted_modules"
    if not colon:
        got = "nothing" if path is None else str(path)
        raise refusal(key, got, expected, f"{key}=my_code.net:Net")
    if not any(module == known or module.startswith(f"{known}.") for known in trusted):
        package = module.partition(".")[0]
        raise refusal(key, str(path), expected, f"trusted_modules=[{package}], if it is yours")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise refusal(key, f"{path} ({error})", expected, "correct the name") from error
    if not (isinstance(found, type) and issubclass(found, kind)):
        raise refusal(key, str(path), expected, "name a class of that kind")
    try:
        inspect.signature(found).bind(**arguments)
    except TypeError as error:
        fix = "correct the arguments beside it"
        raise refusal(key, f"{path}: {error}", "the arguments of that class", fix) from error
    return found(**arguments)


def _seed(seed: int) -> None:
    lightning.seed_everything(seed, workers=True, verbose=False)
