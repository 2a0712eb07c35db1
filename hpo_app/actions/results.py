"""From a study to the files of its run folder that other programs read, and that train again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hpo_app.actions.app_command import training_command
from hpo_app.actions.typed import train_command
from hpo_app.analysis.best import best_trial
from hpo_app.analysis.claim import claim_of
from hpo_app.analysis.lineage import schedule_of
from hpo_app.analysis.pareto import pareto_front
from hpo_app.analysis.tables import write_trials_csv
from hpo_app.analysis.wording import bounds_text, plain
from hpo_app.config.best import BestConfig, write_best
from hpo_app.config.render import render
from hpo_app.config.schedule import SCHEDULE, Step, write_schedule
from hpo_app.config.secrets import with_secrets_by_name
from hpo_app.errors import listed
from hpo_app.report.summary_json import claim_fields, write_summary


if TYPE_CHECKING:
    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.study.records import Study, TrialRecord

FRONT_FOLDER = "front"
_OF_FRONT = re.compile(r"\d+\.yaml")


def write_results(plan: RunPlan, study: Study) -> None:
    """Write trials.csv, summary.json and, where there is a winner, best.yaml.

    With several objectives, each trial of the Pareto front gets a file in `front/`, and best.yaml
    is its most balanced one.

    Args:
        plan: The plan of the run.
        study: What came out.
    """
    write_trials_csv(study, study.folder / "trials.csv")
    write_summary(study, study.folder / "summary.json")
    write_winner(plan, study)
    if plan.criteria.has_several:
        _write_front(plan, study)


def write_winner(plan: RunPlan, study: Study) -> None:
    """Write best.yaml, if there is a winner."""
    best = best_trial(study)
    if best is not None:
        _write(plan, study, best, "best.yaml")


def _write_front(plan: RunPlan, study: Study) -> None:
    folder = study.folder / FRONT_FOLDER
    front = {f"{trial.number}.yaml": trial for trial in pareto_front(study)}
    for path in folder.glob("*.yaml"):
        # An earlier start of this run wrote it, and a later trial is better.
        if _OF_FRONT.fullmatch(path.name) and path.name not in front:
            path.unlink()
    if front:
        folder.mkdir(exist_ok=True)
    for name, trial in front.items():
        _write(plan, study, trial, f"{FRONT_FOLDER}/{name}")


def _write_schedule(
    plan: RunPlan, study: Study, trial: TrialRecord, provenance: dict[str, Any]
) -> None:
    """Write the values that a member of a population came through, if they changed on the way."""
    path = study.folder / SCHEDULE
    path.unlink(missing_ok=True)  # An earlier start of this run may have had another winner.
    if not trial.clones:
        return
    seeds = {each.number: each.seed for each in study.trials}
    template = with_secrets_by_name(plan.template)
    steps = [
        Step(
            stretch.start,
            stretch.params,
            render(template, stretch.params),
            {"trial": stretch.member, "trial_seed": seeds[stretch.member]},
        )
        for stretch in schedule_of(trial, study)
    ]
    provenance["schedule"] = SCHEDULE
    head = [
        f"What trial {trial.number} of run {study.run_id} was trained with, step by step: its "
        "state came through these values.",
        "best.yaml beside it holds the last ones, and action=train goes through all of them.",
    ]
    write_schedule(path, steps, provenance, head)


def _write(plan: RunPlan, study: Study, trial: TrialRecord, name: str) -> None:
    unmet = trial.unmet(plan.criteria)
    provenance: dict[str, Any] = {
        "run_id": study.run_id,
        "trial": trial.number,
        "trial_seed": trial.seed,
        "iterations": trial.iterations,
        **{metric: trial.last[metric] for metric in plan.criteria.metrics},
    }
    if name == "best.yaml":
        _write_schedule(plan, study, trial, provenance)
    claim = claim_of(study) if name == "best.yaml" else None
    if claim is not None:
        provenance["confirmed"] = claim_fields(claim)
    values = listed(
        f"{plain(objective.metric)} {trial.last[objective.metric]:.6g}"
        for objective in plan.objectives
    )
    what = "Best configuration" if name == "best.yaml" else "One of the Pareto front"
    head = [
        f"{what} of run {study.run_id}: trial {trial.number}, {values} after "
        f"{trial.iterations} iterations.",
        *([f"It does not keep {bounds_text(unmet, trial.last)}."] if unmet else []),
        *(claim.sentences if claim is not None else ()),
        train_command(plan, study.folder, name)
        if name != "best.yaml"
        else training_command(plan, study, trial),
    ]
    rendered = render(with_secrets_by_name(plan.template), trial.params)
    config = BestConfig(rendered, plan.criteria, trial.params, provenance)
    write_best(study.folder / name, config, head)
