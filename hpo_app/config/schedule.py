"""From the course of a population's winner to a file that trains it again, and back.

A winner of population-based training is no one configuration: its state came through several, some
of them of other members. `schedule.yaml` stands beside its `best.yaml`, which names it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from omegaconf import OmegaConf

from hpo_app.config.best import configuration_in, write_yaml
from hpo_app.config.secrets import fix_of
from hpo_app.config.written import UNREADABLE, read_yaml
from hpo_app.errors import Problem, RunFolderError
from hpo_app.plan.search_space import is_number


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hpo_app.config.best import BestConfig
    from hpo_app.config.render import Rendered

SCHEDULE = "schedule.yaml"
_OF_RUN = ("run_id", "trial")
_EXPECTED = "a schedule.yaml with steps, each with iteration, params, model, data and training"


class Step(NamedTuple):
    """What a winner trains with from one iteration on.

    Attributes:
        iteration: After which report it counts; 0 for the first one.
        params: The values.
        rendered: Model, data and training config with them.
        provenance: Which trial trained so in the search, with which seed.
    """

    iteration: int
    params: Mapping[str, Any]
    rendered: Rendered
    provenance: Mapping[str, Any]


def write_schedule(
    path: Path, steps: Iterable[Step], provenance: Mapping[str, Any], head: Sequence[str]
) -> None:
    """Write the steps of a winner as YAML, with comment lines above them."""
    written = [
        {
            "iteration": step.iteration,
            "params": dict(step.params),
            **step.rendered._asdict(),
            "provenance": dict(step.provenance),
        }
        for step in steps
    ]
    of_run = {key: provenance[key] for key in _OF_RUN}
    write_yaml(path, {"provenance": of_run, "steps": written}, head)


def read_schedule(
    path: Path,
    best: BestConfig,
    changes: Sequence[str] = (),
    trusted_modules: Sequence[str] = (),
) -> tuple[Step, ...]:
    """Return the steps of the winner that a best.yaml holds; none where it is one configuration.

    Args:
        path: The best.yaml.
        best: What it holds.
        changes: `model.…=`, `data.…=` and `training.…=` of the command line, on top of each step.
        trusted_modules: Packages that the person trusts; a file cannot trust any by itself.

    Raises:
        RunFolderError: If there should be a schedule, and it is missing or is of another winner.
        PlanError: If a change names a key that the configuration does not have.
    """
    if "schedule" not in best.provenance:
        return ()
    file = path.resolve().with_name(SCHEDULE)
    try:
        config = read_yaml(file)
        steps = [_step(node, changes, trusted_modules) for node in config.steps]
        theirs: Any = OmegaConf.to_container(config.provenance, resolve=False)
    except OSError as error:
        got = f"{file} ({error.strerror or error})"
        expected = (
            "the schedule of this winner, beside its best.yaml: its values changed on the way"
        )
        fix = "copy it too, or remove provenance.schedule to train with its last values alone"
        raise RunFolderError([Problem("best", got, expected, fix)]) from error
    except UNREADABLE as error:
        text = " ".join(repr(error).split())
        fix = fix_of(error, otherwise="restore the file from a copy")
        raise RunFolderError([Problem(str(file), text, _EXPECTED, fix)]) from error
    if any(theirs.get(key) != best.provenance.get(key) for key in _OF_RUN):
        got, ours = (_named(of) for of in (theirs, best.provenance))
        fix = "copy best.yaml and schedule.yaml of one run"
        raise RunFolderError([Problem(str(file), got, f"the schedule of {ours}", fix)])
    iterations = [step.iteration for step in steps]
    if iterations[:1] != [0] or iterations != sorted(set(iterations)):
        fix = "restore the file from a copy"
        expected = "iterations from 0 on, each higher than the one before"
        raise RunFolderError([Problem(str(file), str(iterations)[:60], expected, fix)])
    whole = best.rendered.training["iterations"]
    return tuple(step for step in steps if step.iteration < whole)


def _step(node: Any, changes: Sequence[str], trusted_modules: Sequence[str]) -> Step:
    objective = {"metric": "unread", "mode": "min"}  # That of best.yaml counts.
    whole = OmegaConf.create({**node, "objective": objective})
    iteration = node.iteration
    if not isinstance(iteration, int) or not is_number(iteration):
        raise ValueError(f"iteration: {str(iteration)[:60]}")
    found = configuration_in(whole, changes, trusted_modules)
    return Step(iteration, found.params, found.rendered, found.provenance)


def _named(provenance: Mapping[str, Any]) -> str:
    return f"trial {provenance.get('trial')} of run {provenance.get('run_id')}"
