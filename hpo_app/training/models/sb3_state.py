"""From a training state to a file of tensors and plain values, and back without running code."""

from __future__ import annotations

import pickle
import zipfile
from typing import TYPE_CHECKING, Any, BinaryIO

import torch

from hpo_app.study.files import open_to_read
from hpo_app.training.checkpoint import unreadable_state


if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STATE_FILE = "training_state.pt"
_KINDS = {
    "fixed": dict,
    "parameters": dict,
    "counters": dict,
    "num_timesteps": int,
    "normalization": dict,
    "replay": dict,
}
# What torch.load ends in, depending on which part of the file is damaged.
_UNREADABLE = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    OSError,
    OverflowError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
)


def write_state(state: Mapping[str, Any], path: Path) -> None:
    """Write a training state, as `sb3` makes and reads it."""
    torch.save(dict(state), path)


def read_state(path: Path) -> dict[str, Any]:
    """Return what `write_state` wrote; no object is built but tensors and plain values.

    Raises:
        RunFolderError: If the file holds anything else.
    """
    try:
        with open_to_read(path) as file:
            _refuse_compression(file)
            state = torch.load(file, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise unreadable_state(path, repr(error)) from error
    for key, kind in _KINDS.items():
        value = state.get(key) if isinstance(state, dict) else None
        if not isinstance(value, kind):
            raise unreadable_state(path, f"{key} of type {type(value).__name__}")
    return dict(state)


def _refuse_compression(file: BinaryIO) -> None:
    # torch.save never compresses, so that a file takes as much memory as it takes on the disk.
    with zipfile.ZipFile(file) as archive:
        if any(item.compress_type != zipfile.ZIP_STORED for item in archive.infolist()):
            raise ValueError("a compressed archive")
    file.seek(0)
