"""From this machine and installation to the facts that a run can be reproduced by."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from datetime import datetime, timezone
from typing import Any


_PACKAGES = (
    "hpo_app", "hydra-core", "omegaconf", "ray", "optuna", "numpy", "torch", "gymnasium",
    "stable_baselines3",
)  # fmt: skip


def environment_facts(command: str) -> dict[str, Any]:
    """Return versions, host, command and git state as plain values."""
    return {
        "started_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "command": command,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": platform.node(),
        "cpus": os.cpu_count(),
        "packages": _versions(),
        "git": _git(),
    }


def version_line() -> str:
    """Return our version, and those of what a run depends on, on one line."""
    own, *others = (
        f"{name} {importlib.metadata.version(name)}"
        for name in ("hpo_app", "hydra-core", "ray", "optuna")
    )
    return f"{own} ({', '.join([f'Python {platform.python_version()}', *others])})"


def _versions() -> dict[str, str]:
    installed = {item.name.lower(): item.version for item in importlib.metadata.distributions()}
    return {package: installed[package] for package in _PACKAGES if package in installed}


def _git() -> dict[str, Any] | None:
    """Return commit and whether anything is uncommitted, where the person stands; None outside."""
    commit = _output("git", "rev-parse", "HEAD")
    if not commit:
        return None
    return {"commit": commit, "is_dirty": bool(_output("git", "status", "--porcelain"))}


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
