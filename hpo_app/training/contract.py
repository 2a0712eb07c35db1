"""From a configuration to reports: what a training function is given and what it owes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from hpo_app.errors import EXIT_CONFIG, HpoError, Problem


if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hpo_app.plan.search_space import Params


class Trial(Protocol):
    """What a training function knows of the trial that it trains, and how it reports.

    Attributes:
        number: The trial's number in its run, from 0; 0 is the default configuration.
        seed: Seed of everything random in this trial, in `[0, 2**31)`; derived from the run's
            seed and the trial's number.
        params: The sampled values, for information: they already stand in `model`, `data` and
            `training`.
        num_cpus: Whole CPUs of this trial, at least 1: how many threads it may use.
        checkpoint: Folder with the training state to continue from, or None for a fresh start.
        iteration: Number of reports made so far, those before a restart included.
        run_folder: The run folder; None where there is none. What a trial writes into it needs a
            name of its own.
        is_checkpoint_due: Whether the next report is expected to bring a checkpoint.
    """

    @property
    def number(self) -> int: ...  # noqa: D102 - documented on the class
    @property
    def seed(self) -> int: ...  # noqa: D102 - likewise
    @property
    def params(self) -> Params: ...  # noqa: D102 - likewise
    @property
    def num_cpus(self) -> int: ...  # noqa: D102 - likewise
    @property
    def checkpoint(self) -> Path | None: ...  # noqa: D102 - likewise
    @property
    def iteration(self) -> int: ...  # noqa: D102 - likewise
    @property
    def run_folder(self) -> Path | None: ...  # noqa: D102 - likewise
    @property
    def is_checkpoint_due(self) -> bool: ...  # noqa: D102 - likewise

    def report(self, metrics: Mapping[str, float], checkpoint: Path | None = None) -> None:
        """Report one iteration; the trial may end here.

        Args:
            metrics: `{name: number}`, a thousand of them at most; those of the objectives and of
                the constraints must be among them and finite.
            checkpoint: Folder holding the training state after this iteration. It is copied
                before the call returns, so the folder may be deleted afterwards.

        Raises:
            ReportError: If one of those is missing or not a finite number; the trial then fails.
            TrialOver: If the trial ends here; a training function lets it pass.
        """


class TrainFunction(Protocol):
    """A training run is a function: it trains, and reports after each iteration.

    The function is called once per trial, in a worker that may have run other trials before. It
    makes at most `training["iterations"] - trial.iteration` reports: one more does not count, and
    ends the trial as trained to its end, because trials of unequal length could not be compared.
    It may return after fewer where more training would not help: such a trial counts as trained
    to its end too. It must continue from `trial.checkpoint` where there is one, and draw all its
    randomness from `trial.seed`.
    """

    def __call__(
        self,
        model: dict[str, Any],
        data: dict[str, Any],
        training: dict[str, Any],
        trial: Trial,
    ) -> None:
        """Train one configuration; all three dicts are plain and fully resolved."""


class TrialOver(SystemExit):
    """Raised by `report` where a trial ends: the scheduler stopped it, or it has trained enough.

    As with `sys.exit`, whoever catches it goes on in vain: nothing that follows counts, and every
    further report raises it again.
    """


class ReportError(Exception):
    """A report that cannot be used: what trials are judged by is missing or not finite."""


class ConfigurationError(HpoError):
    """A configuration that the trainer cannot train; each problem says which key and why."""

    exit_code = EXIT_CONFIG

    def _text(self) -> str:
        # Without the headline: in a failed trial this stands at the end of a traceback.
        return "\n\n".join(map(str, self.problems))


def refusal(key: str, got: str, expected: str, fix: str) -> ConfigurationError:
    """Return the error of one setting that cannot be trained with.

    Args:
        key: The setting, as it is typed.
        got: What it says.
        expected: What it can be.
        fix: What to type or do next.
    """
    return ConfigurationError([Problem(key, got, expected, fix)])
