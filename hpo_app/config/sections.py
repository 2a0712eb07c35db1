"""From sections of a composed config to parts of a plan."""

from __future__ import annotations

from typing import Any

from hpo_app.config.section import Section
from hpo_app.errors import Problem
from hpo_app.plan.run_plan import (
    Checkpoints,
    Cluster,
    Component,
    Confirm,
    Resources,
    Scheduler,
    Searcher,
    Stop,
)


# Ray does not start with a number of CPUs that no machine has.
_MOST_ON_A_NODE = 100_000


def read_checkpoints(section: Section) -> Checkpoints:
    """Return which checkpoints are kept."""
    return Checkpoints(
        keep_best=section.whole("keep_best", least=0, otherwise=0),
        budget_gb=section.optional_number("budget_gb", above=0),
    )


def read_stop(section: Section) -> Stop:
    """Return what ends a search before its last trial."""
    return Stop(
        target=section.optional_number("target"),
        plateau=section.optional_whole("plateau", least=1),
        when_done=section.flag("when_done", otherwise=False),
    )


def read_confirm(values: Any, problems: list[Problem]) -> Confirm:
    """Return how the winner is confirmed; not at all in a run of an earlier release."""
    if values is None:
        return Confirm()
    section = Section("confirm", values, problems)
    return Confirm(
        contenders=section.whole("contenders", least=0, otherwise=0),
        first_seeds=section.whole("first_seeds", least=1, otherwise=1),
        claim_seeds=section.whole("claim_seeds", least=3, otherwise=3),
        share=section.number("share", above=0),
        has_replay=section.flag("replay"),
    )


def read_resources(section: Section) -> Resources:
    """Return what one trial holds."""
    return Resources(
        cpu=section.number("cpu", above=0),
        gpu=section.number("gpu", least=0),
        max_concurrent_trials=section.optional_whole("max_concurrent_trials", least=1),
        memory_gb=section.optional_number("memory_gb", above=0),
    )


def read_cluster(section: Section) -> Cluster:
    """Return where trials run."""
    return Cluster(
        address=section.text("address"),
        num_cpus=section.optional_whole("num_cpus", least=1, most=_MOST_ON_A_NODE),
        num_gpus=section.optional_whole("num_gpus", least=0, most=_MOST_ON_A_NODE),
        dashboard=section.flag("dashboard"),
        working_dir=section.optional_text("working_dir"),
    )


def read_searcher(section: Section, values: dict[str, Any]) -> Searcher:
    """Return what proposes parameters, and what it can."""
    component = _component(
        section,
        mapping(values.get("search_alg")),
        ("model_based", "pairs_with", "constraints", "several_objectives"),
    )
    is_model_based = section.flag("model_based")
    return Searcher(
        component,
        is_model_based,
        section.optional_text("pairs_with"),
        knows_constraints=section.flag("constraints", otherwise=not is_model_based),
        knows_several=section.flag("several_objectives", otherwise=not is_model_based),
    )


def read_scheduler(section: Section, values: dict[str, Any]) -> Scheduler:
    """Return what divides iterations among trials, and what it can."""
    own_keys = ("population", "pauses", "pairs_with", "memory", "constraints", "several_objectives")
    component = _component(section, mapping(values.get("scheduler")), own_keys)
    is_population = section.flag("population")
    return Scheduler(
        component,
        is_population,
        does_pause=is_population or section.flag("pauses", otherwise=False),
        pairs_with=section.optional_text("pairs_with"),
        has_memory=section.flag("memory", otherwise=False),
        knows_constraints=section.flag("constraints", otherwise=True),
        knows_several=section.flag("several_objectives", otherwise=False),
    )


def read_trackers(values: Any, problems: list[Problem]) -> dict[str, Component]:
    """Return what else is told of the trials, by the name of its folder."""
    root = Section("tracker", values, problems)
    found = {}
    for name, node in mapping(values).items():
        # Its files go to a folder of this name.
        if not str(name).isidentifier():
            expected = "letters, digits and underscores"
            problems.append(Problem(f"tracker.{name}", str(name), expected, "give it a plain name"))
        elif not isinstance(node, dict):
            expected, fix = "a tracker with its _target_", f"set tracker={name}"
            problems.append(Problem(f"tracker.{name}", str(node), expected, fix))
        else:
            found[str(name)] = _component(root.below(str(name)), node, ())
    return found


def _component(section: Section, values: dict[str, Any], own_keys: tuple[str, ...]) -> Component:
    ours = {"_target_", "needs", *own_keys}
    arguments = {key: value for key, value in values.items() if key not in ours}
    return Component(section.text("_target_"), arguments)


def mapping(value: Any) -> dict[str, Any]:
    """Return a section as it is, and one that is none as an empty one: the reader says so."""
    return value if isinstance(value, dict) else {}
