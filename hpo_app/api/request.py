"""From the arguments of `optimize` to the config that the command line would have composed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import PurePath
from types import NoneType
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from hpo_app.api.choices import SAID_IN, component_choice, group_choice, tracker_choices
from hpo_app.api.configs import configs_of, fix_what_is_not_searched, space_of_model
from hpo_app.api.iterations import KEY as ITERATIONS
from hpo_app.api.known import known_arguments, known_keys
from hpo_app.api.mapping import place_parameters
from hpo_app.api.plain import MISSING, plain_config, plain_value, refuse_missing
from hpo_app.api.references import standing_alone
from hpo_app.api.spellings import respelt_space
from hpo_app.api.words import Words, argument, in_words
from hpo_app.config.compose import Origin, compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError, Problem
from hpo_app.plan.read_space import parameters_of, read_space


if TYPE_CHECKING:
    from collections.abc import Sequence

    from omegaconf import DictConfig

    from hpo_app.api.mapping import ParamMapping

# Settings of conf/config.yaml that `optimize` takes by their name there.
SETTINGS = (
    "average_reports",
    "baseline",
    "checkpoints",
    "constraints",
    "max_failures",
    "max_same_failures",
    "objectives",
    "prior_trials",
    "repeat_duplicates",
    "report",
    "stall_timeout_s",
    "storage",
    "stop",
    "trial_timeout_s",
    "trusted_modules",
    "warm_start",
)
RAY_KEYS = ("address", "num_cpus", "num_gpus", "include_dashboard", "working_dir")
_OF_RAY = {"include_dashboard": "dashboard"}
# What is trained comes from the caller; these stand in its place while the rest is composed.
_BASE = {"search_space": "quadratic", "model": "quadratic"}
# Settings that have a say before the config is composed.
_ELSEWHERE = (ITERATIONS, "confirm", "tracker")
_TAKEN = (*SETTINGS, *_ELSEWHERE)
_CONFIGS = ("model_config", "data_config", "training_config")
# What cannot be told of while an argument cannot be read at all.
_HIDES = {
    "model_config": (*_CONFIGS, "param_space", "metric", "mode"),
    "data_config": ("param_space",),
    "training_config": ("param_space", "scheduler"),
    "training_config.iterations": ("scheduler",),
    "param_space": ("param_space", "search_alg", "scheduler"),
    "param_mapping": ("param_space",),
    "search_alg": ("search_alg", "scheduler"),
    "scheduler": ("search_alg", "scheduler"),
}


@dataclass(frozen=True)
class Request:
    """What a person asks for.

    Attributes:
        model_config: The model's settings, or the name of a group of `conf/model`, which brings its
            own data, training and objective.
        data_config: The data's settings, a name of `conf/data`, or None for the model's own.
        training_config: The training's settings, or None for the model's own.
        param_space: The search space, a name of `conf/search_space`, or None for the model's own.
        num_trials: How many trials, the default configuration included.
        metric: Name of the number to optimise; None for the model's own.
        mode: `min` or `max`; None for the model's own.
        param_mapping: Where the values of parameters land; see `mapping.place_parameters`.
        search_alg: Name, or a mapping with `name` or `_target_` and arguments.
        scheduler: Likewise; None for `fifo`.
        resources_per_trial: `{"cpu": 1, "gpu": 0, "memory_gb": None}`.
        max_concurrent_trials: Upper limit of trials at once, or None.
        time_budget_s: Seconds after which the run ends, or None.
        seed: Seed of the run; None for that of the config groups.
        settings: Further settings, by their names in `conf/config.yaml`, and `iterations`: reports
            of a full trial, where the training config does not say it.
        ray_config: `address`, `num_cpus`, `num_gpus`, `include_dashboard`.
        trainer: Name of the training function that was given in Python, or None.
        run_dir: The run folder; None for one by date and time.
    """

    model_config: Any
    data_config: Any
    training_config: Any
    param_space: Any
    num_trials: Any
    metric: Any = None
    mode: Any = None
    param_mapping: ParamMapping | None = None
    search_alg: Any = "random"
    scheduler: Any = None
    resources_per_trial: Any = None
    max_concurrent_trials: Any = None
    time_budget_s: Any = None
    seed: Any = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    ray_config: Mapping[str, Any] = field(default_factory=dict)
    trainer: str | None = None
    run_dir: Any = None

    @property
    def has_named_model(self) -> bool:
        """Whether the model is one of the config group, with what belongs to it."""
        return isinstance(self.model_config, str)

    @property
    def scheduled(self) -> Any:
        """The scheduler; `fifo` where none is given."""
        return "fifo" if self.scheduler is None else self.scheduler

    @property
    def space(self) -> Any:
        """The search space; that of a named model where none is given."""
        is_named = self.param_space is None and self.has_named_model
        return self.model_config if is_named else self.param_space


# What `optimize` takes by name, and a preset may hold.
_OF_THE_OPTIMIZER = ("ray_config", "settings", "trainer")
ARGUMENTS = (
    *(each.name for each in fields(Request) if each.name not in _OF_THE_OPTIMIZER),
    *_TAKEN,
)


def compose_request(request: Request) -> tuple[DictConfig, Origin]:
    """Return the config that a request describes, and where its values came from.

    Raises:
        PlanError: With everything that is wrong with it, in the words of Python: what cannot be
            composed, and what `parse_plan` has to say of the rest.
    """
    problems: list[Problem] = []
    request = _standing_alone(request)
    words = words_of(request)
    config, origin = _composed(request, problems)
    try:
        parse_plan(config, origin, has_function=request.trainer is not None)
    except PlanError as error:
        problems = [words.problem(problem) for problem in problems]
        found = map(words.problem, error.problems)
        problems += [problem for problem in found if not _is_told(problem, problems)]
    if problems:
        raise in_words(PlanError(problems), words)
    return config, origin


def _standing_alone(request: Request) -> Request:
    named = {argument(part): part for part in ("model", "data", "training", "search_space")}
    given = {part: getattr(request, name) for name, part in named.items()}
    alone = standing_alone(given)
    return replace(request, **{name: alone[part] for name, part in named.items()})


def words_of(request: Request) -> Words:
    """Return how a person is spoken to who called `optimize` with this request."""
    named = {"search_alg": request.search_alg, "scheduler": request.scheduled}
    names = {
        part: value.get("name") if isinstance(value, Mapping) else value
        for part, value in named.items()
    }
    in_mappings = {**named, **request.settings}
    given = {
        f"{part}.{key}"
        for part, value in in_mappings.items()
        if isinstance(value, Mapping)
        for key in value
    }
    known = {part: name for part, name in names.items() if isinstance(name, str)}
    return Words("optimize", known, given, unknown=request.settings.keys() - set(_TAKEN))


def _is_told(problem: Problem, earlier: Sequence[Problem]) -> bool:
    """Return whether an earlier problem is this one, or hides whether it is one at all."""
    root = problem.key.partition(".")[0]
    for known in earlier:
        inside = _is_in(problem.key, known.key) or _is_in(known.key, problem.key)
        if problem.key == known.key or inside or root in _HIDES.get(known.key, ()):
            return True
        # What lands nowhere is used nowhere.
        if known.key.replace("param_mapping.", "param_space.", 1) == problem.key:
            return True
    return False


def _is_in(key: str, outer: str) -> bool:
    return key.startswith((f"{outer}.", f"{outer}["))


def _composed(request: Request, problems: list[Problem]) -> tuple[DictConfig, Origin]:
    """Return the config as far as it can be composed, with a sound choice for each unknown one."""
    chosen = {
        "model": group_choice("model", "model_config", request.model_config, problems),
        "search_space": group_choice("search_space", "param_space", request.space, problems),
        "data": group_choice("data", "data_config", request.data_config, problems),
        "training": group_choice("training", "training_config", request.training_config, problems),
        "search_alg": component_choice("search_alg", request.search_alg, problems),
        "scheduler": component_choice("scheduler", request.scheduled, problems),
    }
    named = {**_BASE, **{group: name for group, name in chosen.items() if name}}
    # A model of one's own brings no data that could be overridden.
    added = "" if request.has_named_model and chosen["model"] else "+"
    overrides = [f"{added * (group == 'data')}{group}={name}" for group, name in named.items()]
    if not isinstance(request.run_dir, (str, PurePath, NoneType)) or request.run_dir == "":
        got = f"{request.run_dir!r:.60} ({type(request.run_dir).__name__})"
        problems.append(Problem("run_dir", got, "a path", "write run_dir='outputs/my_run'"))
    trackers = tracker_choices(request.settings.get("tracker", "none"), problems)
    asked = request.settings.get("confirm", "none")
    confirm = group_choice("confirm", "confirm", str(asked), problems) or "none"
    overrides += [f"confirm={confirm}", f"tracker=[{','.join(trackers)}]"]
    config, origin = compose_config(overrides)
    with open_dict(config):
        _fill(config, request, problems)
    # What the model in their place brings, no person chose.
    unchosen = (*_BASE, *(() if request.has_named_model else ("objective", "training")))
    choices = {**origin.choices, **dict.fromkeys(unchosen, "None"), **chosen}
    named_choices = {group: choice for group, choice in choices.items() if choice}
    return config, Origin(_said(request), named_choices, origin.sources, SAID_IN)


def _fill(config: DictConfig, request: Request, problems: list[Problem]) -> None:
    for part in ("search_alg", "scheduler"):
        _set_arguments(config, part, getattr(request, part), problems)
    configs = configs_of(config, request, problems)
    entries = _entries(config, request, problems)
    # Under their own names, and before a value is looked for that no such name can have.
    wrong = read_space(entries, "param_space")[1] if entries else []
    problems += map(words_of(request).problem, wrong)
    if not {problem.key for problem in problems} & {"param_space", *_CONFIGS}:
        _place(configs, entries, request, problems)
    for part, values in {**configs, "search_space": entries}.items():
        if part != "search_space":  # Its reader has told of them.
            refuse_missing(values, argument(part), problems)
        _set(config, part, values, problems)
    _fill_settings(config, request, problems)


def _place(
    configs: dict[str, dict[str, Any]],
    entries: dict[str, Any],
    request: Request,
    problems: list[Problem],
) -> None:
    """Let each parameter land, and take the default configuration from where it does."""
    own, named = space_of_model(request), parameters_of(entries)
    ours = fix_what_is_not_searched(configs, own, named) if own else {}
    wrong = [problem.key for problem in problems]
    names = [name for name in named if f"param_space.{name}" not in wrong]
    before = place_parameters(
        configs, names, request.param_mapping, problems, deciding=_deciding(named), of_model=ours
    )
    wrong = [problem.key for problem in problems]
    kept = {name: value for name, value in ours.items() if name in named}
    for name, value in {**kept, **before}.items():
        key = f"param_space.{name}"
        if not any(each == key or each.startswith(f"{key}.") for each in wrong):
            _take_default(entries, name, value)


def _entries(config: DictConfig, request: Request, problems: list[Problem]) -> dict[str, Any]:
    if isinstance(request.space, str):
        entries: Any = OmegaConf.to_container(config["search_space"], resolve=False)
        return entries  # type: ignore[no-any-return]
    space = getattr(request.space, "entries", request.space)
    return plain_config(respelt_space(space, problems), "param_space", problems)


def _set(
    config: DictConfig,
    part: str,
    values: Any,
    problems: list[Problem],
    *,
    merges: bool = False,
) -> None:
    try:
        config[part] = OmegaConf.merge(config[part], values) if merges else values
    except OmegaConfBaseException as error:
        text = " ".join(str(error).split())[:200]
        expected = "text in which ${…} is an interpolation"
        fix = r"write \${ for the letters ${"
        problems.append(Problem(argument(part), text, expected, fix, SAID_IN))


def _deciding(entries: Mapping[str, Any]) -> set[str]:
    whens = [entry.get("when") for entry in entries.values() if isinstance(entry, Mapping)]
    return {str(other) for when in whens if isinstance(when, Mapping) for other in when}


def _take_default(entries: dict[str, Any], name: str, value: Any) -> None:
    """Make what stands in the configs the default of a parameter that names none.

    So trial 0 is the configuration that was handed over, as far as the ranges hold it.
    """
    entry = entries[name]
    if not isinstance(entry, dict) or "default" in entry or value in (None, MISSING):
        return
    # On its own: what it depends on says nothing of its range.
    alone = {key: entry[key] for key in entry if key not in ("when", "otherwise", "prior")}
    _, problems = read_space({name: {**alone, "default": value}})
    if not problems:
        entry["default"] = value
        return
    # The caller of `optimize` is seven calls above.
    warnings.warn(
        f"{name}={value!r} of the config is none of the values of param_space.{name}, so trial 0 "
        "takes another; widen the range, or give it a default",
        stacklevel=7,
    )


def _fill_settings(config: DictConfig, request: Request, problems: list[Problem]) -> None:
    judged = {"metric": request.metric, "mode": request.mode}
    for key, value in judged.items():
        if value is not None or not request.has_named_model:
            config["objective"][key] = plain_value(value, key, problems)
            refuse_missing(value, key, problems)
    asked = {} if request.resources_per_trial is None else request.resources_per_trial
    ray = known_keys(request.ray_config, "ray_config", RAY_KEYS, problems)
    settings = known_arguments(request.settings, _TAKEN, (*ARGUMENTS, "progress"), problems)
    values = {
        "num_trials": request.num_trials,
        "time_budget_s": request.time_budget_s,
        **({} if request.seed is None else {"seed": request.seed}),
        "resources": {
            **known_keys(asked, "resources_per_trial", ("cpu", "gpu", "memory_gb"), problems),
            "max_concurrent_trials": request.max_concurrent_trials,
        },
        "ray": {_OF_RAY.get(key, key): value for key, value in ray.items()},
        **{key: value for key, value in settings.items() if key not in _ELSEWHERE},
    }
    for key, given in values.items():
        value = plain_value(given, argument(key), problems)
        refuse_missing(value, argument(key), problems)
        is_section = isinstance(value, dict) and OmegaConf.is_dict(config.get(key))
        _set(config, key, value, problems, merges=is_section)


def _set_arguments(config: DictConfig, part: str, value: Any, problems: list[Problem]) -> None:
    if not isinstance(value, Mapping):
        return
    arguments = plain_config(value, part, problems)
    refuse_missing(arguments, part, problems)
    if "name" in arguments:
        del arguments["name"]
        _set(config, part, arguments, problems, merges=True)
    else:
        # Of a class of one's own nothing is known: the careful answer stands, unless it is given.
        unknown = {"model_based": True} if part == "search_alg" else {"population": False}
        _set(config, part, {**unknown, **arguments}, problems)


def _said(request: Request) -> tuple[str, ...]:
    """Return the plain arguments as overrides, for the record and for "set by"."""
    said = {
        "num_trials": request.num_trials,
        "objective.metric": request.metric,
        "objective.mode": request.mode,
        "search_alg": request.search_alg,
        "scheduler": request.scheduler,
        "resources.max_concurrent_trials": request.max_concurrent_trials,
        "time_budget_s": request.time_budget_s,
        "seed": request.seed,
    }
    plain = {key: value for key, value in said.items() if isinstance(value, (str, int, float))}
    trusted = request.settings.get("trusted_modules")
    if isinstance(trusted, list) and all(isinstance(name, str) for name in trusted):
        plain["trusted_modules"] = f"[{','.join(trusted)}]"
    return tuple(f"{key}={value}" for key, value in plain.items())
