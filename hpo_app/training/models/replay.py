"""From a replay buffer to tensors, and back: what an off-policy agent goes on from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np
    from stable_baselines3.common.buffers import ReplayBuffer

_FIELDS = ("observations", "next_observations", "actions", "rewards", "dones", "timeouts")


def replay_state(buffer: ReplayBuffer) -> dict[str, Any]:
    """Return what a buffer holds: `steps`, tensors over steps and environments, and its place.

    Only steps that were taken are in it, so that a checkpoint grows with training. Observations
    are as the environment gave them; normalisation comes when a batch is drawn.
    """
    filled = buffer.size()
    steps = {name: torch.from_numpy(array[:filled]) for name, array in _arrays(buffer)}
    return {"steps": steps, "place": buffer.pos, "is_full": buffer.full}


def load_replay_state(buffer: ReplayBuffer, state: Mapping[str, Any]) -> None:
    """Fill a buffer with what `replay_state` returned.

    Raises:
        KeyError, TypeError, ValueError: If it is of another shape, or larger than the buffer.
    """
    place, is_full = state["place"], state["is_full"]
    filled = buffer.buffer_size if is_full else place
    if not isinstance(place, int) or not 0 <= place <= buffer.buffer_size:
        raise ValueError(f"place {place} in a buffer of {buffer.buffer_size}")
    for name, array in _arrays(buffer):
        steps = state["steps"][name].numpy()
        if steps.shape != (filled, *array.shape[1:]):
            raise ValueError(f"{name} of shape {steps.shape}")
        array[:filled] = steps
    buffer.pos, buffer.full = place, bool(is_full)


def _arrays(buffer: ReplayBuffer) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the arrays of a buffer by name; a dict of observations has one for each key."""
    for name in _FIELDS:
        value = getattr(buffer, name)
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", array) for key, array in value.items())
        else:
            yield name, value
