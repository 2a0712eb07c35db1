"""From a run to what Python code asks of it: the winner, the table, and how it shows itself."""

from __future__ import annotations

import html
from functools import cached_property
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf

from hpo_app.actions.typed import train_command_of
from hpo_app.analysis.best import best_trial, rank
from hpo_app.analysis.claim import claim_of
from hpo_app.analysis.summary import summarize
from hpo_app.analysis.tables import encodable, trials_frame
from hpo_app.analysis.wording import plain
from hpo_app.api.mapping import interpolated
from hpo_app.api.plain import plain_config
from hpo_app.api.references import standing_alone
from hpo_app.api.run_folder import run_folder_of
from hpo_app.config.render import render, unresolvable, with_typed_trust
from hpo_app.config.resolvers import register_resolvers
from hpo_app.config.trainer import is_unnamed
from hpo_app.config.written import UNREADABLE, read_yaml
from hpo_app.errors import PlanError, Problem, RunFolderError
from hpo_app.report.document import REPORT_FOLDER
from hpo_app.report.sentences import ending_sentence, winner_sentence
from hpo_app.study.replay import load_study


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    import pandas as pd

    from hpo_app.analysis.claim import Claim
    from hpo_app.analysis.summary import StudySummary
    from hpo_app.plan.search_space import Params
    from hpo_app.study.records import Study, TrialRecord

_SHOWN = 10


class Results:
    """What came out of a run, read from its folder; no Ray, no pickle.

    Attributes:
        study: The record of the run: every trial with its parameters, reports and state.
    """

    def __init__(self, study: Study) -> None:
        self.study = study

    @classmethod
    def load(cls, path: str | Path) -> Results:
        """Read a run folder, which is named by itself or by a file of it.

        Raises:
            RunFolderError: If it is none, or its journal cannot be read.
        """
        return cls(load_study(run_folder_of(path, "load_results()")))

    @property
    def run_folder(self) -> Path:
        """The run folder, with the journal, `best.yaml`, `trials.csv` and the report."""
        return self.study.folder

    @property
    def trials(self) -> tuple[TrialRecord, ...]:
        """Every trial, by number."""
        return self.study.trials

    def __len__(self) -> int:
        return len(self.study.trials)

    def __iter__(self) -> Iterator[TrialRecord]:
        return iter(self.study.trials)

    @property
    def metric(self) -> str:
        """Name of the objective's metric."""
        return self.study.objective.metric

    @property
    def mode(self) -> str:
        """`min` or `max`."""
        return self.study.objective.mode.value

    @property
    def stop_reason(self) -> str:
        """Why the run ended, as a sentence; empty if it was cut off and could not say."""
        return self.study.stop_reason

    @property
    def summary(self) -> StudySummary:
        """Counts, winner, gain over the default configuration."""
        return summarize(self.study)

    @property
    def best_trial(self) -> TrialRecord | None:
        """The winner; None while no trial has a value."""
        return best_trial(self.study)

    @property
    def best_params(self) -> Params:
        """Values of the winner; empty while there is none."""
        return {} if self.best_trial is None else dict(self.best_trial.params)

    @property
    def best_value(self) -> float | None:
        """The winner's last value of the objective."""
        return None if self.best_trial is None else self.best_trial.value(self.metric)

    @property
    def claim(self) -> Claim | None:
        """What fresh seeds say of the winner; None where nothing was confirmed."""
        return claim_of(self.study)

    def top(self, count: int = _SHOWN) -> list[TrialRecord]:
        """Return the best trials, best first."""
        return list(rank(self.study)[:count])

    def to_dataframe(self) -> pd.DataFrame:
        """Return one row per trial; see `hpo_app.analysis.tables.trials_frame` for the columns."""
        return trials_frame(self.study)

    @property
    def train_command(self) -> str:
        """What trains the winner: a command line, or Python for a function of a script."""
        return train_command_of(self.study)

    def config(self, number: int | None = None) -> dict[str, dict[str, Any]]:
        """Return `{"model": …, "data": …, "training": …}` of a trial, ready to train.

        Args:
            number: Number of the trial; None for the winner.

        Raises:
            RunFolderError: If there is no such trial, or the stored config cannot be read.
        """
        rendered = render(self._template, self._params(number))
        # What the folder trusts is no concern of whoever trains this: they say so themselves.
        config = with_typed_trust(rendered, ())._asdict()
        if is_unnamed(str(config["model"].get("trainer"))):
            del config["model"]["trainer"]  # No more than the name of a function that is elsewhere.
        return config

    def best_model_config(self, model_config: Mapping[str, Any]) -> dict[str, Any]:
        """Return a copy of a model config with the winner's values where the run put them.

        Raises:
            RunFolderError: As `config`.
            PlanError: If the model config lacks such a place.
        """
        rendered = self.config()
        problems: list[Problem] = []
        alone = standing_alone({"model": model_config})["model"]
        config = {"model": plain_config(alone, "model_config", problems)}
        if problems:
            raise PlanError(problems)
        places = list(interpolated(self._template))
        expected = "a key of the model config, as in that of the run"
        fix = "hand over the model config that the run was started with, or none"
        missing = [place for place in places if not place.is_in(config)]
        if missing:
            raise PlanError([Problem(str(place), "nothing", expected, fix) for place in missing])
        for place in places:
            place.write(config, place.read(rendered))
        whole = {**rendered, **config}
        # References of a config from elsewhere may lead to what only its owner has: they stay.
        leads_nowhere = next(unresolvable(whole, {}), None)
        return config["model"] if leads_nowhere else render(whole, {}).model

    def _params(self, number: int | None) -> Params:
        trial = self.best_trial
        if number is not None:
            trial = next((trial for trial in self.study.trials if trial.number == number), None)
        if trial is None:
            got = "no best trial" if number is None else f"no trial {number}"
            expected = "a trial that has reported"
            fix = "look into trials/0/log.txt for why there is none"
            raise RunFolderError([Problem(str(self.run_folder), got, expected, fix)])
        return trial.params

    @cached_property
    def _template(self) -> dict[str, Any]:
        path = self.run_folder / ".hydra" / "config.yaml"
        register_resolvers()
        try:
            return OmegaConf.to_container(read_yaml(path), resolve=False)  # type: ignore[return-value]
        except UNREADABLE as error:
            text = " ".join(str(error).split())
            expected = "the config that the run was started with"
            problem = Problem(str(path), text, expected, "restore the file from a copy")
            raise RunFolderError([problem]) from error

    def __repr__(self) -> str:
        return f"<Results of {self.study.run_id}: {winner_sentence(self.summary)}>"

    def _repr_html_(self) -> str:
        """Show the run in a notebook: what won, the best trials, and where the report is."""
        head = html.escape(winner_sentence(self.summary))
        end = html.escape(ending_sentence(self.study, self.summary))
        report = self.run_folder / REPORT_FOLDER / "index.html"
        return (
            f"<p><b>{head}</b></p><p>{end}</p>{self._best_as_table().to_html(escape=True)}"
            f"<p>Report: <code>{html.escape(plain(str(report)))}</code></p>"
        )

    def _best_as_table(self) -> pd.DataFrame:
        """Return the best trials with what a person compares: how good, how long, with what."""
        frame = self.to_dataframe().set_index("number")
        metrics = [encodable(f"metrics.{metric}") for metric in self.study.criteria.metrics]
        judged = [*metrics, "keeps_constraints", "on_front"]
        params = [name for name in map(str, frame) if name.startswith("params.")]
        wanted = [*judged, "iterations", "state", "duration_s", "is_default", *params]
        shown = [name for name in wanted if name in frame]
        frame = frame.loc[[trial.number for trial in self.top()], shown]
        frame["duration_s"] = frame["duration_s"].round(1)
        frame = frame.rename(columns={"duration_s": "seconds", "is_default": "default"})
        frame.columns = [name.partition(".")[2] or name for name in map(str, frame)]
        return frame.rename_axis("trial")
