"""A Ray of the contender's own: started the same way for all, and gone without a trace."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import ray
from contenders.work import SLOTS


def start(**options: Any) -> None:
    """Start a Ray that no other one on this machine knows of."""
    ray.init(
        address="local",
        num_cpus=SLOTS,
        include_dashboard=False,
        log_to_driver=False,
        **options,
    )


def stop() -> None:
    """End Ray, and remove the folder of its session, which it would leave behind."""
    context = ray.get_runtime_context()
    session = Path(context.get_temp_dir(), context.get_session_name())
    ray.shutdown()
    if session.name.startswith("session_"):
        shutil.rmtree(session, ignore_errors=True)
