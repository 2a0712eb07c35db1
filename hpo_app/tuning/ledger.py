"""From an event of a run to a line on record, of which people hear once it is safe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpo_app.study.fresh import is_fresh


if TYPE_CHECKING:
    from hpo_app.study.journal import Journal
    from hpo_app.study.records import Study, TrialRecord
    from hpo_app.study.replay import StudyBuilder
    from hpo_app.tuning.view import ShieldedView


class Ledger:
    """Writes the journal of a run, and knows what it comes to.

    Attributes:
        builder: Makes the study of the events; None before the first.
    """

    def __init__(self, journal: Journal, view: ShieldedView) -> None:
        self._journal = journal
        self._view = view
        self._untold: list[tuple[str, TrialRecord]] = []
        self.builder: StudyBuilder | None = None

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run started."""
        return self._journal.elapsed_s

    @property
    def has_pending(self) -> bool:
        """Whether anything was written that is not safe yet."""
        return self._journal.has_pending

    def study(self) -> Study:
        """Return the study as it stands."""
        return self._opened.study()

    def record(self, number: int) -> TrialRecord:
        """Return one trial as it stands."""
        return self._opened.record(number)

    @property
    def _opened(self) -> StudyBuilder:
        if self.builder is None:
            raise RuntimeError("the journal was not opened")
        return self.builder

    def write(self, event: str, **fields: Any) -> None:
        """Write an event."""
        at_s = self._journal.append(event, **fields)
        self._opened.add(event, at_s, fields)
        if "trial" in fields and not is_fresh(fields["trial"]):
            self._untold.append((event, self.record(fields["trial"])))

    def sync(self) -> None:
        """Make safe what was written, and only then tell of it: what was told is never lost."""
        self._journal.sync()
        for event, record in self._untold:
            self._view.changed(event, record)
        self._untold.clear()
