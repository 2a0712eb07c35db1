"""From what Linux says of itself to the memory that nobody uses."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path


_MEMINFO = Path("/proc/meminfo")
# A container's own limit: of cgroup v2, and of v1, which most of the time has an absurd one.
_CGROUPS = (
    (Path("/sys/fs/cgroup"), "memory.max", "memory.current", "inactive_file"),
    (
        Path("/sys/fs/cgroup/memory"),
        "memory.limit_in_bytes",
        "memory.usage_in_bytes",
        "total_inactive_file",
    ),
)


def free_memory_gb() -> float:
    """Return the gigabytes of memory free on this machine or in this container; inf if unknown."""
    return min(_of_the_machine(), *(_of_a_container(*cgroup) for cgroup in _CGROUPS))


def _of_the_machine() -> float:
    with contextlib.suppress(OSError, KeyError, ValueError):
        return _fields(_MEMINFO)["MemAvailable:"] * 1024 / 1e9
    return math.inf


def _of_a_container(folder: Path, limit: str, used: str, cache: str) -> float:
    # "max" is no number: no limit.
    with contextlib.suppress(OSError, KeyError, ValueError):
        most, taken = (int((folder / name).read_text(encoding="ascii")) for name in (limit, used))
        # Pages of files that were read once count as used, and go when others need room.
        return max(most - taken + _fields(folder / "memory.stat")[cache], 0) / 1e9
    return math.inf


def _fields(path: Path) -> dict[str, int]:
    lines = (line.split() for line in path.read_text(encoding="ascii").splitlines())
    return {words[0]: int(words[1]) for words in lines}
