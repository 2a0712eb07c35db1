"""From the state of an agent to a file of tensors and plain values, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from hpo_app.training.models.torch_state import read_tensors


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


def write_state(state: Mapping[str, Any], path: Path) -> None:
    """Write a training state, as `sb3_checkpoint` makes and reads it."""
    torch.save(dict(state), path)


def read_state(path: Path) -> dict[str, Any]:
    """Return what `write_state` wrote.

    Raises:
        RunFolderError: If the file holds anything else.
    """
    return read_tensors(path, _KINDS)
