"""From a file of tensors and plain values to what is in it, without running code."""

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


def read_tensors(path: Path, kinds: Mapping[str, type]) -> dict[str, Any]:
    """Return what `torch.save` wrote; no object is built but tensors and plain values.

    Args:
        path: The file.
        kinds: What has to be in it: the type of each value, by key.

    Raises:
        RunFolderError: If the file holds anything else.
    """
    try:
        with open_to_read(path) as file:
            _refuse_compression(file)
            state = torch.load(file, map_location="cpu", weights_only=True)
    except _UNREADABLE as error:
        raise unreadable_state(path, repr(error)) from error
    for key, kind in kinds.items():
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
