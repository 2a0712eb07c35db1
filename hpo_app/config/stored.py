"""From a run folder to the config that it was started with, and the few changes it allows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from hpo_app.config.app_trust import TYPED_ANEW
from hpo_app.config.compose import Origin, conf_dir
from hpo_app.config.overrides import read_override, spelled, with_changes
from hpo_app.config.render import TRUSTED as TRUST, Rendered
from hpo_app.config.resolvers import register_resolvers
from hpo_app.config.written import UNREADABLE, read_yaml
from hpo_app.errors import PlanError, Problem, RunFolderError, listed, near_miss


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from omegaconf import DictConfig

    from hpo_app.config.overrides import Override

# What a run may be continued with. Everything else decides what its trials are: with another space
# or metric, the trials of before and after could not be compared.
CHANGEABLE = (
    "num_trials",
    "time_budget_s",
    "trial_timeout_s",
    "stall_timeout_s",
    "storage",
    "max_failures",
    "max_same_failures",
    "stop",
    "confirm",
    "checkpoints",
    "report",
    "resources",
    "ray",
    "trusted_modules",
)
# Where a run goes on, and where it writes and removes: a folder from elsewhere must not say so.
_TYPED_PLACES = {"ray.address": "local", "storage": None}
# The one config group of them: what is chosen is looked up, as Hydra would.
_GROUP = "confirm"


def stored_config(
    folder: Path, changes: Sequence[str] = (), earlier: Sequence[str] = ()
) -> tuple[DictConfig, Origin]:
    """Return the config of a run folder with changes on top, and where its values came from.

    Args:
        folder: The run folder, with `.hydra/` in it.
        changes: Overrides that were typed now.
        earlier: Overrides of earlier continuations, as the journal has them, in order.

    Raises:
        RunFolderError: If the stored config cannot be read.
        PlanError: If a change is none that a run may be continued with, or the folder would
            decide what only a person may.
    """
    register_resolvers()
    refused = [_refusal(change) for change in (*earlier, *changes) if not is_allowed(change)]
    if refused:
        raise PlanError(refused)
    path = folder / ".hydra" / "config.yaml"
    try:
        config = _with_later_keys(read_yaml(path))
        path = folder / ".hydra" / "hydra.yaml"
        hydra: Any = read_yaml(path).hydra
        typed: Any = OmegaConf.to_container(hydra.overrides.task, resolve=False)
        choices: Any = OmegaConf.to_container(hydra.runtime.choices)
        texts = [*map(str, typed), *earlier]
        named = {str(group): str(choice) for group, choice in choices.items()}
        chosen = [read_override(change) for change in (*earlier, *changes)]
        named.update({item.key: item.value for item in chosen if item.key == _GROUP})
    except UNREADABLE as error:
        text = " ".join(str(error).split())
        expected = "the config that the run was started with"
        fix = "restore the file from a copy, or start a new run"
        raise RunFolderError([Problem(str(path), text, expected, fix)]) from error
    changed = with_changes(config, [each for item in chosen for each in _without_group(item)])
    if "baseline" in changed:
        # What was brought along stands in the journal; its files may be gone.
        changed.baseline = []
    _refuse_places(changed, changes)
    _refuse_other_app(config, changes)
    # What the folder says a person typed may be made up; whom to trust is asked anew.
    kept = [text for text in texts if read_override(text).key not in (TRUST, *TYPED_ANEW)]
    return changed, Origin((*kept, *changes), named, (conf_dir(),), typed=tuple(changes))


def _without_group(change: Override) -> list[Override]:
    """Return what a choice of a config group stands for; any other change as it is."""
    if change.key != _GROUP:
        return [change]
    known = sorted(path.stem for path in (conf_dir() / _GROUP).glob("*.yaml"))
    if change.value not in known:
        miss = near_miss(change.value, known)
        fix = f"write {_GROUP}={miss}" if miss else "choose one of them"
        expected = f"one of {listed(known)}"
        raise PlanError([Problem(_GROUP, change.value, expected, fix, change.set_by)])
    content: Any = OmegaConf.load(conf_dir() / _GROUP / f"{change.value}.yaml")
    return [read_override(f"{_GROUP}.{key}={value}") for key, value in content.items()]


def _refuse_places(config: DictConfig, changes: Sequence[str]) -> None:
    """Raise if a folder says which cluster to join, or where to write besides.

    Whoever runs a cluster gets code to run here; and what a run needs no more, it removes.
    """
    typed = {read_override(change).key for change in changes}
    problems = []
    for key, default in _TYPED_PLACES.items():
        place = OmegaConf.select(config, key, throw_on_resolution_failure=False)
        if key in typed or place in (None, default):
            continue
        what = "choose the cluster" if default else "say where to write"
        expected = f"one from the command line: a run folder cannot {what}"
        instead = f", or {key}={default}" if default else ""
        fix = f"if it is yours, add '{spelled(key, str(place))}'{instead}"
        problems.append(Problem(key, str(place), expected, fix))
    if problems:
        raise PlanError(problems)


def _refuse_other_app(config: DictConfig, changes: Sequence[str]) -> None:
    """Raise if what is typed anew of a Hydra app is not what the run was started with.

    Its folder may be another one: a person moves a project.
    """
    problems = []
    for override in (read_override(change) for change in changes):
        if override.key not in TYPED_ANEW:
            continue
        before = OmegaConf.select(config, override.key, throw_on_resolution_failure=False)
        now = OmegaConf.from_dotlist([override.plain])
        typed = OmegaConf.select(now, override.key, throw_on_resolution_failure=False)
        is_list = override.key == "model.overrides"
        if before is None or (
            before != typed if is_list else Path(before).name != Path(typed).name
        ):
            expected = f"{before}, with which the run was started: its trials could not be compared"
            fix = "write that, or start a new run"
            problems.append(Problem(override.key, str(typed), expected, fix, override.set_by))
    if problems:
        raise PlanError(problems)


def _with_later_keys(config: Any) -> Any:
    """Add what an earlier release did not know yet, and a run may be continued with."""
    ours: Any = OmegaConf.load(conf_dir() / "config.yaml")
    for key in CHANGEABLE:
        if key not in config and key in ours:
            config[key] = ours[key]
    return config


def differing_keys(folder: Path, template: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the keys of model, data and training that an earlier run had other values of.

    Args:
        folder: The folder of the earlier run.
        template: Today's config, interpolations unresolved.

    Returns:
        Dotted keys by name; none where the earlier config cannot be read.
    """
    try:
        config = read_yaml(folder / ".hydra" / "config.yaml")
        stored: Any = OmegaConf.to_container(config, resolve=False)
    except UNREADABLE:
        return ()
    before = dict(_leaves(stored)) if isinstance(stored, dict) else {}
    now = dict(_leaves(dict(template)))
    differing = {key for key in {*before, *now} if before.get(key) != now.get(key)}
    return tuple(sorted(differing - {"training.checkpoint_every", "training.checkpoint_mb"}))


def settings_of(folder: Path) -> dict[str, str]:
    """Return what a run was set to, by dotted key, as written; empty if it cannot be read."""
    try:
        config = read_yaml(folder / ".hydra" / "config.yaml")
        stored: Any = OmegaConf.to_container(config, resolve=False)
    except UNREADABLE:
        return {}
    if not isinstance(stored, dict):
        return {}
    leaves = (pair for key, node in stored.items() for pair in _below(str(key), node))
    return {key: str(value) for key, value in leaves}


def _leaves(template: dict[Any, Any]) -> Iterator[tuple[str, Any]]:
    for part in Rendered._fields:
        yield from _below(part, template.get(part))


def _below(key: str, node: Any) -> Iterator[tuple[str, Any]]:
    if not isinstance(node, dict):
        yield key, node
        return
    for name, child in node.items():
        yield from _below(f"{key}.{name}", child)


def is_allowed(change: str) -> bool:
    """Return whether a run may be continued with an override."""
    override = read_override(change)
    is_ours = override.root in CHANGEABLE or override.key in TYPED_ANEW
    return is_ours and override.mark != "~"


def _refusal(change: str) -> Problem:
    override = read_override(change)
    return Problem(
        override.key,
        override.value,
        f"one of {listed(CHANGEABLE)}: anything else would make its trials incomparable",
        "leave it out, or start a new run with it",
        f"command line: {change}",
    )
