"""From settings to one frozen value: everything that a run is told, checked once."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any


if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpo_app.plan.criteria import Constraint, Criteria
    from hpo_app.plan.search_space import Params, SearchSpace


class Mode(str, Enum):
    """Which end of the metric is better."""

    MIN = "min"
    MAX = "max"


@dataclass(frozen=True)
class Objective:
    """What is optimised; said here and nowhere else.

    Attributes:
        metric: Name under which the trainer reports the number.
        mode: Which end is better.
    """

    metric: str
    mode: Mode

    def __str__(self) -> str:
        return f"{self.metric}, {self.mode.value}"

    @property
    def sign(self) -> int:
        """1 if more is better, -1 if less is: `sign * value` is always to be maximised."""
        return 1 if self.mode is Mode.MAX else -1


@dataclass(frozen=True)
class Resources:
    """What one trial holds while it trains, and how many may train at once.

    Attributes:
        cpu: CPUs per trial; fractions allowed.
        gpu: GPUs per trial; a fraction shares one card.
        max_concurrent_trials: Upper limit, or None for as many as fit.
        memory_gb: Gigabytes of memory per trial: counted and not enforced; None for not counted.
    """

    cpu: float
    gpu: float
    max_concurrent_trials: int | None
    memory_gb: float | None = None

    def __str__(self) -> str:
        held = f"cpu={self.cpu:g}, gpu={self.gpu:g}"
        return held if self.memory_gb is None else f"{held}, memory_gb={self.memory_gb:g}"


@dataclass(frozen=True)
class Checkpoints:
    """Which training states stay on disk, besides those that trials may go on from.

    Attributes:
        keep_best: Of how many of the best trials that ended the last one is kept; with several
            objectives, of all on the Pareto front, unless it is 0.
        budget_gb: Gigabytes that all together may take, or None for no limit.
    """

    keep_best: int
    budget_gb: float | None


@dataclass(frozen=True)
class Stop:
    """When a run has found what it was started for.

    Attributes:
        target: Value of the objective that a whole trial has to reach, or None.
        plateau: The run ends when this many trials in a row ended without a gain beyond the noise;
            None for never.
        when_done: Whether the run ends once no further gain beyond the noise can be expected.
    """

    target: float | None = None
    plateau: int | None = None
    when_done: bool = False


@dataclass(frozen=True)
class Confirm:
    """How the winner is found and proved with seeds that the search never saw.

    Attributes:
        contenders: How many of the best trials are trained anew; 0 for none.
        first_seeds: Seeds that all of them are trained with before any is dropped.
        claim_seeds: Seeds that are held back for what is said of winner and default.
        share: Largest share of the run's iterations that it may take, the claim apart.
        has_replay: Whether best.yaml is trained once more at the end.
    """

    contenders: int = 0
    first_seeds: int = 1
    claim_seeds: int = 3
    share: float = 0.4
    has_replay: bool = False

    @property
    def is_on(self) -> bool:
        """Whether anything is confirmed."""
        return self.contenders > 0


@dataclass(frozen=True)
class Baseline:
    """A configuration that a person brings along, for the search to be measured by.

    Attributes:
        source: The file or folder that it is from, as the person named it.
        params: Its values: those that have a say, in the order of the search space.
    """

    source: str
    params: Params


@dataclass(frozen=True)
class Cluster:
    """Where the run takes place.

    Attributes:
        address: `local` for a Ray of its own on this machine, else a cluster's address.
        num_cpus: CPUs a local Ray may use; None for all.
        num_gpus: GPUs a local Ray may use; None for all.
        dashboard: Whether a local Ray serves its dashboard.
        working_dir: Folder of which each node of another Ray gets a copy; empty for none.
    """

    address: str
    num_cpus: int | None
    num_gpus: int | None
    dashboard: bool
    working_dir: str = ""

    @property
    def is_local(self) -> bool:
        """Whether the run starts its own Ray on this machine."""
        return self.address == "local"


@dataclass(frozen=True)
class Component:
    """An object that the config names: a searcher, a scheduler or a tracker.

    Attributes:
        target: Import path of its class or function.
        arguments: Keyword arguments, plain and resolved.
    """

    target: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Searcher:
    """How parameters are proposed.

    Attributes:
        component: The sampler.
        is_model_based: Whether it learns from the results of earlier trials.
        pairs_with: The one choice of `scheduler` that it works with; empty for any.
        knows_constraints: Whether what it learns heeds the constraints on metrics.
        knows_several: Whether it learns from several objectives.
    """

    component: Component
    is_model_based: bool
    pairs_with: str
    knows_constraints: bool
    knows_several: bool


@dataclass(frozen=True)
class Scheduler:
    """How iterations are spent on trials.

    Attributes:
        component: The scheduler.
        is_population: Whether trials copy each other's state while they train.
        does_pause: Whether trials are paused until others have come as far, so that many are alive
            at once and every report needs a checkpoint. True for every population.
        pairs_with: The one choice of `search_alg` that it works with; empty for any.
        has_memory: Whether a run that goes on brings it back to where it stood.
        knows_constraints: Whether it may be told of a trial beyond the constraints as one that is
            worse than all others; not where it models the values themselves.
        knows_several: Whether it works with several objectives: it compares no values.
    """

    component: Component
    is_population: bool
    does_pause: bool
    pairs_with: str
    has_memory: bool
    knows_constraints: bool
    knows_several: bool


@dataclass(frozen=True)
class RunPlan:
    """A run, checked and frozen: nothing after this point checks or defaults anything.

    Attributes:
        criteria: By what trials are judged: objectives and constraints.
        space: What may be sampled.
        num_trials: How many trials, the default configuration included.
        time_budget_s: Seconds after which the run ends, or None.
        trial_timeout_s: Seconds that one attempt of a trial may train, or None.
        stall_timeout_s: Seconds without an event of any trial after which the run ends, or None.
        report_every_s: Seconds between two reports of a run that goes on, or None for none.
        iterations: Reports of a full trial: the fidelity that a scheduler spends.
        checkpoint_every: Iterations between checkpoints; 0 for none but what a scheduler needs.
        checkpoint_mb: Megabytes that a checkpoint takes at most, or None where nobody knows before.
        checkpoints: Which training states stay on disk.
        max_failures: How often a failed trial is started again.
        max_same_failures: The run ends when this many first trials all failed alike.
        stop: When the run has found what it was started for.
        confirm: How the winner is found and proved with fresh seeds.
        repeats_duplicates: Whether a configuration that was tried is trained again.
        baselines: Configurations that are tried right after the default one.
        prior_trials: How many trials after these are drawn around it, where parameters
            have a prior.
        resources: What a trial holds.
        cluster: Where the run takes place.
        searcher: How parameters are proposed.
        scheduler: How iterations are spent.
        trackers: What is told of the run besides, by name: callbacks of Ray Tune.
        storage: Where checkpoints and logs of trials are kept: a folder, or s3://BUCKET/PREFIX;
            empty for the run folder.
        seed: Seed of the whole run.
        trainer: Import path of the training function, `package.module:function`.
        trusted_modules: Packages of the user's own that the config may name code from.
        warm_start: Folders of earlier runs whose trials the searcher is told of.
        template: The composed config without `hydra`, interpolations unresolved.
        space_entries: The search space as it was written.
        choices: Config group choices, for the record.
        probes: Whether a plan that is only shown is also tried out.
    """

    criteria: Criteria
    space: SearchSpace
    num_trials: int
    time_budget_s: float | None
    trial_timeout_s: float | None
    stall_timeout_s: float | None
    report_every_s: float | None
    iterations: int
    checkpoint_every: int
    checkpoint_mb: float | None
    checkpoints: Checkpoints
    max_failures: int
    max_same_failures: int
    stop: Stop
    confirm: Confirm
    repeats_duplicates: bool
    baselines: tuple[Baseline, ...]
    prior_trials: int
    resources: Resources
    cluster: Cluster
    searcher: Searcher
    scheduler: Scheduler
    trackers: Mapping[str, Component]
    storage: str
    seed: int
    trainer: str
    trusted_modules: tuple[str, ...]
    warm_start: tuple[str, ...]
    template: Mapping[str, Any]
    space_entries: Mapping[str, Mapping[str, Any]]
    choices: Mapping[str, str]
    probes: bool = False

    @property
    def objective(self) -> Objective:
        """The first objective; the only one of most runs."""
        return self.criteria.objective

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All that is optimised."""
        return self.criteria.objectives

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """What a trial has to keep."""
        return self.criteria.constraints

    @property
    def first_params(self) -> tuple[Params, ...]:
        """The configurations that no sampler proposes: the default one, then baselines, each once.

        What a prior draws around the default comes after them.
        """
        first = [self.space.defaults] if self.space.has_defaults else []
        for baseline in self.baselines:
            if baseline.params not in first:
                first.append(baseline.params)
        return tuple(first)
