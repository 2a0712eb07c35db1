"""From a plan to the rows that say what would run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from hpo_app.errors import listed
from hpo_app.plan.duration import claimed_trainings, confirming_trainings
from hpo_app.plan.read_rules import share_kept
from hpo_app.plan.search_space import has_default
from hpo_app.report.format import counted, duration, params_text, plain, value_text
from hpo_app.search.prior import prior_draws


if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpo_app.plan.capacity import Capacity
    from hpo_app.plan.run_plan import Baseline, Resources, RunPlan
    from hpo_app.study.earlier import EarlierRun


def node_rows(plan: RunPlan, capacity: Capacity | None, name: str) -> list[tuple[str, str]]:
    """Return what machines there are, and how many trials each holds at once.

    Args:
        plan: The plan.
        capacity: What they offer; None if nobody could ask them.
        name: Who they are; or why nobody could.
    """
    if capacity is None:
        return [("nodes", f"not known: {name}")]
    asked = plan.resources
    alike: dict[tuple[float, float, int], list[float]] = {}
    for node in capacity.nodes:
        alike.setdefault((node.cpus, node.gpus, node.slots(asked)), []).append(node.memory_gb)
    rows = []
    for (cpus, gpus, slots), free in sorted(alike.items(), reverse=True):
        number = "" if len(capacity.nodes) == 1 else f"{len(free)} with "
        each = "" if len(free) == 1 else " each"
        has = f"{number}{cpus:g} CPUs, {gpus:g} GPUs{_memory(min(free))}"
        rows.append(("", f"{has}: {counted(slots, 'slot')}{each}"))
    rows[0] = ("nodes", f"{name}: {rows[0][1]}")
    return [*rows, ("memory", _hint(asked, capacity.slots(asked)))]


def _memory(free_gb: float) -> str:
    return f", {free_gb:.1f} GB of memory" if math.isfinite(free_gb) else ""


def _hint(asked: Resources, slots: int) -> str:
    if asked.memory_gb is None:
        return "not counted: resources.memory_gb says what one trial takes"
    return f"{asked.memory_gb:g} GB each, {slots * asked.memory_gb:g} GB at once"


def plan_rows(
    plan: RunPlan, slots: int | None, earlier: Sequence[EarlierRun] = ()
) -> list[tuple[str, str]]:
    """Return the plan as `(subject, text)` rows; `slots` is None where it is not known yet."""
    trials, iterations = plan.num_trials, plan.iterations
    per_trial = f"{plan.resources.cpu:g} CPU, {plan.resources.gpu:g} GPU each"
    rows = [
        ("trials", f"{trials} of up to {iterations} iterations, {per_trial}"),
        ("width", _width(plan, slots)),
        ("at most", f"{trials * iterations} iterations in all"),
        *(("objective", str(objective)) for objective in plan.objectives),
        *(("keeping", str(constraint)) for constraint in plan.constraints),
        ("search", _searching(plan)),
        *(("condition", _condition(plan, name)) for name in plan.space.conditions),
        *_rules(plan),
        *_warm_start(earlier),
        ("trial 0", _default(plan)),
        *(("baseline", _baseline(plan, each)) for each in plan.baselines),
        *_prior(plan),
        *((("trackers", ", ".join(plan.trackers)),) if plan.trackers else ()),
        *_confirmation(plan, slots),
        ("budget", _budget(plan)),
        ("seed", str(plan.seed)),
    ]
    if not plan.scheduler.has_memory:
        rows.append(("after a kill", "the scheduler starts without its memory of earlier reports"))
    if plan.scheduler.is_population:
        rows.insert(3, ("turns", _turns(plan, slots)))
    return rows


def _width(plan: RunPlan, slots: int | None) -> str:
    if slots is None:
        return f"as wide as the cluster at {plan.cluster.address} allows"
    at_once = min(slots, plan.num_trials)
    if plan.scheduler.is_population:
        return f"{at_once} at once"
    return f"{at_once} at once, {math.ceil(plan.num_trials / at_once)} waves"


def _turns(plan: RunPlan, slots: int | None) -> str:
    interval = int(plan.scheduler.component.arguments.get("perturbation_interval", 1))
    turns = math.ceil(plan.iterations / interval)
    if slots is not None and slots >= plan.num_trials:
        return f"all {plan.num_trials} members train at once"
    return (
        f"{plan.num_trials} members take turns of {interval} iterations: up to {turns} restarts "
        f"from a checkpoint for each, {turns * plan.num_trials} in all"
    )


def _searching(plan: RunPlan) -> str:
    searcher = plan.choices.get("search_alg", plan.searcher.component.target)
    scheduler = plan.choices.get("scheduler", plan.scheduler.component.target)
    return f"{searcher} over {len(plan.space)} parameters, scheduled by {scheduler}"


def _condition(plan: RunPlan, name: str) -> str:
    others = plan.space.conditions[name].items()
    where = (f"{other}={' or '.join(map(value_text, values))}" for other, values in others)
    return f"{name} only where {listed(where)}"


def _rules(plan: RunPlan) -> list[tuple[str, str]]:
    rules = plan.space.rules
    rows = [("rule", f"{plain(name)}: {plain(rule.text)}") for name, rule in rules.items()]
    if rows:
        share = share_kept(plan.space)
        text = "fewer than 1%" if 0.0 < share < 0.01 else f"{share:.0%}"
        rows.append(("", f"{text} of random configurations keep the rules"))
    return rows


def _warm_start(earlier: Sequence[EarlierRun]) -> list[tuple[str, str]]:
    if not earlier:
        return []
    # Not above: it brings NumPy, a fifth of the time in which a plan is shown.
    from hpo_app.report.sentences import earlier_sentence  # noqa: PLC0415

    return [("warm start", earlier_sentence(run_before)) for run_before in earlier]


def _prior(plan: RunPlan) -> list[tuple[str, str]]:
    before, priors = len(plan.first_params), plan.space.priors
    last = min(plan.prior_trials, plan.num_trials - before)
    if not priors or last < 1:
        return []
    widths = listed(f"{plain(name)} by {width:g}" for name, width in priors.items())
    count = len(prior_draws(plan.space, plan.seed, last))
    first, end = before, before + count - 1
    if count == last:
        return [("prior", f"trials {first} to {end} are drawn around it, {widths}")]
    which = f"only trial {first} is" if count == 1 else f"only trials {first} to {end} are"
    which = which if count else "no trial is"
    why = f"there are no {last} others that keep the rules"
    return [("prior", f"{which} drawn around it, {widths}: {why}")]


def _baseline(plan: RunPlan, baseline: Baseline) -> str:
    number = plan.first_params.index(baseline.params)
    return f"trial {number}, {plain(baseline.source)}: {params_text(baseline.params)}"


def _confirmation(plan: RunPlan, slots: int | None) -> list[tuple[str, str]]:
    confirm = plan.confirm
    if not confirm.is_on:
        return []
    claim = claimed_trainings(plan)
    # A scheduler that stops trials makes the search shorter, and with it what it may take.
    most = confirming_trainings(plan, plan.num_trials * plan.iterations)
    replay = " and one replay" if confirm.has_replay else ""
    waves = "" if slots is None else f", {math.ceil(most / max(slots, 1))} waves of full length"
    share = f"{confirm.share:.0%} of the run"
    if most == claim:
        share = f"be it more than {share}"
    elif plan.baselines:
        share += " and those of the baselines beside it"
    count = str(most) if most == claim else f"{claim} to {most}"
    text = (
        f"{_contenders(plan, most - claim)}: {count} trainings "
        f"of {plan.iterations} iterations{replay}, {share}{waves}, at most"
    )
    if plan.time_budget_s is not None:
        left = duration(confirm.share * plan.time_budget_s)
        text += f"; the search ends in time to leave it {left}"
    return [("confirm", text)]


def _contenders(plan: RunPlan, spare: int) -> str:
    """Return who is trained anew, with so many trainings beside those of the claim."""
    # With baselines, the best one races in any case.
    paid_for = max(spare // plan.confirm.first_seeds + bool(plan.baselines), 1)
    asked = min(plan.confirm.contenders, plan.num_trials)
    count = min(paid_for, asked)
    few = "" if count == asked else f" (of {asked}: its share pays for no more)"
    beside = " and the baselines" if plan.baselines else ""
    if count > 1 and plan.space.has_defaults:
        beside += ", the default among them," if paid_for <= asked else " and the default"
    what = "race on" if count > 1 or beside else "is trained anew with"
    return f"the best {count if count > 1 else 'one'}{few}{beside} {what} fresh seeds"


def _default(plan: RunPlan) -> str:
    if not plan.space.has_defaults:
        return "drawn like the others: no parameter names a default"
    guessed = [name for name in plan.space.defaults if not has_default(plan.space[name])]
    note = f" (middle of the range, no default known: {', '.join(guessed)})" if guessed else ""
    return f"the default configuration, {params_text(plan.space.defaults)}{note}"


def _budget(plan: RunPlan) -> str:
    limit = plan.time_budget_s
    time_text = "no time limit" if limit is None else f"at most {duration(limit)}"
    return f"{time_text}, {plan.max_failures} retries of a failed trial"
