"""From trainings with fresh seeds to a part of the report: who raced, and what can be claimed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpo_app.analysis.claim import claim_of
from hpo_app.analysis.robust import interquartile_mean
from hpo_app.report.format import NOTHING, number
from hpo_app.report.markup import element, joined, table
from hpo_app.study.fresh import Kind
from hpo_app.study.records import TrialState


if TYPE_CHECKING:
    from collections.abc import Iterator

    from hpo_app.analysis.claim import Claim
    from hpo_app.report.markup import Html
    from hpo_app.study.records import Study

_ON_SEEDS = "No training of the search had one of these seeds."
_ON_RACE = (
    " The race chose the winner; what is claimed rests on the seeds held back alone, because "
    "whoever comes out first of several looks better than it is, on fresh seeds too. In a race, a "
    "dash stands for a contender that was dropped."
)
_ON_EARLIER = " Some are of an earlier confirmation with other trials or settings."
_KINDS = {
    Kind.RACE: "race",
    Kind.CLAIM: "claim, held back",
    Kind.REPLAY: "best.yaml once more",
}


def confirmed_sentences(claim: Claim | None) -> list[Html]:
    """Return what is claimed, a paragraph each."""
    return [element("p", text) for text in claim.sentences] if claim is not None else []


def confirmed_sections(study: Study) -> Iterator[Html]:
    """Yield the table of all trainings with fresh seeds, if there are any."""
    if study.race is None or not study.fresh:
        return
    claim = claim_of(study)
    text = f"{_ON_SEEDS}{_ON_RACE if len(study.race.contenders) > 1 else ''}"
    text += _ON_EARLIER if _has_earlier(study) else ""
    state = "" if claim is not None else " It is not over: what is missing, action=resume trains."
    yield element(
        "section",
        element("h2", "Confirmation on fresh seeds"),
        joined(
            [
                element("p", f"{text}{state}", class_="quiet"),
                table(("trial", "seeds", "mean", "values"), _rows(study), "Fresh trainings"),
            ]
        ),
    )


def _has_earlier(study: Study) -> bool:
    """Return whether there are trainings that the race as it is now did not ask for."""
    race = study.race
    fresh = {trial.fresh for trial in study.fresh}
    if race is None:
        return False
    racing = race.contenders if len(race.contenders) > 1 else ()
    return any(
        each is not None
        and each.of not in (racing if each.kind is Kind.RACE else (*race.contenders, *race.others))
        for each in fresh
    )


def _rows(study: Study) -> Iterator[tuple[str, str, str, str]]:
    metric = study.objective.metric
    known = {trial.fresh: trial for trial in study.fresh}
    for kind, name in _KINDS.items():
        of_kind = [fresh for fresh in known if fresh is not None and fresh.kind is kind]
        places = 1 + max((fresh.place for fresh in of_kind), default=-1)
        for of in dict.fromkeys(fresh.of for fresh in of_kind):
            cells, values = [], []
            for place in range(places):
                trial = next(
                    (known[each] for each in of_kind if (each.of, each.place) == (of, place)), None
                )
                value = None if trial is None else trial.value(metric)
                has_failed = trial is not None and trial.state is TrialState.FAILED
                cells.append("failed" if has_failed else number(value))
                values += [] if value is None else [value]
            mean = number(interquartile_mean(values)) if values else NOTHING
            yield str(of), name, mean, ", ".join(cells)
