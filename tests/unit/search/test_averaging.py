"""A search algorithm that is told means of the last reports."""

from hpo_app.plan.criteria import Constraint, Criteria
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.search.averaging import AveragingEngine
from hpo_app.search.engine import Outcome
from hpo_app.study.judging import criteria_fields, criteria_from
from hpo_app.study.records import Report, TrialState


CRITERIA = Criteria((Objective("loss", Mode.MIN),), (Constraint("cost", max=1.0),), averaged=3)


class Listening:
    """A search algorithm that keeps what it hears."""

    def __init__(self):
        self.told = []

    def tell(self, number, outcome):
        self.told.append((number, outcome))
        return "COMPLETE"


def test_each_report_is_told_as_the_mean_of_it_and_of_those_before():
    heard = Listening()
    reports = tuple(
        Report(at + 1, {"loss": value, "cost": value}, 0.0)
        for at, value in enumerate([8.0, 2.0, 2.0, 5.0, 2.0])
    )
    engine = AveragingEngine(heard, CRITERIA)
    assert engine.tell(4, Outcome(TrialState.FINISHED, reports)) == "COMPLETE"
    ((number, outcome),) = heard.told
    assert number == 4
    assert outcome.curve("loss") == [(1, 8.0), (2, 5.0), (3, 4.0), (4, 3.0), (5, 3.0)]
    # What a trial has to keep is its last report's.
    assert outcome.last["cost"] == 2.0


def test_a_trial_without_a_report_is_told_as_it_is():
    heard = Listening()
    AveragingEngine(heard, CRITERIA).tell(0, Outcome(TrialState.FAILED))
    assert heard.told == [(0, Outcome(TrialState.FAILED))]


def test_the_journal_tells_by_what_trials_were_judged():
    assert criteria_from(criteria_fields(CRITERIA)) == CRITERIA
    assert "averaged" not in criteria_fields(Criteria(CRITERIA.objectives))
