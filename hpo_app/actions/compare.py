"""From several run folders to one page: what `action=report` does where `run` names several."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hpo_app.actions.command import Outcome
from hpo_app.actions.typed import shown_path
from hpo_app.config.stored import settings_of
from hpo_app.errors import EXIT_COMPLETE, Problem, RunFolderError
from hpo_app.report.comparison import comparison_sentence, write_comparison
from hpo_app.report.format import plain
from hpo_app.study.replay import load_study


if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hpo_app.actions.command import Command
    from hpo_app.study.records import Study


def compare(command: Command) -> Outcome:
    """Write the comparison into `output`, or into the folder of this start, and say where it is.

    Raises:
        RunFolderError: If one cannot be read, nothing can be written, or they cannot be compared.
    """
    runs = command.reading.runs
    studies = dict(zip(_names(runs), map(load_study, runs), strict=True))
    _refuse_differing(studies)
    settings = {
        name: {**_of_the_run(study), **settings_of(folder)}
        for folder, (name, study) in zip(runs, studies.items(), strict=True)
    }
    target = command.reading.output or command.folder
    try:
        target.mkdir(parents=True, exist_ok=True)
        path = write_comparison(studies, settings, target)
    except OSError as error:
        got = f"{error.filename2 or error.filename or target}: {error.strerror or error}"
        problem = Problem("output", got, "a folder that can be written", "name one by output=")
        raise RunFolderError([problem]) from None
    for line in (comparison_sentence(studies, settings), f"Comparison: {shown_path(path)}"):
        command.console.print(plain(line), markup=False, soft_wrap=True)
    return Outcome(EXIT_COMPLETE, keeps_folder=command.reading.output is None)


def _names(runs: Sequence[Path]) -> list[str]:
    """Return the folders less what all have in common at their beginning; no two are equal."""
    if len({os.path.realpath(run) for run in runs}) < len(runs):
        got = ", ".join(map(str, runs))
        expected = "different run folders"
        raise RunFolderError([Problem("run", got, expected, "name each of them once")])
    whole = [os.path.realpath(run) for run in runs]
    return [plain(os.path.relpath(each, os.path.commonpath(whole))) for each in whole]


def _refuse_differing(studies: dict[str, Study]) -> None:
    objectives = {name: study.criteria.objectives for name, study in studies.items()}
    if len(set(objectives.values())) > 1:
        got = "; ".join(
            f"{name}: {' and '.join(map(str, each))}" for name, each in objectives.items()
        )
        expected = "runs with the same objective: values of different metrics do not compare"
        raise RunFolderError([Problem("run", got, expected, "leave out those that differ")])


def _of_the_run(study: Study) -> dict[str, str]:
    choices = study.facts.get("choices")
    named = choices if isinstance(choices, dict) else {}
    return {
        **{str(group): str(choice) for group, choice in named.items() if "/" not in str(group)},
        "num_trials": str(study.num_trials),
        "seed": str(study.seed),
        "training.iterations": str(study.iterations),
    }
