"""From Python arguments to a run like one of the command line, and back to what came out of it."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from hpo_app.api.analysis import analyze
from hpo_app.api.plain import plain_config
from hpo_app.api.process import process_left_as_it_was
from hpo_app.api.request import Request, compose_request, words_of
from hpo_app.api.results import Results
from hpo_app.api.resuming import changes_as_text, refuse_other_function, stored_request
from hpo_app.api.run_folder import new_folder, run_folder_of, store_config
from hpo_app.api.search_space import define_space
from hpo_app.api.training_engine import TrainingEngine
from hpo_app.api.words import Words, said_in_python
from hpo_app.config.parse import parse_plan
from hpo_app.config.reading import parse_reading
from hpo_app.config.settings import parse_settings
from hpo_app.config.trainer import is_unnamed
from hpo_app.errors import PlanError, Problem
from hpo_app.report.sentences import failure_sentence
from hpo_app.signals import Ended, Interrupted, Signals
from hpo_app.study.folder import remove_unused
from hpo_app.study.lock import claimed
from hpo_app.study.replay import load_study


if TYPE_CHECKING:
    from collections.abc import Mapping

    from omegaconf import DictConfig

    from hpo_app.api.mapping import ParamMapping
    from hpo_app.api.search_space import DefinedSpace
    from hpo_app.config.compose import Origin
    from hpo_app.training.contract import TrainFunction

_LOG = logging.getLogger("HPOptimizer")
_NO_RAY = (
    "Ray Tune is required for HPOptimizer; install it with: "
    f"{sys.executable} -m pip install 'ray[tune]>=2.60,<2.70'"
)


class HPOptimizer:
    """Searches for the best configuration, and keeps what came out in a run folder.

    The run is the one that `python -m hpo_app` starts: same plan, same journal, same folder. What
    one began the other can go on with.

    Attributes:
        training_engine: What trains a configuration.
        results: What came out of the last run, or was loaded last; None before.
    """

    def __init__(
        self,
        training_engine: TrainingEngine | TrainFunction | None = None,
        ray_config: Mapping[str, Any] | None = None,
    ) -> None:
        """Take what trains, and where.

        Args:
            training_engine: What trains a configuration, or a training function; by default, the
                trainer that the model config names.
            ray_config: Where the search runs: `address` (`local` by default, `auto` or HOST:PORT
                for a cluster), `num_cpus`, `num_gpus`, `include_dashboard`, and `working_dir`, the
                folder that is sent to the nodes of a cluster. A Ray that this process has started
                already is used as it is.

        Raises:
            ImportError: If Ray Tune is not installed.
            PlanError: If `ray_config` is no mapping.
        """
        if importlib.util.find_spec("ray") is None or importlib.util.find_spec("ray.tune") is None:
            raise ImportError(_NO_RAY)
        if not isinstance(training_engine, TrainingEngine):
            training_engine = TrainingEngine(training_engine)
        self.training_engine = training_engine
        self.results: Results | None = None
        problems: list[Problem] = []
        self._ray_config = plain_config(
            {} if ray_config is None else ray_config, "ray_config", problems
        )
        if problems:
            raise PlanError(problems, "the arguments of HPOptimizer()")

    def optimize(  # noqa: PLR0913, PLR0917 - a search has that many sides, each with a name
        self,
        model_config: Mapping[str, Any] | str,
        data_config: Mapping[str, Any] | str | None = None,
        training_config: Mapping[str, Any] | str | None = None,
        param_space: Mapping[str, Any] | DefinedSpace | str | None = None,
        num_trials: int = 20,
        metric: str | None = None,
        mode: str | None = None,
        param_mapping: ParamMapping | None = None,
        search_alg: str | Mapping[str, Any] = "random",
        scheduler: str | Mapping[str, Any] | None = None,
        resources_per_trial: Mapping[str, float] | None = None,
        max_concurrent_trials: int | None = None,
        time_budget_s: float | None = None,
        seed: int | None = None,
        *,
        run_dir: str | Path | None = None,
        progress: bool = True,
        **settings: Any,
    ) -> Results:
        """Run a search to its end.

        Trial 0 is the configuration that is handed over: a parameter without a `default` takes
        what stands in the config at its place. Searches of one process run one after the other,
        also those of several threads.

        Args:
            model_config: Settings of the model, nested as you like; or the name of one of ours,
                such as `"ppo"`, which brings its own data, training and objective.
            data_config: Settings of the data or environment, or a name of ours (`"acrobot"`).
            training_config: Settings of the training: `iterations`, how many times a full trial
                reports (or `epochs`), and what else your function reads.
            param_space: `{name: {"type": "loguniform", "low": 1e-5, "high": 1e-2}}`; see
                `define_search_space`. Or a name of ours (`"ppo"`), by default that of the model.
            num_trials: How many trials, the default configuration included.
            metric: Name of the number that your function reports and that is optimised.
            mode: `"min"` or `"max"`.
            param_mapping: Where a value lands: `{"lr": "hyperparameters.learning_rate"}`, or
                several places. Without it, where the parameter's dotted name, or its one
                unambiguous leaf name, exists in the model, data or training config.
            search_alg: How parameters are proposed: `"random"`, `"optuna"`, …; with arguments as
                `{"name": "optuna", "n_startup_trials": 20}`.
            scheduler: How iterations are spent: `"asha"`, `"pbt"`, …, likewise. None trains every
                trial to its end.
            resources_per_trial: `{"cpu": 2, "gpu": 0.5, "memory_gb": 3}`; one CPU by default.
            max_concurrent_trials: Upper limit of trials at once; None for as many as fit.
            time_budget_s: Seconds after which the run ends and keeps what it has.
            seed: Seed of the whole run; 0 by default, so that a repeated search is the same.
            run_dir: The run folder; by default one by date and time under `outputs/`.
            progress: Whether to show the run while it lasts. Where not, trials that failed are a
                warning in the log `HPOptimizer`.
            **settings: Further settings under their names in `conf/config.yaml`, for example
                `max_failures`, `stop`, `constraints`, `warm_start`, `baseline`; and `iterations`,
                for a training config that does not say it. A preset of `ConfigLoader` is made of
                these.

        Returns:
            What came out, trials that failed included.

        Raises:
            PlanError: With everything that is wrong with the arguments, before Ray starts.
            ResourceError: If no trial can ever fit, or Ray broke off.
            RunFolderError: If `run_dir` holds a run already.
            KeyboardInterrupt: After a signal, when the run has ended in order. Its folder can be
                gone on with by `resume`, and `results` holds what there is. A script that lets it
                through ends with 130 or 143, without a traceback.
        """
        name = self.training_engine.name
        request = Request(
            model_config=model_config,
            data_config=data_config,
            training_config=training_config,
            param_space=param_space,
            num_trials=num_trials,
            metric=metric,
            mode=mode,
            param_mapping=param_mapping,
            search_alg=search_alg,
            scheduler=scheduler,
            resources_per_trial=resources_per_trial,
            max_concurrent_trials=max_concurrent_trials,
            time_budget_s=time_budget_s,
            seed=seed,
            settings={
                **settings,
                "trusted_modules": self._trusted(name, settings.get("trusted_modules")),
            },
            ray_config=self._ray_config,
            trainer=name,
            run_dir=run_dir,
        )
        # All that is wrong is said before anything is written.
        source = compose_request(request)
        folder = new_folder(run_dir)
        with claimed(folder), said_in_python(words_of(request)):
            store_config(*source, folder)
            return self._run("optimize", source, folder, (), Console(quiet=not progress))

    def resume(self, path: str | Path, *, progress: bool = True, **changes: Any) -> Results:
        """Go on with a run that was cut off, or is to be longer.

        Args:
            path: The run folder, or a file of it.
            progress: Whether to show the run while it lasts.
            **changes: What a run may be continued with, for example `num_trials=80`,
                `time_budget_s=3600` or `resources_per_trial={"cpu": 2}`.

        Returns:
            What came out of all of the run.

        Raises:
            PlanError: If a change is none that a run may be continued with.
            RunFolderError: If it is no run folder, or its journal cannot be read.
            ResourceError: As `optimize`.
            KeyboardInterrupt: As `optimize`.
        """
        folder = run_folder_of(path, "resume()")
        name = self.training_engine.name
        trusted = self._trusted(name, changes.pop("trusted_modules", None))
        texts = changes_as_text(changes, self._ray_config, trusted)
        with said_in_python(Words("resume", typed=texts)):
            source = stored_request(folder, texts)
            refuse_other_function(source[0], name)
            with claimed(folder):
                return self._run("resume", source, folder, texts, Console(quiet=not progress))

    def define_search_space(self, param_space: Mapping[str, Any]) -> DefinedSpace:
        """Return the typed search space, which `optimize` takes too.

        Args:
            param_space: `{name: entry}`. An entry has a `type`: `uniform`, `loguniform` (`low`,
                `high`), `quniform`, `qloguniform` (and a step `q`), `randint`, `lograndint`,
                `qrandint` (whole numbers, both ends included), `choice`, `ordinal` (`values`) or
                `normal` (`mean`, `sd`); and may have a `default`, and `mutable: False` for what no
                scheduler may change while a trial trains; with `when: {other: value}` it has a say
                only there, and elsewhere reads as `otherwise`. Below `require` stand rules across
                parameters, for example `{"fits": "batch_size <= n_steps"}`.

        Raises:
            PlanError: With everything that is wrong with it.
        """
        return define_space(param_space)

    def analyze_results(self, results: Results | None = None) -> dict[str, Any]:
        """Return what is worth knowing of a run; see `hpo_app.api.analysis.analyze`.

        Args:
            results: The run; the last one by default.
        """
        return analyze(self._results(results))

    def get_best_model_config(
        self, model_config: Mapping[str, Any] | None = None, results: Results | None = None
    ) -> dict[str, Any]:
        """Return a model config with the best values in place, for a training without a search.

        Args:
            model_config: The config that the values are put into, which stays as it is; by default
                that of the run.
            results: The run; the last one by default.

        Raises:
            RunFolderError: If the run has no best trial, or the config lacks a place for a value.
        """
        of = self._results(results)
        return of.config()["model"] if model_config is None else of.best_model_config(model_config)

    def load_results(self, path: str | Path) -> Results:
        """Read a run folder, of any run of ours, and remember it as the last one.

        Args:
            path: The run folder, or a file of it such as its `journal.jsonl`.

        Raises:
            RunFolderError: If it is no run folder, or its journal cannot be read.
        """
        self.results = Results.load(path)
        return self.results

    def _results(self, results: Results | None) -> Results:
        chosen: Any = self.results if results is None else results
        if chosen is None:
            raise ValueError(
                "there are no results yet: call optimize(…) or load_results(path) first"
            )
        if not isinstance(chosen, Results):
            got = f"{chosen!r:.60} ({type(chosen).__name__})"
            expected = "what optimize or load_results returned"
            raise PlanError([Problem("results", got, expected, "hand that over")], "the arguments")
        return chosen

    def _trusted(self, name: str | None, given: Any) -> Any:
        """Return the packages to trust: who hands over a function trusts where it stands."""
        modules = [given] if isinstance(given, str) else [] if given is None else given
        if not isinstance(modules, (list, tuple, set)):
            return given  # It is refused with everything else.
        found = [*modules, *self.training_engine.trusted_modules]
        if name is not None and not is_unnamed(name) and not name.startswith("hpo_app."):
            found.append(name.partition(":")[0].partition(".")[0])
        return list(dict.fromkeys(found))

    def _run(
        self,
        action: str,
        source: tuple[DictConfig, Origin],
        folder: Path,
        changes: tuple[str, ...],
        console: Console,
    ) -> Results:
        # Ray takes a second to import; whoever only reads results does not pay it.
        module: Any = importlib.import_module(f"hpo_app.actions.{action}")
        command_type: Any = importlib.import_module("hpo_app.actions.command").Command
        train = self.training_engine.train
        signals = Signals(leaves=False)
        command = command_type(
            read_plan=lambda: parse_plan(*source, has_function=train is not None),
            read_settings=lambda: parse_settings(*source),
            read_reading=lambda: parse_reading(*source),
            folder=folder,
            best=None,
            changes=changes,
            signals=signals,
            started_by=f"HPOptimizer.{action}() in {Path(sys.argv[0]).name or 'Python'}",
            train=train,
            console=console,
        )
        _LOG.debug("%s: %s in %s", action, command.plan.objective, folder)
        try:
            if train is not None:
                importlib.import_module("hpo_app.tuning.sendable").refuse_unsendable(train)
            with process_left_as_it_was(console.print), signals.held_where_possible():
                module.run(command)
            # By a name of its own: another thread may search with this optimizer.
            self.results = results = Results(load_study(folder))
            _LOG.debug("%s: %s", action, results.stop_reason)
            if console.quiet and results.summary.failures:
                _LOG.warning("%s: %s", folder, failure_sentence(results.summary))
            signals.check()
        except Interrupted as error:
            remove_unused(folder)
            # A person at a prompt goes on; a script that does not take it ends.
            raise error if hasattr(sys, "ps1") else Ended(error.number) from None
        except BaseException:
            remove_unused(folder)
            raise
        return results
