"""From a composed config to a run plan, with every problem in it at once."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from hpo_app.config.app_trust import app_problems
from hpo_app.config.baselines import read_baselines
from hpo_app.config.build import COMPONENTS, TRAINERS, untrusted
from hpo_app.config.computed import uncomputable
from hpo_app.config.criteria import read_criteria
from hpo_app.config.driver import resolve_here
from hpo_app.config.overrides import read_override
from hpo_app.config.provenance import set_by
from hpo_app.config.render import unresolvable
from hpo_app.config.secrets import plain_secrets
from hpo_app.config.section import UNREADABLE, Section, resolved
from hpo_app.config.sections import (
    mapping,
    read_checkpoints,
    read_cluster,
    read_confirm,
    read_resources,
    read_scheduler,
    read_searcher,
    read_stop,
    read_trackers,
)
from hpo_app.config.shadowed import shadowed
from hpo_app.config.trainer import is_unnamed, missing_trainer
from hpo_app.config.trust import (
    FUNCTION,
    trust_beside_the_list,
    trust_from_a_file,
    typed_function,
)
from hpo_app.errors import PlanError, Problem, listed, near_miss
from hpo_app.plan.read_space import RULES, parameters_of, read_space
from hpo_app.plan.rules import check_plan
from hpo_app.plan.run_plan import RunPlan
from hpo_app.plan.search_rules import fidelity_short_of_training
from hpo_app.plan.search_space import has_default
from hpo_app.plan.wording import key_of, typed


if TYPE_CHECKING:
    from omegaconf import DictConfig

    from hpo_app.config.compose import Origin
    from hpo_app.plan.run_plan import Baseline
    from hpo_app.plan.search_space import SearchSpace

# The keys of each section that we read ourselves. What a trainer, a sampler or a scheduler reads
# is its own, and it says itself what it does not know.
_KEYS: dict[str, tuple[str, ...]] = {
    "": (
        "action", "average_reports", "baseline", "best", "checkpoints", "confirm", "constraints",
        "data", "max_failures", "max_same_failures", "model", "num_trials", "objective",
        "objectives", "output", "params", "plan", "prior_trials", "provenance", "ray",
        "repeat_duplicates", "report", "resources", "run", "scheduler", "search_alg",
        "search_space", "seed", "stall_timeout_s", "stop", "storage", "time_budget_s", "to",
        "tracker", "training", "trial_timeout_s", "trusted_modules", "warm_start",
    ),
    "checkpoints": ("budget_gb", "keep_best"),
    "confirm": ("claim_seeds", "contenders", "first_seeds", "replay", "share"),
    "objective": ("metric", "mode"),
    "stop": ("plateau", "target", "when_done"),
    "plan": ("probe",),
    "report": ("every_s",),
    "resources": ("cpu", "gpu", "max_concurrent_trials", "memory_gb"),
    "ray": ("address", "dashboard", "num_cpus", "num_gpus", "working_dir"),
}  # fmt: skip
_FOR_TRIALS = ("model", "data", "params")
_SOME_LARGE_COUNT = 1_000_000
# What NumPy, and with it every sampler, takes for a seed.
_LARGEST_SEED = 2**32 - 1
# What stands for the defaults until a trial brings its own values.
_PARAMS = "${hpo.defaults:${search_space}}"


def parse_plan(config: DictConfig, origin: Origin, *, has_function: bool = False) -> RunPlan:
    """Return the plan that a composed config describes.

    Args:
        config: The composed config, without its `hydra` node.
        origin: Where its values came from.
        has_function: Whether the training function was handed over, so that its name in the config
            is for the record only.

    Raises:
        PlanError: With everything that is wrong, each problem saying what set the value.
    """
    template: dict[str, Any] = OmegaConf.to_container(config, resolve=False)  # type: ignore[assignment]
    problems = resolve_here(config, template)
    # Model, data and training hold ${params.…}: they are resolved for each trial. What we read
    # of training has to stand without a trial.
    values = {
        key: template[key] if key in _FOR_TRIALS else resolved(config, str(key), problems)
        for key in template
        if key not in ("search_space", "training")
    }
    values["model"] = _with_trainer(config, template.get("model"), problems)
    values["training"] = _read_of_training(config, template.get("training"), problems)
    for section, known in _KEYS.items():
        inside = values.get(section) if section else values
        problems += _unknown_keys(section, inside, known, template)
    values["search_space"] = _space_entries(config, template, problems)
    plan = _read(values, template, origin, problems)
    untrusted_parts = _untrusted(plan, has_trainer=has_function or is_unnamed(plan.trainer))
    problems += untrusted_parts
    if not has_function and not untrusted_parts and plan.trainer != UNREADABLE:
        problems += missing_trainer(plan.trainer)
    if not has_function:
        space = mapping(values["search_space"])
        problems += app_problems(template.get("model"), space, origin, plan.trusted_modules)
    problems += trust_from_a_file(Section("", values, []).texts("trusted_modules"), origin)
    problems += trust_beside_the_list(template)
    problems += plain_secrets(template)
    problems += _params_of_ones_own(template.get("params"))
    problems += _unread(values)
    problems += shadowed(origin)
    problems += check_plan(plan)
    if origin.typed is None:  # One that goes on has trained by it, and cannot change it.
        problems += fidelity_short_of_training(plan)
    # What a rule has to say of an unreadable value would only repeat the reader.
    problems = list({problem.key + problem.got: problem for problem in problems}.values())
    if problems:
        raise PlanError([replace(item, set_by=set_by(item.key, origin)) for item in problems])
    return plan


def _read(
    values: dict[str, Any], template: dict[str, Any], origin: Origin, problems: list[Problem]
) -> RunPlan:
    root = Section("", values, problems)
    training = Section("training", values.get("training"), problems)
    report = Section("report", values.get("report"), problems)
    space, space_problems = read_space(mapping(values.get("search_space")))
    if values.get("action") == "train" and template.get("search_space", 0) is None:
        space_problems = []  # A best.yaml as a choice of a config group: nothing is sampled.
    problems += space_problems
    baselines: tuple[Baseline, ...] = ()
    if not space_problems:
        leads_nowhere = list(unresolvable(template, space.defaults))
        begins = origin.typed is None  # Else it has trained such values, and goes on with them.
        problems += leads_nowhere or (uncomputable(template, space) if begins else [])
        baselines = read_baselines(root.texts("baseline"), space, problems)
    return RunPlan(
        criteria=read_criteria(values, origin.overrides, problems),
        space=space,
        num_trials=root.whole("num_trials", least=1, otherwise=_SOME_LARGE_COUNT),
        time_budget_s=root.optional_number("time_budget_s", above=0),
        trial_timeout_s=root.optional_number("trial_timeout_s", above=0),
        stall_timeout_s=root.optional_number("stall_timeout_s", above=0),
        report_every_s=report.optional_number("every_s", above=0),
        iterations=training.whole("iterations", least=1, otherwise=_SOME_LARGE_COUNT),
        checkpoint_every=training.whole("checkpoint_every", least=0, otherwise=1),
        checkpoint_mb=training.optional_number("checkpoint_mb", above=0),
        checkpoints=read_checkpoints(Section("checkpoints", values.get("checkpoints"), problems)),
        max_failures=root.whole("max_failures", least=0, otherwise=0),
        max_same_failures=root.whole("max_same_failures", least=1, otherwise=1),
        stop=read_stop(Section("stop", values.get("stop", {}), problems)),
        confirm=read_confirm(values.get("confirm"), problems),
        repeats_duplicates=root.flag("repeat_duplicates", otherwise=False),
        baselines=baselines,
        prior_trials=_prior_trials(root, space, origin, problems),
        resources=read_resources(Section("resources", values.get("resources"), problems)),
        cluster=read_cluster(Section("ray", values.get("ray"), problems)),
        searcher=read_searcher(Section("search_alg", values.get("search_alg"), problems), values),
        scheduler=read_scheduler(Section("scheduler", values.get("scheduler"), problems), values),
        trackers=read_trackers(values.get("tracker") or {}, problems),
        storage=root.optional_text("storage"),
        seed=root.whole("seed", least=0, otherwise=0, most=_LARGEST_SEED),
        trainer=Section("model", values.get("model"), problems).text("trainer"),
        trusted_modules=(*root.texts("trusted_modules"), *typed_function(origin)),
        warm_start=root.texts("warm_start"),
        template=template,
        space_entries=parameters_of(mapping(values.get("search_space"))),
        choices=origin.choices,
        probes=Section("plan", values.get("plan", {}), problems).flag("probe", otherwise=False),
    )


def _with_trainer(config: DictConfig, model: Any, problems: list[Problem]) -> Any:
    """Return the model with the name of its training function, which no trial may change."""
    if not isinstance(model, dict) or not isinstance(model.get("trainer"), str):
        return model
    if model["trainer"] == FUNCTION and not model.get("function"):
        fix = "add model.function=my_pkg.train:train on the command line"
        expected = "the name of a training function, as package.module:function"
        problems.append(Problem("model.function", "nothing", expected, fix))
        return {**model, "trainer": UNREADABLE}
    return {**model, "trainer": resolved(config.model, "trainer", problems)}


def _prior_trials(
    root: Section, space: SearchSpace, origin: Origin, problems: list[Problem]
) -> int:
    if not root.has("prior_trials"):
        return 0  # Of a run that an earlier release began.
    count = root.whole("prior_trials", least=0, otherwise=0)
    is_typed = any(read_override(text).key == "prior_trials" for text in origin.overrides)
    if count and is_typed and not space.priors and len(space):
        name = next((name for name in space if has_default(space[name])), next(iter(space)))
        expected = "a parameter with a prior: without one no trial is drawn around the default"
        fix = f"add {typed('+' + key_of('search_space', name) + '.prior=0.1')}, or leave it out"
        problems.append(Problem("prior_trials", str(count), expected, fix))
    return count


def _unread(values: dict[str, Any]) -> list[Problem]:
    """Return keys of other actions: who typed them expects an effect."""
    readers = {"to": "export", "output": "report"}
    action = values.get("action")
    found = [
        Problem(
            key,
            str(values[key]),
            f"null with action={action}, which does not read it",
            f"leave it out, or set action={reader}",
        )
        for key, reader in readers.items()
        if action in ("optimize", "plan") and values.get(key) is not None
    ]
    if action == "optimize" and mapping(values.get("plan")).get("probe") is True:
        expected = "false with action=optimize, which does not read it"
        found.append(Problem("plan.probe", "true", expected, "leave it out, or set action=plan"))
    return found


def _read_of_training(config: DictConfig, training: Any, problems: list[Problem]) -> Any:
    """Return what a run itself reads of training; the rest may depend on the trial."""
    if not isinstance(training, dict):
        return training
    read = ("iterations", "checkpoint_every", "checkpoint_mb")
    return {key: resolved(config.training, key, problems) for key in read if key in training}


def _space_entries(
    config: DictConfig, template: dict[str, Any], problems: list[Problem]
) -> dict[str, Any]:
    """Return the search space as plain values; rules keep their ${params.…}, as a model does."""
    written = mapping(template.get("search_space"))
    return {
        name: written[name] if name == RULES else resolved(config.search_space, name, problems)
        for name in written
    }


def _params_of_ones_own(params: Any) -> list[Problem]:
    if params == _PARAMS:
        return []
    expected = "nothing: parameters are sampled, and trial 0 takes their defaults"
    fix = "set search_space.NAME.default, or leave the parameter out and fix what reads it"
    return [Problem("params", str(params), expected, fix)]


def _untrusted(plan: RunPlan, *, has_trainer: bool) -> list[Problem]:
    named = (
        (UNREADABLE if has_trainer else plan.trainer, TRAINERS, "model.trainer"),
        (plan.searcher.component.target, COMPONENTS, "search_alg._target_"),
        (plan.scheduler.component.target, COMPONENTS, "scheduler._target_"),
        *(
            (component.target, COMPONENTS, f"tracker.{name}._target_")
            for name, component in plan.trackers.items()
        ),
    )
    found = [
        untrusted(target, allowed, plan.trusted_modules, key)
        for target, allowed, key in named
        if target != UNREADABLE
    ]
    return [problem for problem in found if problem is not None]


def _unknown_keys(
    section: str, values: Any, known: tuple[str, ...], template: dict[str, Any]
) -> list[Problem]:
    found = []
    for key in mapping(values):
        full = f"{section}.{key}" if section else str(key)
        # A key of a person's own is welcome where an interpolation reads it.
        if key in known or _is_read(full, template):
            continue
        miss = near_miss(str(key), known)
        fix = f"write {miss} instead" if miss else "remove it"
        where = section or "the top level"
        expected = f"a key of {where}: {listed(known)}"
        found.append(Problem(full, str(values[key]), expected, fix))
    return found


def _is_read(key: str, template: dict[str, Any]) -> bool:
    whole = rf"\s*{re.escape(key)}\s*"
    # As ${key}, ${key.below} or ${key[0]}, or by its name as an argument of a resolver.
    pattern = rf"\$\{{{whole}[.\[}}]|\$\{{\s*[\w.]+:(?:[^${{}}]*,)?{whole}[.,\[}}]"
    return re.search(pattern, str(template)) is not None
