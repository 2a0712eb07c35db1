"""From regrets of runs to tables with intervals.

Source of the aggregates: Agarwal et al. (2021), "Deep Reinforcement Learning at the Edge of the
Statistical Precipice": interquartile mean, probability of improvement, bootstrap intervals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np


if TYPE_CHECKING:
    from collections.abc import Sequence

_DRAWS = 2000
_PEER = "ray-tune"


def tables(
    lines: Sequence[dict[str, Any]], workers: int, budgets: Sequence[float], *, half: str
) -> str:
    """Return the tables of all methods that have the same tasks and seeds, as Markdown."""
    chosen = [
        line for line in lines if line["workers"] == workers and (half in ("both", line["half"]))
    ]
    regrets, tasks, seeds = cube(chosen)
    if not regrets:
        return "nothing to report yet"
    draw = np.random.default_rng(20261127)
    samples = [resampled(len(tasks), len(seeds), draw) for _ in range(_DRAWS)]
    text = [
        f"{len(tasks)} tasks ({half} half), {len(seeds)} seeds, {workers} workers; normalised "
        "regret, interquartile mean and 95 % interval (bootstrap over tasks and seeds); lower is "
        "better.",
        "",
        head(["method", *(f"{budget:g}" for budget in budgets), "area", "mean rank"]),
    ]
    ranks = mean_ranks(regrets)
    for method in sorted(regrets, key=lambda name: ranks[name]):
        cells = [interval(regrets[method][..., at], samples) for at in range(len(budgets))]
        area = regrets[method].mean(axis=-1)
        text.append(row([method, *cells, interval(area, samples), f"{ranks[method]:.2f}"]))
    text += ["", *against_peer(regrets, budgets, samples)]
    text += ["", *by_family(regrets, tasks, budgets)]
    text += by_our_rule([line for line in chosen if line["seed"] in seeds], budgets, samples)
    return "\n".join(text)


def cube(
    lines: Sequence[dict[str, Any]],
) -> tuple[dict[str, np.ndarray], list[str], list[int]]:
    """Return `{method: regrets[task, seed, budget]}` over the tasks and seeds that all have."""
    found: dict[str, dict[tuple[str, int], list[float]]] = {}
    for line in lines:
        found.setdefault(line["method"], {})[line["task"], line["seed"]] = line["regret"]
    if not found:
        return {}, [], []
    shared = set.intersection(*(set(runs) for runs in found.values()))
    tasks = sorted({task for task, _ in shared})
    seeds = sorted(
        seed
        for seed in {seed for _, seed in shared}
        if all((task, seed) in shared for task in tasks)
    )
    if not seeds:
        return {}, [], []
    regrets = {
        method: np.array([[runs[task, seed] for seed in seeds] for task in tasks])
        for method, runs in found.items()
    }
    return regrets, tasks, seeds


def resampled(num_tasks: int, num_seeds: int, draw: np.random.Generator) -> Any:
    """Return indices of a bootstrap sample: tasks first, then seeds within each."""
    tasks = draw.integers(num_tasks, size=num_tasks)
    return tasks[:, None], draw.integers(num_seeds, size=(num_tasks, num_seeds))


def iqm(values: np.ndarray) -> float:
    """Return the mean of the middle half."""
    ordered = np.sort(values, axis=None)
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())


def interval(values: np.ndarray, samples: Sequence[Any]) -> str:
    """Return `iqm [low, high]` of `values[task, seed]`."""
    low, high = np.percentile([iqm(values[sample]) for sample in samples], [2.5, 97.5])
    return f"{iqm(values):.3f} [{low:.3f}, {high:.3f}]"


def mean_ranks(regrets: dict[str, np.ndarray]) -> dict[str, float]:
    """Return each method's rank, averaged over tasks, seeds and budgets; ties share a rank."""
    stacked = np.stack(list(regrets.values()))
    below = (stacked[:, None] > stacked[None]).sum(axis=1)
    equal = (stacked[:, None] == stacked[None]).sum(axis=1)
    ranks = 1 + below + (equal - 1) / 2
    means = ranks.reshape(len(stacked), -1).mean(axis=1)
    return dict(zip(regrets, means.tolist(), strict=True))


def against_peer(
    regrets: dict[str, np.ndarray], budgets: Sequence[float], samples: Sequence[Any]
) -> list[str]:
    """Return how much better each method is than raw Ray Tune, seed by seed."""
    if _PEER not in regrets:
        return []
    text = [
        f"Improvement over {_PEER}: mean difference of regret with its 95 % interval, and the "
        "share of runs that are better (ties count half).",
        "",
        head(["method", *(f"{budget:g}" for budget in budgets)]),
    ]
    for method, values in regrets.items():
        if method == _PEER:
            continue
        gains = regrets[_PEER] - values
        cells = []
        for at in range(len(budgets)):
            gain = gains[..., at]
            low, high = np.percentile([gain[sample].mean() for sample in samples], [2.5, 97.5])
            share = (gain > 0).mean() + (gain == 0).mean() / 2
            cells.append(f"{gain.mean():+.3f} [{low:+.3f}, {high:+.3f}] {share:.2f}")
        text.append(row([method, *cells]))
    return text


def by_family(
    regrets: dict[str, np.ndarray], tasks: Sequence[str], budgets: Sequence[float]
) -> list[str]:
    """Return the mean regret of each method in each family at the last budget."""
    families = sorted({task.partition("/")[0] for task in tasks})
    text = [f"Mean regret by family at {budgets[-1]:g}:", "", head(["method", *families])]
    for method, values in regrets.items():
        cells = []
        for family in families:
            places = [at for at, task in enumerate(tasks) if task.startswith(f"{family}/")]
            cells.append(f"{values[places, :, -1].mean():.3f}")
        text.append(row([method, *cells]))
    return text


def by_our_rule(
    lines: Sequence[dict[str, Any]], budgets: Sequence[float], samples: Sequence[Any]
) -> list[str]:
    """Return what the peers' trials are worth if hpo_app chooses among them; may be empty."""
    chosen = [
        {**line, "regret": line["regret_by_our_rule"]}
        for line in lines
        if "regret_by_our_rule" in line
    ]
    text = ["", "The same trials, handed back by hpo_app's rule:", ""]
    text.append(head(["method", *(f"{budget:g}" for budget in budgets)]))
    for method, values in cube(chosen)[0].items():
        cells = [interval(values[..., at], samples) for at in range(len(budgets))]
        text.append(row([method, *cells]))
    return text if chosen else []


def head(cells: Sequence[str]) -> str:
    """Return a Markdown table's first two lines."""
    return f"{row(cells)}\n{row(['---', *['---:'] * (len(cells) - 1)])}"


def row(cells: Sequence[str]) -> str:
    """Return a line of a Markdown table."""
    return f"| {' | '.join(cells)} |"
