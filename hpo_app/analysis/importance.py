"""From trials to the importance of parameters: how much of the result hangs on each."""

from __future__ import annotations

import importlib.util
import math
import warnings
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import optuna
from optuna.study import StudyDirection

from hpo_app.analysis.axes import is_far_apart, parameter_axes
from hpo_app.analysis.comparable import compare_at_one_iteration
from hpo_app.analysis.once import once_per_study
from hpo_app.analysis.wording import counted
from hpo_app.plan.run_plan import Mode


if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from optuna.distributions import BaseDistribution
    from optuna.importance import BaseImportanceEvaluator

    from hpo_app.analysis.axes import ParameterAxis
    from hpo_app.analysis.comparable import Comparable, Comparison
    from hpo_app.plan.run_plan import Objective
    from hpo_app.study.records import Study

# Fewer say nothing at all: the best tenth would be one trial, and its parameters an accident.
FEWEST_TRIALS = 5
# With fewer, it is mostly chance.
_FEW_TRIALS = 20
# The variance of larger values is no float.
_LARGEST_VALUE = 1e150
# The best share of trials that is set against all, and the fewest trials that may stand for it.
# A quarter comes nearer to the truth than Optuna's tenth where there are a hundred trials or fewer.
# Source: the note on PED-ANOVA in Optuna's documentation, for the fewest.
_BEST_SHARE = 0.25
_FEWEST_BEST = 5
_DIRECTIONS = {Mode.MIN: StudyDirection.MINIMIZE, Mode.MAX: StudyDirection.MAXIMIZE}


class Method(str, Enum):
    """How importance is measured.

    Attributes:
        PED_ANOVA: By how differently a parameter is spread among the best quarter of the trials
            and among all. Takes conditional parameters, and needs nothing but Optuna.
        FANOVA: By the variance of the objective, over the whole space, that a forest of regression
            trees lays to the parameter on its own, as a share of what it lays to all of them so.
            Comes nearer to the truth (DESIGN.md); needs scikit-learn, and parameters that all
            trials have.
    """

    PED_ANOVA = "ped_anova"
    FANOVA = "fanova"

    @property
    def label(self) -> str:
        """Its name as it is written."""
        return "PED-ANOVA" if self is Method.PED_ANOVA else "fANOVA"


# Of more trials, so many are measured: a thousand take a second, and the trees of two hundred do.
_MOST_TRIALS = {Method.PED_ANOVA: 1000, Method.FANOVA: 200}
# Half of Optuna's: the measurements behind the choice of the method differ by 0.01 at most.
_NUM_TREES = 32
# Of less than this share of the variance, a reader has to know that the shares are of so little.
_LITTLE = 0.5


@dataclass(frozen=True)
class Importance:
    """The importance of one parameter.

    Attributes:
        name: Name of the parameter.
        share: Its share of the importance of all parameters, in `[0, 1]`.
        num_trials: Trials that have the parameter and were compared.
    """

    name: str
    share: float
    num_trials: int


@dataclass(frozen=True)
class Importances:
    """The importance of all parameters.

    Attributes:
        method: How it was measured.
        parameters: The most important first; empty if it cannot be told.
        iteration: The iteration at which the trials were compared.
        num_trials: Trials that were compared.
        notes: What a reader has to know, as sentences; why it cannot be told, if so.
    """

    method: Method
    parameters: tuple[Importance, ...]
    iteration: int
    num_trials: int
    notes: tuple[str, ...]


@once_per_study
def parameter_importance(
    study: Study, method: Method | None = None, *, seed: int = 0
) -> Importances:
    """Return how much of the first objective hangs on each parameter.

    Trials are compared at one iteration (`comparable.py`); failed ones are left out.

    Args:
        study: The study, finished or live.
        method: How to measure it; unless given, by fANOVA where it can be, else by PED-ANOVA.
        seed: Of the random forest of fANOVA; PED-ANOVA draws nothing.

    Raises:
        ModuleNotFoundError: If fANOVA is asked for without scikit-learn.

    Source:
        Watanabe et al. (2023), "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in
        Arbitrary Subspaces"; Hutter et al. (2014), "An Efficient Approach for Assessing
        Hyperparameter Importance".
    """
    comparison, axes = compare_at_one_iteration(study), parameter_axes(study)
    method = method or _suited(comparison.trials, axes)
    trials = _evenly(comparison.trials, _MOST_TRIALS[method])
    counts = {name: sum(name in trial.params for trial in trials) for name in axes}
    names, notes = _measurable(axes, trials, counts, method)
    shares: dict[str, float] = {}
    if names:
        # The names in an order of their own: Optuna's comes from a set.
        raw = _measure(study.objective, trials, {name: axes[name] for name in names}, method, seed)
        shares = _shares(raw)
        notes = [
            *_notes(trials, counts, shares, method),
            *_notes_on_variance(trials, sum(raw.values()), method),
            *_notes_on_trials(trials, comparison, study.iterations),
        ]
    ordered = sorted(names, key=lambda name: -shares.get(name, 0.0)) if shares else []
    return Importances(
        method,
        tuple(Importance(name, shares[name], counts[name]) for name in ordered),
        comparison.iteration,
        len(comparison.trials),
        tuple(notes),
    )


def most_important(study: Study, limit: int) -> list[str]:
    """Return the names of so many parameters, the most important first.

    Where importance cannot be told, and for parameters that it cannot be told of, the order is
    that of the search space.
    """
    measured = [each.name for each in parameter_importance(study).parameters]
    return list(dict.fromkeys([*measured, *parameter_axes(study)]))[:limit]


def _evenly(trials: Sequence[Comparable], most: int) -> Sequence[Comparable]:
    """Return the trials, or of very many an even choice."""
    count = len(trials)
    return trials if count <= most else [trials[place * count // most] for place in range(most)]


def _suited(trials: Sequence[Comparable], names: Collection[str]) -> Method:
    counts = [sum(name in trial.params for trial in trials) for name in names]
    is_conditional = any(0 < count < len(trials) for count in counts)
    has_trees = importlib.util.find_spec("sklearn") is not None
    return Method.FANOVA if has_trees and not is_conditional else Method.PED_ANOVA


def _measurable(
    axes: Mapping[str, ParameterAxis],
    trials: Sequence[Comparable],
    counts: Mapping[str, int],
    method: Method,
) -> tuple[list[str], list[str]]:
    """Return the parameters that can be measured, and why not if none can."""
    if len(trials) < FEWEST_TRIALS:
        compared = "no trial" if not trials else f"only {counted(len(trials), 'trial')}"
        return [], [
            f"The importance cannot be told: {compared} can be compared, and fewer than "
            f"{FEWEST_TRIALS} say nothing."
        ]
    if len({trial.value for trial in trials}) == 1:
        return [], [f"The importance cannot be told: all {len(trials)} trials have the same value."]
    fewest = len(trials) if method is Method.FANOVA else 2
    names = [name for name, axis in axes.items() if counts[name] >= fewest and axis.low < axis.high]
    if names:
        return names, []
    return [], ["The importance cannot be told: no parameter has more than one value."]


def _measure(
    objective: Objective,
    trials: Sequence[Comparable],
    axes: Mapping[str, ParameterAxis],
    method: Method,
    seed: int,
) -> dict[str, float]:
    distributions = {name: _distribution(axis) for name, axis in axes.items()}
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction=_DIRECTIONS[objective.mode])
    for trial, value in zip(trials, _levelled([trial.value for trial in trials]), strict=True):
        drawn = {name: _drawn(axes[name], trial) for name in axes if name in trial.params}
        known = {name: distributions[name] for name in drawn}
        study.add_trial(optuna.trial.create_trial(params=drawn, distributions=known, value=value))
    with warnings.catch_warnings():
        # What Optuna warns of, our notes say.
        warnings.simplefilter("ignore")
        measured = optuna.importance.get_param_importances(
            study,
            evaluator=_evaluator(method, len(trials), seed),
            params=list(axes),
            normalize=False,
        )
    return {name: float(measured[name]) for name in axes}


def _levelled(values: Sequence[float]) -> list[float]:
    """Return values whose variance is not that of a few large ones, in the same order."""
    if is_far_apart(values):
        return [math.log10(value) for value in values]
    return [min(max(value, -_LARGEST_VALUE), _LARGEST_VALUE) for value in values]


def _evaluator(method: Method, num_trials: int, seed: int) -> BaseImportanceEvaluator:
    if method is Method.PED_ANOVA:
        share = min(max(_BEST_SHARE, _FEWEST_BEST / num_trials), 0.5)
        return optuna.importance.PedAnovaImportanceEvaluator(target_quantile=share)
    if importlib.util.find_spec("sklearn") is None:
        raise ModuleNotFoundError("fANOVA needs scikit-learn: pip install scikit-learn")
    return optuna.importance.FanovaImportanceEvaluator(n_trees=_NUM_TREES, seed=seed)


def _distribution(axis: ParameterAxis) -> BaseDistribution:
    # By position, so that a logarithmic scale is one, whatever its ends; words without an order by
    # their place, because a list can be a value, and is no key.
    if axis.is_ordered:
        return optuna.distributions.FloatDistribution(0.0, 1.0)
    return optuna.distributions.CategoricalDistribution(list(range(len(axis.words))))


def _drawn(axis: ParameterAxis, trial: Comparable) -> float | int:
    place = axis.place(trial.params[axis.name])
    return axis.position(place) if axis.is_ordered else int(place)


def _shares(measured: Mapping[str, float]) -> dict[str, float]:
    total = sum(measured.values())
    return {name: value / total for name, value in measured.items()} if total > 0 else {}


def _notes_on_variance(
    trials: Sequence[Comparable], explained: float, method: Method
) -> Iterator[str]:
    if method is Method.PED_ANOVA:
        return
    if 0 < explained < _LITTLE:
        yield (
            f"On their own, the parameters explain {explained:.0%} of the variance; the rest is "
            "how they act together, and noise."
        )
    if is_far_apart([trial.value for trial in trials]):
        yield "Of the logarithm, because the values are far apart."


def _notes_on_trials(
    trials: Sequence[Comparable], comparison: Comparison, full: int
) -> Iterator[str]:
    if len(trials) < len(comparison.trials):
        yield f"Measured on {len(trials)} of them, evenly chosen."
    if 0 < comparison.iteration < full:
        yield "At the end of the training, other parameters can matter."


def _notes(
    trials: Sequence[Comparable],
    counts: Mapping[str, int],
    shares: Mapping[str, float],
    method: Method,
) -> list[str]:
    if not shares:
        return ["The importance cannot be told: the best trials have the same values as the rest."]
    notes = []
    if len(trials) < _FEW_TRIALS:
        notes.append(
            f"With {len(trials)} trials this is mostly chance; from {_FEW_TRIALS} on it says more."
        )
    if some := [name for name in shares if counts[name] < len(trials)]:
        notes.append(
            f"{', '.join(some)}: not in every trial; measured among those that have it, and "
            "counting for more, the more of the best trials have it."
        )
    if left := [name for name in counts if name not in shares]:
        why = "not in every trial, or constant" if method is Method.FANOVA else "constant"
        notes.append(f"Left out, because {why}: {', '.join(left)}.")
    return notes
