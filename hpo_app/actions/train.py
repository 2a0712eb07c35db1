"""From one configuration to a trained model and its evaluation, without a search."""

from __future__ import annotations

import csv
import json
import sys
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from hpo_app.actions.command import Outcome
from hpo_app.config.app_trust import refuse_app
from hpo_app.config.best import BestConfig, read_best
from hpo_app.config.build import load_function
from hpo_app.config.render import render, with_typed_trust
from hpo_app.config.schedule import SCHEDULE, read_schedule
from hpo_app.config.settings import RunSettings
from hpo_app.errors import EXIT_COMPLETE, HpoError, Problem, TrainingError
from hpo_app.redaction import hide, secrets_in
from hpo_app.report.format import (
    bounds_text,
    duration,
    number,
    objectives_text,
    params_text,
)
from hpo_app.study.disk import is_full
from hpo_app.training.fit_one import fit_by_schedule
from hpo_app.training.seeds import derive_seed


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hpo_app.actions.command import Command
    from hpo_app.config.schedule import Step


def run(command: Command) -> Outcome:
    """Train the configuration of `best`, or the default one, and print every evaluation.

    Raises:
        TrainingError: If the training function raises an error of its own.
    """
    config, settings = _configuration(command)
    steps = _steps(command, config)
    hide(text for _, text in secrets_in(config.rendered._asdict()))
    console = Console(highlight=False)
    iterations = config.rendered.training["iterations"]
    what = command.best or "the model at the defaults of its search space, as no best= is given"
    text = f"training {iterations} iterations with seed {settings.seed}: {what}"
    console.print(text, markup=False, soft_wrap=True)
    for sentence in _on_steps(steps):
        console.print(sentence, markup=False, soft_wrap=True)
    started = time.monotonic()
    history: list[Mapping[str, float]] = []

    def show(_iteration: int, metrics: Mapping[str, float]) -> None:
        history.append(metrics)
        gone = time.monotonic() - started
        left = gone / len(history) * (iterations - len(history))
        shown = "  ".join(f"{name} {number(value)}" for name, value in metrics.items())
        time_text = f"{duration(gone)} gone, about {duration(left)} left"
        console.print(f"[{len(history)}/{iterations}] {shown}  ({time_text})", markup=False)

    _fit((config, steps), settings, command.folder, show)
    criteria, last = config.criteria, history[-1]
    value = last[criteria.objective.metric]
    _write_history(command.folder, history)
    console.print(f"{objectives_text(last, criteria)} after training", markup=False)
    if unmet := criteria.unmet(last):
        console.print(f"it does not keep {bounds_text(unmet, last)}", markup=False)
    console.print(f"folder {_here(command.folder)}", markup=False, soft_wrap=True)
    return Outcome(EXIT_COMPLETE, value)


def _configuration(command: Command) -> tuple[BestConfig, RunSettings]:
    if command.best is not None:
        settings = command.settings
        best = read_best(Path(command.best), command.changes, settings.trusted_modules)
        refuse_app(best.rendered.model, command.changes, settings.trusted_modules)
        return best, settings
    plan = command.plan
    params = plan.space.defaults
    rendered = with_typed_trust(render(plan.template, params), plan.trusted_modules)
    best = BestConfig(rendered, plan.criteria, params, {})
    return best, RunSettings(plan.seed, plan.resources.cpu, plan.trusted_modules)


def _steps(command: Command, config: BestConfig) -> tuple[Step, ...]:
    """Return the steps that the winner of a population went through; none of any other."""
    if command.best is None:
        return ()
    trusted = command.settings.trusted_modules
    steps = read_schedule(Path(command.best), config, command.changes, trusted)
    for step in steps:
        refuse_app(step.rendered.model, command.changes, trusted)
    return steps


def _on_steps(steps: tuple[Step, ...]) -> Iterator[str]:
    if steps:
        yield f"its values changed while it trained, and so they do now, by {SCHEDULE}:"
    before: Mapping[str, Any] = {}
    for step in steps:
        changed = {name: each for name, each in step.params.items() if before.get(name) != each}
        yield f"  after iteration {step.iteration}: {params_text(changed) or 'as before'}"
        before = step.params


def _fit(
    what: tuple[BestConfig, tuple[Step, ...]],
    settings: RunSettings,
    folder: Path,
    on_report: Callable[[int, Mapping[str, float]], None],
) -> None:
    config, steps = what
    trainer = config.rendered.model["trainer"]
    train = load_function(trainer, settings.trusted_modules)
    try:
        fit_by_schedule(
            train,
            [(step.iteration, step.rendered) for step in steps] or [(0, config.rendered)],
            metric=config.criteria.objective.metric,
            others=config.criteria.metrics[1:],
            seed=derive_seed(settings.seed, "train"),
            folder=folder / "checkpoint",
            num_cpus=max(1, int(settings.cpu)),
            on_report=on_report,
        )
    except HpoError:
        raise
    except (Exception, SystemExit) as error:
        if is_full(error):
            raise  # It says nothing of the training.
        traceback.print_exc()
        sys.stderr.write("\n")
        text = traceback.format_exception_only(error)[-1].strip()
        expected = f"{trainer} trains to its end"
        problem = Problem("model.trainer", text, expected, "correct what the lines above point at")
        raise TrainingError([problem]) from error


def _write_history(folder: Path, history: list[Mapping[str, float]]) -> None:
    with (folder / "history.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["iteration", *history[-1]], extrasaction="ignore")
        writer.writeheader()
        writer.writerows({"iteration": i, **row} for i, row in enumerate(history, start=1))
    text = json.dumps(dict(history[-1]), indent=2)
    (folder / "evaluation.json").write_text(text, encoding="utf-8")


def _here(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
