"""From a plan to what none of its trials could train: a person's own app and tables, looked at."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from hpo_app.apps.look import refuse_uncomposable
from hpo_app.config.render import render
from hpo_app.errors import HpoError, PlanError
from hpo_app.plan.rules import READS_TABLES


if TYPE_CHECKING:
    from hpo_app.actions.command import Command

_FILES = ("csv", "parquet")


def refuse_untrainable(command: Command) -> None:
    """Raise if what a search is over is not what its config says, as far as this machine shows it.

    Raises:
        PlanError: If a person's own app does not take what the search would ask of it, or their
            table is not there or has other columns.
    """
    plan = command.plan
    if not plan.cluster.is_local:
        return  # Its nodes have a copy of the code, and may have files of their own.
    if not command.is_composed:
        refuse_uncomposable(
            plan, lambda line: command.console.print(line, markup=False, soft_wrap=True)
        )
    if plan.trainer not in READS_TABLES:
        return
    data = render(plan.template, plan.space.defaults).data
    if data.get("source") in _FILES:
        # Not above: scikit-learn takes a second to import.
        tables = importlib.import_module("hpo_app.training.tables")
        try:
            tables.check_file(data)
        except HpoError as error:
            raise PlanError(error.problems) from error
