"""From a journal to the study it tells of."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from hpo_app.errors import RunFolderError
from hpo_app.plan.run_plan import Baseline
from hpo_app.study.fresh import Fresh, Kind, Race, is_fresh
from hpo_app.study.journal import FILE_NAME, no_event, read_events, torn_tail
from hpo_app.study.judging import criteria_from
from hpo_app.study.records import Clone, Report, Study, TrialRecord, TrialState


if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from hpo_app.study.journal import Event


def load_study(folder: Path) -> Study:
    """Read a run folder; neither Ray nor a pickle is involved.

    Args:
        folder: The run folder, which holds `journal.jsonl`.

    Raises:
        RunFolderError: If the journal is missing or damaged, or says what cannot be.
    """
    path = folder / FILE_NAME
    events = list(read_events(path))
    study = replay(events, folder)
    if study is None:
        raise RunFolderError([no_event(path)])
    _, torn = torn_tail(path, len(events))
    note = f"{path}, line {len(events) + 1}: the last {torn} bytes are no whole event and left out"
    return replace(study, note=note if torn else "")


def stored_changes(folder: Path) -> list[str]:
    """Return the overrides that earlier continuations of a run added, in order."""
    events = read_events(folder / FILE_NAME)
    resumed = (event for event in events if event.name == "resumed")
    return [text for event in resumed for text in event.fields.get("changes", ())]


def replay(events: Iterable[Event], folder: Path) -> Study | None:
    """Return the study that events tell of, or None if there is not one event."""
    builder: StudyBuilder | None = None
    for event in events:
        if builder is None:
            builder = StudyBuilder(folder, event.fields)
        builder.add(event.name, event.at_s, event.fields)
    return builder.study() if builder else None


def baselines_in(opened: Mapping[str, Any]) -> tuple[Baseline, ...]:
    """Return the baselines of the first event of a journal."""
    return tuple(Baseline(each["source"], each["params"]) for each in opened.get("baselines", ()))


@dataclass
class _Draft:
    """A trial record while events still add to it; reports are kept by iteration."""

    record: TrialRecord
    reports: dict[int, Report] = field(default_factory=dict)


class StudyBuilder:
    """Takes events one by one, and gives the study as it stands."""

    def __init__(self, folder: Path, opened: Mapping[str, Any]) -> None:
        self._study = Study(
            run_id=opened["run_id"],
            folder=folder,
            criteria=criteria_from(opened),
            space=opened["space"],
            trials=(),
            num_trials=opened["num_trials"],
            iterations=opened["iterations"],
            seed=opened["seed"],
            facts=opened.get("facts", {}),
            is_to_confirm=opened.get("confirms", False),
            baselines=baselines_in(opened),
        )
        self._drafts: dict[int, _Draft] = {}

    def study(self) -> Study:
        """Return the study as it stands after the last event."""
        records = [self.record(number) for number in self._drafts]
        return replace(
            self._study,
            trials=tuple(record for record in records if record.fresh is None),
            fresh=tuple(record for record in records if record.fresh is not None),
        )

    def record(self, number: int) -> TrialRecord:
        """Return one trial as it stands after the last event."""
        draft = self._drafts[number]
        return replace(draft.record, reports=tuple(draft.reports.values()))

    def add(self, name: str, at_s: float, fields: Mapping[str, Any]) -> None:
        """Take one event; a name that is not known adds nothing."""
        self._study = replace(self._study, duration_s=at_s)
        handler = getattr(self, f"_on_{name}", None)
        if handler is not None:
            handler(at_s, fields)

    def _change(self, number: int, **changes: Any) -> None:
        draft = self._drafts[number]
        draft.record = replace(draft.record, **changes)

    def _on_asked(self, _at_s: float, fields: Mapping[str, Any]) -> None:
        number = fields["trial"]
        record = TrialRecord(number, fields["params"], fields["is_default"], fields["seed"])
        self._drafts[number] = _Draft(record)
        # Whoever won before may not be the best any more.
        self._begin_anew(None)

    def _on_raced(self, _at_s: float, fields: Mapping[str, Any]) -> None:
        self._begin_anew(Race.from_fields(fields))

    def _begin_anew(self, race: Race | None) -> None:
        winner, before = self._study.winner, self._study.won_before
        before = before if winner is None else winner
        self._study = replace(self._study, race=race, winner=None, won_before=before)

    def _on_repeated(self, _at_s: float, fields: Mapping[str, Any]) -> None:
        number = fields["trial"]
        fresh = Fresh(fields["of"], Kind(fields["kind"]), fields["place"])
        params = self._drafts[fresh.of].record.params
        record = TrialRecord(
            number, params, seed=fields["seed"], fresh=fresh, typed_seed=fields["typed"]
        )
        self._drafts[number] = _Draft(record)

    def _on_confirmed(self, _at_s: float, fields: Mapping[str, Any]) -> None:
        self._study = replace(self._study, winner=fields["winner"])

    def _on_started(self, at_s: float, fields: Mapping[str, Any]) -> None:
        if self._drafts[fields["trial"]].record.started_s is None:
            self._change(fields["trial"], started_s=at_s)

    def _on_reported(self, at_s: float, fields: Mapping[str, Any]) -> None:
        if self._study.winner is not None and not is_fresh(fields["trial"]):
            # One that was cut off goes on, and may be better than whoever won.
            self._begin_anew(None)
        report = Report(fields["iteration"], fields["metrics"], at_s)
        reports = self._drafts[fields["trial"]].reports
        # A trial that went back to a checkpoint repeats iterations: what it did after that
        # checkpoint the first time is no longer part of its history.
        while reports and next(reversed(reports)) >= report.iteration:
            reports.popitem()
        reports[report.iteration] = report
        self._change(fields["trial"], is_untried=False)

    def _on_checkpointed(self, _at_s: float, fields: Mapping[str, Any]) -> None:
        self._change(fields["trial"], checkpoint=fields["path"])

    def _on_cloned(self, at_s: float, fields: Mapping[str, Any]) -> None:
        iteration, path = fields["iteration"], fields.get("checkpoint")
        clone = Clone(fields["source"], iteration, fields["params"], at_s, path)
        draft = self._drafts[fields["trial"]]
        if not draft.record.clones:
            own = {"own_params": draft.record.params, "own_reports": tuple(draft.reports.values())}
            self._change(fields["trial"], **own)
        # It goes on from there: what it reported beyond is no part of what it now is.
        for beyond in [known for known in draft.reports if known > iteration]:
            del draft.reports[beyond]
        clones = (*draft.record.clones, clone)
        self._change(fields["trial"], params=clone.params, clones=clones, is_untried=True)

    def _on_retried(self, _at_s: float, fields: Mapping[str, Any]) -> None:
        retries = self._drafts[fields["trial"]].record.retries
        self._change(fields["trial"], retries=retries + 1)

    def _on_ended(self, at_s: float, fields: Mapping[str, Any]) -> None:
        state = TrialState(fields["state"])
        self._change(fields["trial"], state=state, ended_s=at_s, error=fields.get("error"))

    def _on_resumed(self, _at_s: float, fields: Mapping[str, Any]) -> None:
        self._study = replace(
            self._study,
            num_trials=fields["num_trials"],
            stop_reason="",
            is_to_confirm=fields.get("confirms", self._study.is_to_confirm),
        )
        for number, draft in self._drafts.items():
            if draft.record.state is TrialState.INTERRUPTED:
                self._change(number, state=TrialState.RUNNING, ended_s=None)

    def _on_exhausted(self, _at_s: float, _fields: Mapping[str, Any]) -> None:
        # There are no more than these, however many were asked for.
        num_trials = sum(not is_fresh(number) for number in self._drafts)
        self._study = replace(self._study, num_trials=max(num_trials, 1))

    def _on_closed(self, _at_s: float, fields: Mapping[str, Any]) -> None:
        self._study = replace(self._study, stop_reason=fields["reason"])
