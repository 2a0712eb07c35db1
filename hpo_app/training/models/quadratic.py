"""From four parameters to a learning curve: an analytic objective whose best point is known.

It trains nothing and needs nothing: for tests and first runs, to ask whether a search *found* the
best point. The loss starts at `START` and falls towards `end`, which the parameters decide:

    loss(0) = START        loss(t) = end + (loss(t - 1) - end) * exp(-speed)
    end     = ((x - 1.5) / 5)**2 + 0.25 * log10(rate / 0.01)**2
              + 0.05 * (depth - 5)**2 + KINDS[kind]
    speed   = SPEED * sqrt(min(1, rate / 0.01))

`end` is 0 at `BEST` and positive everywhere else, and nothing falls faster than `BEST`. So, without
noise, `BEST` has the lowest loss at *every* iteration, `lowest_loss(t)`, which goes to 0. A rate
that is too low falls slowly and one that is too high ends high, so that the curves of different
parameters cross: early reports mislead, as they do in real training.

Beside the loss stands a cost that pulls elsewhere, the same at every iteration:

    cost = ((x + 1.5) / 5)**2

Together they are Schaffer's first problem. With all but `x` as in `BEST` and `x` from -1.5 to 1.5,
no point has both a lower end and a lower cost: there, sqrt(end) + sqrt(cost) is `FRONT`, and
everywhere else it is more. Of the points whose cost is at most c, the best one has
sqrt(end) = `FRONT` - sqrt(c).

The loss of an iteration depends on the one before. Parameters that change while a trial trains
therefore go on from where it stands, as they would for a model with weights.

Source of the cost:
    Schaffer (1985), "Multiple Objective Optimization with Vector Evaluated Genetic Algorithms".
"""

from __future__ import annotations

import json
import math
import random
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpo_app.errors import Problem, listed, near_miss
from hpo_app.study.files import read_small
from hpo_app.training.checkpoint import unreadable_state
from hpo_app.training.contract import ConfigurationError
from hpo_app.training.reports import checked_number, checked_settings
from hpo_app.training.seeds import derive_seed


if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpo_app.plan.search_space import Params
    from hpo_app.training.contract import Trial

START = 10.0
SPEED = 0.3
# What each kind adds to the loss in the end.
KINDS = {"smooth": 0.0, "rough": 0.2, "flat": 0.5}
# What the square roots of end and cost add up to where neither can get better without the other.
FRONT = 0.6
BEST: Params = {"x": 1.5, "rate": 0.01, "depth": 5, "kind": "smooth"}

_STATE_FILE = "state.json"
_MOST = 1.0e300
_NUMBERS = ("x", "rate", "depth", "noise", "step_time_s")


def train(
    model: dict[str, Any],
    data: dict[str, Any],  # noqa: ARG001 - the contract's; a formula has no data
    training: dict[str, Any],
    trial: Trial,
) -> None:
    """Report `loss` along the curve of one point, and its `cost`.

    Args:
        model: `x`, `rate` (positive), `depth` and `kind` (a key of `KINDS`): the point; `noise`:
            standard deviation of what is added to each report; `step_time_s`: seconds that an
            iteration takes.
        data: Not used.
        training: `iterations`.
        trial: Where to report; noise is drawn from its seed and the iteration.

    Raises:
        ConfigurationError: If a setting is missing or not of its kind.
    """
    checked_settings(model, "model", [*_NUMBERS, "kind"], optional=None)
    settings = {key: checked_number(model[key], f"model.{key}") for key in _NUMBERS}
    end, speed = _end(settings, model["kind"]), _speed(settings["rate"])
    loss = START if trial.checkpoint is None else _load(trial.checkpoint)
    for iteration in range(trial.iteration + 1, training["iterations"] + 1):
        time.sleep(settings["step_time_s"])
        loss = end + (loss - end) * math.exp(-speed)
        # A generator of its own for each iteration: there is no state of it to save.
        draw = random.Random(derive_seed(trial.seed, "noise", iteration)).gauss(0.0, 1.0)
        reported = {"loss": loss + settings["noise"] * draw, "cost": cost_at(settings["x"])}
        _report(trial, reported, loss)


def lowest_loss(iterations: int) -> float:
    """Return the loss of `BEST` after some iterations without noise: no point has a lower one."""
    return START * math.exp(-SPEED * iterations)


def cost_at(x: float) -> float:
    """Return the cost of a point, which is lowest at -1.5."""
    return ((x + 1.5) / 5.0) ** 2


def _end(settings: Mapping[str, float], kind: object) -> float:
    if not isinstance(kind, str) or kind not in KINDS:
        near = near_miss(str(kind), KINDS)
        fix = f"model.kind={near or 'smooth'}"
        problem = Problem("model.kind", repr(kind), f"one of {listed(KINDS)}", fix)
        raise ConfigurationError([problem])
    if settings["rate"] <= 0:
        got = str(settings["rate"])
        problem = Problem("model.rate", got, "a positive number", "model.rate=0.01")
        raise ConfigurationError([problem])
    return (
        ((settings["x"] - 1.5) / 5.0) ** 2
        + 0.25 * math.log10(settings["rate"] / 0.01) ** 2
        + 0.05 * (settings["depth"] - 5.0) ** 2
        + KINDS[kind]
    )


def _speed(rate: float) -> float:
    return SPEED * math.sqrt(min(1.0, rate / 0.01))


def _report(trial: Trial, reported: dict[str, float], loss: float) -> None:
    if not trial.is_checkpoint_due:
        trial.report(reported)
        return
    with tempfile.TemporaryDirectory() as folder:
        # JSON writes a float so that reading it gives the same bits.
        (Path(folder) / _STATE_FILE).write_text(json.dumps({"loss": loss}), encoding="utf-8")
        trial.report(reported, checkpoint=Path(folder))


def _load(folder: Path) -> float:
    path = folder / _STATE_FILE
    try:
        loss = json.loads(read_small(path))["loss"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise unreadable_state(path, repr(error)) from error
    if isinstance(loss, bool) or not isinstance(loss, (int, float)) or not abs(loss) <= _MOST:
        raise unreadable_state(path, f"loss={str(loss)[:60]}")
    return float(loss)
