"""From one seed to many: unrelated seeds for the parts of a run, the same ones every time."""

from __future__ import annotations

import hashlib
import json


def derive_seed(seed: int, *parts: int | str) -> int:
    """Return a seed in `[0, 2**31)` for one part of whatever `seed` is the seed of.

    Neighbouring seeds and neighbouring parts give unrelated results, and the result is the same
    in every process and with every version of Python, which `hash()` and adding up do not give.

    Args:
        seed: Seed of the whole.
        *parts: Path to the part, such as `"trial", 3`; `3` and `"3"` are different parts.
    """
    # JSON keeps the borders between the parts: ("a", "bc") is not ("ab", "c").
    path = json.dumps([seed, *parts], separators=(",", ":")).encode()
    digest = hashlib.blake2b(path, digest_size=8).digest()
    return int.from_bytes(digest, "big") % 2**31
