"""`python -m hpo_app`."""

from __future__ import annotations

import importlib
import sys

from hpo_app.signals import Signals
from hpo_app.streams import outlive_readers
from hpo_app.tuning.search_process import end_with_starter


def start() -> int:
    """Run the command line and return the exit code."""
    outlive_readers()
    end_with_starter()
    with Signals().held() as signals:
        try:
            # Not at the top: its packages take half a second, and a signal may come from now on.
            cli = importlib.import_module("hpo_app.cli")
        except ModuleNotFoundError as error:
            if (error.name or "").split(".", maxsplit=1)[0] not in {"hydra", "omegaconf"}:
                raise
            sys.stderr.write(
                f"{sys.executable} has no package {error.name}: start hpo_app with ./scripts/run, "
                "or install it with pip install hpo_app\n"
            )
            return 1
        code: int = cli.main(signals)
        if signals.must_leave or signals.has_stuck_threads:
            sys.stdout.flush()
            signals.leave(code)
        return code


if __name__ == "__main__":
    sys.exit(start())
